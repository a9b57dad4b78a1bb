"""AUT-2, HIP-8: client certificates over real TLS, and what TLS itself refuses."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives import serialization
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from lamplight.errors import BadSetting
from lamplight.serving import listen_for_commands
from lamplight.testing import short_folder
from lamplight.tls import TlsServer, tls_of
from web.client_certificate import certificate_of, identity_of
from web.config import WebSettings
from web.errors import CertificateRefused
from web.pages import Pages
from web.refusals import Refusals
from web.security import Guard
from web.testing_certificates import NAME, NOW, WRONG, Authority, Issued, email, pem, settings_of


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


async def _show(request: Request) -> JSONResponse:
    """What the platform would know of the caller."""
    der = certificate_of(request.scope)
    known = {"scheme": request.url.scheme, "has_certificate": der is not None}
    if der is not None:
        settings: WebSettings = request.app.state.settings
        try:
            known["subject"] = identity_of(der, NOW, settings).subject
        except CertificateRefused as error:
            known["refused"] = error.reason
    return JSONResponse(known)


@dataclass
class Served:
    """A real server over TLS with its socket for commands."""

    authority: Authority
    settings: WebSettings
    folder: Path
    port: int
    command_socket: Path

    def ask(self, issued: Issued | None, **headers: str) -> dict[str, object]:
        """What the application knows of one request."""
        found: dict[str, object] = self.get(issued, **headers).json()
        return found

    def get(self, issued: Issued | None, **headers: str) -> httpx.Response:
        """One request with or without a certificate; raises if TLS refuses it."""
        context = ssl.create_default_context(cafile=self.settings.client_ca)
        if issued is not None:
            context.load_cert_chain(*issued.save(self.folder, "client"))
        with httpx.Client(verify=context, trust_env=False) as client:
            return client.get(f"https://localhost:{self.port}/", headers=headers)


@pytest.fixture(scope="module")
def served(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("tls")
    settings = settings_of(folder, authority)
    show = Refusals(Pages(settings, "test")).show
    app = Starlette(
        routes=[Route("/", _show)], middleware=[Middleware(Guard, settings=settings, show=show)]
    )
    app.state.settings = settings
    with short_folder() as short, _running(app, settings, short / "admin.sock") as port:
        yield Served(authority, settings, folder, port, short / "admin.sock")


@contextmanager
def _running(app: Starlette, settings: WebSettings, commands: Path) -> Iterator[int]:
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    context = tls_of(settings)
    assert context is not None
    config = uvicorn.Config(app, log_config=None, lifespan="off", access_log=False)
    server = TlsServer(config, [listener], context)
    plain = listen_for_commands(commands)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [plain]})
    thread.start()
    while not (server.started and len(server.servers) == 2):
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()


def test_aut_2_a_certificate_arrives_over_real_tls(served: Served) -> None:
    """The application sees the certificate that the handshake proved, and the scheme https."""
    answer = served.ask(served.authority.issue(names=email()))
    assert answer == {"scheme": "https", "has_certificate": True, "subject": NAME}


def test_aut_2_who_has_no_certificate_is_served_without_one(served: Served) -> None:
    """They sign in in another way."""
    assert served.ask(None) == {"scheme": "https", "has_certificate": False}


@pytest.mark.parametrize("case", ["expired", "not yet", "for servers"])
def test_aut_2_tls_itself_refuses_a_wrong_certificate(served: Served, case: str) -> None:
    """The handshake ends before any request is read."""
    issued = served.authority.issue(**({"names": email()} | WRONG[case][0]))
    with pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)):
        served.ask(issued)


def test_hip_8_a_certificate_of_another_authority_is_refused(served: Served) -> None:
    """Self-signed, or signed by a stranger who gave himself our authority's name."""
    stranger = Authority()
    for issued in (
        stranger.issue(names=email()),
        stranger.issue(names=email(), self_signed=True),
        served.authority.issue(names=email(), self_signed=True),
    ):
        with pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)):
            served.ask(issued)


def test_aut_2_a_revoked_certificate_is_refused_over_tls(
    served: Served, request: pytest.FixtureRequest
) -> None:
    """The chain holds, so the handshake does; the rule refuses it."""
    issued = served.authority.issue(names=email())
    assert served.settings.client_crl is not None
    before = served.settings.client_crl.read_bytes()
    request.addfinalizer(lambda: served.settings.client_crl.write_bytes(before))  # type: ignore[union-attr]
    served.settings.client_crl.write_bytes(
        pem(served.authority.revoke(issued.certificate.serial_number))
    )
    assert served.ask(issued)["refused"] == "It was revoked."


@pytest.mark.parametrize(
    "header",
    [
        "X-SSL-Client-Cert",
        "X-Client-Cert",
        "X-Forwarded-Client-Cert",
        "Client-Cert",
        "SSL-Client-Verify",
        "X-SSL-Client-S-DN",
        "Lamplight-Client-Certificate",
    ],
)
def test_aut_2_a_header_names_no_certificate(served: Served, header: str) -> None:
    """Whatever a proxy of somebody else's might have written."""
    pem = served.authority.issue(names=email()).certificate.public_bytes(serialization.Encoding.PEM)
    value = pem.decode().replace("\n", " ").strip()
    assert served.ask(None, **{header: value}) == {"scheme": "https", "has_certificate": False}


def test_hip_4_the_command_socket_stays_in_clear(served: Served) -> None:
    """Only the owner of the data directory reaches it, and the command line speaks plain HTTP."""
    transport = httpx.HTTPTransport(uds=str(served.command_socket))
    with httpx.Client(transport=transport, trust_env=False) as client:
        answer = client.get("http://localhost/")
    assert answer.json() == {"scheme": "http", "has_certificate": False}
    assert "strict-transport-security" not in answer.headers


def test_hip_8_browsers_keep_to_tls_for_more_than_a_year(served: Served) -> None:
    """For this name and those below it; refusals say so, too."""
    for answer in (served.get(None), served.get(None, Host="evil.example")):
        wanted = answer.headers["strict-transport-security"]
        age, _, rest = wanted.partition("; ")
        assert int(age.removeprefix("max-age=")) >= 365 * 86400
        assert rest == "includeSubDomains"


def test_hip_8_old_tls_is_not_spoken(served: Served) -> None:
    """TLS 1.1 ends in the handshake; 1.2 and 1.3 do not."""
    context = tls_of(served.settings)
    assert context is not None
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    for name in {cipher["name"] for cipher in context.get_ciphers()}:
        assert not any(weak in name for weak in ("RC4", "3DES", "MD5", "NULL", "EXPORT", "CBC3"))


def test_hip_4_settings_of_tls_that_do_not_fit_are_refused_by_name(
    authority: Authority, tmp_path: Path
) -> None:
    """A certificate without its key, client certificates without TLS, files that are none."""
    good = settings_of(tmp_path, authority)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        authority.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
    for settings, name in (
        (WebSettings(tls_certificate=good.tls_certificate, tls_key=locked), "tls_certificate"),
        (WebSettings(tls_certificate=good.tls_certificate), "web.tls_key"),
        (WebSettings(client_ca=good.client_ca), "need TLS"),
        (WebSettings(tls_certificate=good.client_crl, tls_key=good.tls_key), "tls_certificate"),
        (
            WebSettings(
                tls_certificate=good.tls_certificate,
                tls_key=good.tls_key,
                client_ca=tmp_path / "none",
            ),
            "web.client_ca",
        ),
        (
            WebSettings(
                tls_certificate=good.tls_certificate,
                tls_key=good.tls_key,
                client_ca=good.client_ca,
                client_name_kind="name",
            ),
            "client_name_kind",
        ),
    ):
        with pytest.raises(BadSetting, match=name):
            tls_of(settings)
    assert tls_of(WebSettings()) is None
