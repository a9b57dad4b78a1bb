"""Settings of the pages and the platform API, each with its unit and its default."""

from dataclasses import dataclass
from pathlib import Path

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where the platform listens, what it is called, and the limits on what comes in."""

    host: str = "127.0.0.1"
    port: int = 8080
    product_name: str = "Lamplight"
    # Names that a browser may call us by; anything else may be a DNS rebinding attack.
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "::1")

    # A question, a search, or any other form or JSON body, bytes.
    max_body_bytes: int = 64 * KIB
    # A conversation sent to /v1, bytes.
    max_chat_body_bytes: int = 4 * MIB
    # One upload, all of its files together, bytes.
    max_upload_bytes: int = 512 * MIB
    # One file of an upload, bytes; a larger one is not even taken into memory.
    max_file_bytes: int = 100 * MIB
    # Files in one upload.
    max_upload_files: int = 100

    # Finished answers kept in memory for reload, back and print: how many, and for how long (s).
    answers_kept: int = 500
    answers_kept_s: float = 12 * 3600.0
    # Pages shown before and after the one that was asked for.
    viewer_pages_around: int = 2
    # Sources shown while an answer is written; the others are folded away.
    sources_unfolded: int = 3
    # Passages on the search page.
    search_results: int = 10
    # Whether somebody may still have an answer under way is read again every so many seconds.
    rights_checked_every_s: float = 1.0
    # A stream of events says that it is still there after so long a pause, seconds.
    stream_heartbeat_s: float = 15.0
    # No stream of events lasts longer, seconds.
    stream_longest_s: float = 900.0
    # Pictures of a version that somebody has opened belong to that reading for so long, seconds.
    reading_lasts_s: float = 600.0
    # API keys end after this many days unless their owner chooses another time.
    key_days: int = 90
    # Jobs listed on the documents page.
    recent_jobs: int = 50
    # Between two looks at the jobs while something loads, milliseconds.
    progress_interval_ms: int = 1500
    # Waiting for the runtime's first byte when a request is passed through, seconds.
    passthrough_timeout_s: float = 300.0
    # Waiting for the runtime when readiness is asked for, seconds.
    ready_timeout_s: float = 2.0

    # Sign-in with passwords that are kept here; None: only while there is no identity provider.
    local_passwords: bool | None = None
    # Sign-in by an OpenID Connect provider; without an issuer there is none.
    oidc_issuer: str | None = None
    oidc_client_id: str = ""
    # Without a file we are a public client: PKCE alone.
    oidc_client_secret_file: Path | None = None
    # The claim of the ID token that lists the person's groups.
    oidc_groups_claim: str = "groups"
    # `group=role@department, …`; nobody gets a role that is not written here.
    oidc_group_roles: str = ""
    # How strong the sign-in must have been: one of these contexts, all of these methods.
    oidc_required_acr: tuple[str, ...] = ()
    oidc_required_amr: tuple[str, ...] = ()
    # Where the provider sends the browser back to; None: the address it called us by.
    oidc_redirect_uri: str | None = None
    # Who signs the provider's certificate; None: the system's authorities.
    oidc_ca_file: Path | None = None
    # One exchange with the provider, seconds.
    oidc_timeout_s: float = 10.0
    # The provider's description and keys are kept, seconds.
    oidc_kept_s: float = 3600.0

    # TLS of the pages and the API; both or neither, PEM.
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    # Who signs client certificates, PEM; without it none is asked for.
    client_ca: Path | None = None
    # Certificates that were taken back, PEM or DER, one or several lists.
    client_crl: Path | None = None
    # Which name of a certificate is the person: `email`, `uri` or `dns`.
    client_name_kind: str = "email"
    # Serve other machines without encryption: passwords can be read on the way.
    insecure_plain_http: bool = False

    @property
    def passwords_on(self) -> bool:
        """Whether somebody can sign in with a password that is kept here."""
        if self.local_passwords is None:
            return not self.oidc_issuer
        return self.local_passwords
