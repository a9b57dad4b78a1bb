"""Who a request is from where it is neither a plain session nor a key: TLS and certificates."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from sqlalchemy import select
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from governance.denials import PER_MINUTE
from governance.errors import PersonExists
from governance.events import SYSTEM
from governance.permissions import Role
from governance.record.trail_tables import audit_leaves
from web.app import create_app
from web.client_certificate import EXTENSION
from web.session_cookie import PLAIN_NAME, SAFE_NAME
from web.testing import Site

PASSWORD = "harbour lantern violet tram"


def certificate_for(site: Site, email: str) -> bytes:
    """A client certificate for this address; the TLS layer has checked who signed it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), site.clock()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.RFC822Name(email)]), critical=False
    )
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    signed = builder.add_extension(usage, critical=False).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


class WithCertificate:
    """The application behind a TLS layer that has seen this certificate."""

    def __init__(self, app: ASGIApp, der: bytes) -> None:
        self._app, self._der = app, der

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[EXTENSION] = self._der
        await self._app(scope, receive, send)


def secure_client(app: ASGIApp) -> TestClient:
    """A client over TLS."""
    return TestClient(app, base_url="https://127.0.0.1", follow_redirects=False)


@pytest.fixture
def reader(site: Site) -> Iterator[str]:
    """Somebody who is known by a certificate, with the role of staff."""
    people, email = site.platform.people, "reader@hospital.example"
    try:
        person = people.create_identity(SYSTEM, "mtls", email, "Rita Reader")
        pharmacy = site.platform.policies.department("Pharmacy").id
        people.grant(SYSTEM, person.id, Role.STAFF, pharmacy)
    except PersonExists:
        pass
    yield email
    site.clock.ahead = timedelta(0)


def test_aut_2_a_certificate_is_its_person(site: Site, reader: str) -> None:
    """With their rights and no more; there is no session, so nothing to lock."""
    app = WithCertificate(create_app(site.platform), certificate_for(site, reader))
    with secure_client(app) as client:
        assert client.get("/api/v1/documents").status_code == 200
        assert client.delete(f"/api/v1/documents/{site.vials}").status_code == 403
        page = client.get("/").text
        assert "Rita Reader" in page
        assert 'action="/lock"' not in page
        crossing = {"Sec-Fetch-Site": "cross-site"}
        assert client.post("/ask", data={"question": "x"}, headers=crossing).status_code == 403


def test_aut_2_a_certificate_of_nobody_opens_nothing(site: Site, reader: str) -> None:
    """Unknown, expired, suspended; and no header brings one."""
    unknown = certificate_for(site, "stranger@hospital.example")
    with secure_client(WithCertificate(create_app(site.platform), unknown)) as client:
        refused = client.get("/api/v1/documents")
        assert (refused.status_code, refused.json()["error"]["type"]) == (
            401,
            "certificate_unknown",
        )
    good = certificate_for(site, reader)
    site.clock.ahead = timedelta(days=2)
    with secure_client(WithCertificate(create_app(site.platform), good)) as client:
        assert client.get("/api/v1/documents").status_code == 401
        assert client.get("/help").status_code == 200
    site.clock.ahead = timedelta(0)
    with secure_client(create_app(site.platform)) as client:
        headers = {"X-Client-Cert": good.hex(), "X-SSL-Client-Verify": "SUCCESS"}
        assert client.get("/api/v1/documents", headers=headers).status_code == 401


def test_two_ways_at_once_are_refused_and_the_cookie_goes(site: Site, reader: str) -> None:
    """So the browser is served by its certificate at the next try; a key is never beside one."""
    app = WithCertificate(create_app(site.platform), certificate_for(site, reader))
    with secure_client(app) as client:
        client.cookies.set(SAFE_NAME, site.session("staff"))
        refused = client.get("/documents")
        assert refused.headers["Location"].startswith("/sign-in")
        assert f'{SAFE_NAME}=""' in refused.headers["Set-Cookie"]
        client.cookies.clear()
        assert client.get("/documents").status_code == 200
        shown = {"Authorization": f"Bearer {site.key('staff')}"}
        assert client.get("/api/v1/documents", headers=shown).status_code == 401


def test_asvs_3_3_over_tls_the_cookie_is_bound_to_host_and_tls(site: Site) -> None:
    """`__Host-`, Secure, and strict transport; the name of plain HTTP is nothing there."""
    with secure_client(create_app(site.platform)) as client:
        fields = {"username": "staff", "password": PASSWORD}
        answer = client.post("/sign-in", data=fields)
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith(f"{SAFE_NAME}=")
        for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
            assert part in cookie
        assert "Domain" not in cookie
        assert len(cookie) < 4096
        assert "max-age=" in answer.headers["Strict-Transport-Security"]
        assert client.get("/documents").status_code == 200
        client.cookies.clear()
        client.cookies.set(PLAIN_NAME, site.session("staff"))
        assert client.get("/documents").status_code == 303


def test_a_credential_that_is_no_good_leaves_its_event_and_a_flood_a_count(
    site: Site, administrator: httpx.Client
) -> None:
    """Of somebody unknown; an ended session is none, and no key stands in the trail."""
    wrong = {"Authorization": "Bearer lmp_wrong_key"}
    before = len(refusals(site))
    # More than two minutes let through, as one may end on the way.
    for _ in range(2 * PER_MINUTE + 5):
        answer = httpx.get(f"{site.url}/api/v1/documents", headers=wrong)
        assert answer.status_code == 401
    found = administrator.get("/audit?act=access.denied").text
    assert "Somebody unknown" in found
    assert "was refused: nothing showed who asks" in found
    bodies = refusals(site)[before:]
    assert 0 < len(bodies) <= 2 * PER_MINUTE
    assert not any("lmp_wrong_key" in body for body in bodies)


def refusals(site: Site) -> list[str]:
    """The events of whom nobody knows."""
    query = select(audit_leaves.c.body).where(audit_leaves.c.actor_id == "platform|unidentified")
    with site.platform.record.read() as connection:
        return list(connection.execute(query.order_by(audit_leaves.c.seq)).scalars())


def test_only_the_owners_own_socket_is_the_owners(site: Site) -> None:
    """What a client says of itself, or another socket, is nothing."""
    app = create_app(site.platform)

    class Elsewhere:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "server": ("/tmp/other.sock", None)}, receive, send)

    with TestClient(Elsewhere(), base_url="http://localhost") as client:
        path = str(site.platform.admin_socket)
        for headers in ({}, {"X-Forwarded-Host": path}, {"Forwarded": f"host={path}"}):
            assert client.get("/api/v1/departments", headers=headers).status_code == 401
