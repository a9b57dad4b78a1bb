"""What the pages and the API are built from: every part is made elsewhere and passed in here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from governance.clock import Clock, utc_now
from governance.emergency import EmergencyStore
from governance.events import Actor
from governance.jobs import JobStore
from governance.keys import KeyStore
from governance.oidc_flows import OidcFlows
from governance.people import PeopleStore
from governance.policies import Department, PolicyStore
from governance.policy_fields import PolicyFields
from governance.provider_sign_in import ProviderSignIn
from governance.questions import QuestionStore
from governance.quotas import QuotaStore
from governance.record.database import Record
from governance.retention import RetentionStore
from governance.sessions import SessionStore
from governance.sign_in import SignIn
from governance.tickets import TicketStore
from governance.version_life import VersionLife
from ingest.identity import Identity
from ingest.publishing import Publisher
from ingest.quotes import Quote
from ingest.workflow import Submitted
from rag.config import RagSettings
from rag.index import PassageIndex
from web.asked import Asks
from web.config import WebSettings
from web.evaluation_parts import EvaluationParts
from web.feedback_parts import FeedbackParts
from web.model_parts import ModelParts
from web.passthrough import Passthrough
from web.trail import Trail
from web.watching import FolderParts


class Loads(Protocol):
    """What the pages need of the loader; `ingest.workflow.Loader` is one."""

    def submit(
        self,
        actor: Actor,
        file_name: str,
        content: bytes,
        department: Department,
        fields: PolicyFields | None = None,
        *,
        replaces: str | None = None,
        override_reason: str | None = None,
    ) -> Submitted:
        """Accept a file and queue it. Raises RefusedFile, NoSpace, NotFound, InvalidName."""
        ...

    def retry(self, actor: Actor, version_id: str) -> Submitted:
        """Load a refused or failed version again. Raises NotFound, IllegalTransition."""
        ...


class Operates(Protocol):
    """What whoever runs the platform can have done to it."""

    def rebuild_index(self, actor: Actor) -> int:
        """Write the index again; gives the passages written."""
        ...

    def back_up(self, actor: Actor, destination: Path, *, with_keys: bool) -> Mapping[str, Any]:
        """Make a backup; gives its summary. Raises BackupRefused, NoSpace, RecordNotCopied."""
        ...

    def rotate_key(self, actor: Actor) -> Mapping[str, Any]:
        """Let a new key sign the trail; gives both public keys. Raises TrailBroken."""
        ...


class DrawsPage(Protocol):
    """Draws one page (from 1) of a PDF as PNG bytes, with the quotes marked."""

    def __call__(self, path: Path, page: int, quotes: Sequence[Quote]) -> bytes:
        """Raises IngestError."""
        ...


@dataclass(frozen=True, slots=True)
class ProviderParts:
    """What sign-in at an identity provider needs of the record."""

    flows: OidcFlows
    sign_in: ProviderSignIn


@dataclass(frozen=True, slots=True)
class Platform:
    """The whole platform in one value.

    admin_socket: the Unix socket whose user is the owner of the data directory. oidc: None where no
    identity provider is configured. session_idle_s: after so many seconds without a request a
    session ends; the pages warn of it. voices: what readers tell the editors.
    """

    settings: WebSettings
    rag_settings: RagSettings
    record: Record
    assistant: Asks
    policies: PolicyStore
    jobs: JobStore
    loader: Loads
    publisher: Publisher
    identity: Identity
    life: VersionLife
    index: PassageIndex
    draw_page: DrawsPage
    passthrough: Passthrough
    people: PeopleStore
    sessions: SessionStore
    keys: KeyStore
    tickets: TicketStore
    sign_in: SignIn
    quotas: QuotaStore
    questions: QuestionStore
    emergencies: EmergencyStore
    retention: RetentionStore
    voices: FeedbackParts
    evaluations: EvaluationParts
    trail: Trail
    operations: Operates
    models: ModelParts
    folders: FolderParts
    oidc: ProviderParts | None = None
    admin_socket: Path | None = None
    session_idle_s: int = 900
    clock: Clock = utc_now
