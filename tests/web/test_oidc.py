"""AUT-1, JWT-1: sign-in at a real identity provider, and 0 of many hostile ones let in.

The hostile provider is our own: it speaks real HTTP, checks the code and the verifier as a provider
must, and lets each test spoil one thing. Every refusal leaves no session, no person, and one event.
"""

import gzip
import json
import shutil
import subprocess
import sys
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
import uvicorn
from joserfc.jwk import RSAKey
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.middleware import Middleware

from governance.config import GovernanceSettings
from governance.events import SYSTEM
from governance.oidc_flows import OidcFlows
from governance.people import PeopleStore
from governance.permissions import Role
from governance.policies import PolicyStore
from governance.provider_sign_in import ProviderSignIn
from governance.record.database import Record, open_record
from governance.record.people_tables import people, sessions
from governance.record.trail_tables import audit_leaves
from governance.sessions import SessionStore
from lamplight.supervisor import free_port
from web.bounded_transport import MAX_ANSWER_BYTES
from web.config import WebSettings
from web.errors import BadProviderSettings
from web.id_token import LOGOUT_EVENT
from web.identity_provider import KEYS_RETRY_S, IdentityProvider, is_safe_address
from web.oidc import OidcPages, local_path
from web.pages import Pages
from web.refusals import Refusals
from web.security import Guard
from web.testing_oidc import (
    CLIENT,
    Answer,
    Claims,
    Issuer,
    encode,
    json_answer,
    provider_key,
    serving,
    sign,
    stranger_key,
    token_response,
)

HOST = "127.0.0.1"
SIGNING, STRANGER = provider_key(), stranger_key()
SESSION, FLOW = "lamplight_session", "lamplight_oidc"


@dataclass
class Lamplight:
    """The sign-in pages on a real port, with the record behind them."""

    url: str
    record: Record
    people: PeopleStore
    sessions: SessionStore
    moment: list[float]

    def events(self, action: str) -> list[Claims]:
        """What the trail says, oldest first."""
        query = select(audit_leaves.c.body).where(audit_leaves.c.action == action)
        with self.record.read() as connection:
            rows = connection.execute(query.order_by(audit_leaves.c.seq))
            return [json.loads(row.body) for row in rows]

    def count(self, table: Any) -> int:
        with self.record.read() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    def browser(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, trust_env=False, timeout=30.0)


@contextmanager
def lamplight(
    record: Record, settings: GovernanceSettings, web: WebSettings
) -> Iterator[Lamplight]:
    """The real pages, guard and refusals around the real stores."""
    store, moment = PeopleStore(record), [1000.0]
    opened = SessionStore(record, settings, b"k" * 32)
    policies, pages = PolicyStore(record, settings), Pages(web, "test")
    provider = IdentityProvider(web, lambda: moment[0])
    oidc = OidcPages(
        web,
        pages,
        OidcFlows(record),
        ProviderSignIn(store, opened),
        lambda: {one.name: one.id for one in policies.departments()},
        provider=provider,
    )
    refusals = Refusals(pages)
    app = Starlette(
        routes=oidc.routes(),
        exception_handlers=refusals.handlers(),
        middleware=[Middleware(Guard, settings=web, show=refusals.show)],
    )
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Lamplight(f"http://{HOST}:{port}", record, store, opened, moment)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with the newest schema and nothing in it; tests copy it."""
    folder = tmp_path_factory.mktemp("migrated")
    open_record(GovernanceSettings(folder)).close()
    return folder / "record.db"


@pytest.fixture
def governance(tmp_path: Path, migrated: Path) -> GovernanceSettings:
    shutil.copy(migrated, tmp_path / "record.db")
    return GovernanceSettings(tmp_path)


@pytest.fixture
def record(governance: GovernanceSettings) -> Iterator[Record]:
    record = open_record(governance)
    yield record
    record.close()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serving(Issuer()) as issuer:
        yield issuer


def settings_for(issuer_url: str, **more: Any) -> WebSettings:
    return WebSettings(oidc_issuer=issuer_url, oidc_client_id=CLIENT, oidc_timeout_s=5.0, **more)


@pytest.fixture
def site(record: Record, governance: GovernanceSettings, issuer: Issuer) -> Iterator[Lamplight]:
    policies = PolicyStore(record, governance)
    policies.create_department(SYSTEM, "Pharmacy")
    rules = "pharmacists=editor@Pharmacy, it=administrator"
    web = settings_for(issuer.url, oidc_group_roles=rules)
    with lamplight(record, governance, web) as site:
        yield site


@pytest.fixture(scope="module")
def refusing(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Lamplight, Issuer]]:
    """One site for all refusals: they leave nothing but events."""
    governance = GovernanceSettings(tmp_path_factory.mktemp("refusing"))
    record = open_record(governance)
    with (
        serving(Issuer()) as issuer,
        lamplight(record, governance, settings_for(issuer.url)) as site,
    ):
        yield site, issuer
    record.close()


@pytest.fixture
def target(refusing: tuple[Lamplight, Issuer]) -> Issuer:
    """Its provider, honest again."""
    issuer = refusing[1]
    fresh = Issuer(url=issuer.url)
    for one in fields(Issuer):
        setattr(issuer, one.name, getattr(fresh, one.name))
    return issuer


@pytest.fixture
def hostile(refusing: tuple[Lamplight, Issuer], target: Issuer) -> Lamplight:
    """The site, two hours later: it has to ask its provider for everything again."""
    refusing[0].moment[0] += 7200
    return refusing[0]


def begin(browser: httpx.Client, next_path: str = "/search") -> dict[str, str]:
    """Start a sign-in; what the browser takes along to the provider."""
    answer = browser.get("/sign-in/oidc", params={"next": next_path})
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def finish(browser: httpx.Client, query: dict[str, str], code: str, **more: str) -> httpx.Response:
    """Come back from the provider."""
    answer = {"state": query["state"], "code": code, **more}
    return browser.get("/sign-in/oidc/callback", params=answer)


def sign_in(site: Lamplight, issuer: Issuer, browser: httpx.Client) -> httpx.Response:
    """The whole way."""
    query = begin(browser)
    return finish(browser, query, issuer.approve(query))


@contextmanager
def refused(site: Lamplight, reason: str = "") -> Iterator[None]:
    """Whatever happens in the block leaves one event, no session and nobody new."""
    before = len(site.events("session.refused"))
    had = site.count(sessions), site.count(people)
    yield
    assert (site.count(sessions), site.count(people)) == had
    new = site.events("session.refused")[before:]
    assert len(new) == 1, new
    assert reason in new[0]["reason"]


# --- what goes right ---


@pytest.fixture(scope="module")
def real_provider() -> Iterator[str]:
    """`oidc-provider-mock`, an identity provider of somebody else's making, in its own process."""
    port = free_port(HOST)
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://{HOST}:{port}"
    with httpx.Client(trust_env=False) as client:
        end = time.monotonic() + 60
        while True:
            try:
                client.get(f"{url}/.well-known/openid-configuration")
                break
            except httpx.ConnectError:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.05)
    yield url
    process.terminate()
    process.wait(30)


def test_aut_1_a_real_provider_signs_a_person_in(
    real_provider: str, record: Record, governance: GovernanceSettings, tmp_path: Path
) -> None:
    """Start, the provider's own form, back: a session, the person, and the role of the group."""
    policies = PolicyStore(record, governance)
    ward = policies.create_department(SYSTEM, "Ward 7")
    secret = tmp_path / "secret"
    secret.write_text("from-a-file\n")
    web = settings_for(
        real_provider, oidc_group_roles="nurses=staff@Ward 7", oidc_client_secret_file=secret
    )
    with lamplight(record, governance, web) as site, site.browser() as browser:
        with httpx.Client(trust_env=False) as provider:
            claims = {"name": "Grace Hopper", "groups": ["nurses", "knitters"]}
            provider.put(f"{real_provider}/users/grace", json=claims).raise_for_status()
            start = browser.get("/sign-in/oidc?next=/search?q=vials")
            page = provider.post(start.headers["location"], data={"sub": "grace"})
        assert page.status_code == 302
        back = browser.get(page.headers["location"])
        assert (back.status_code, back.headers["location"]) == (303, "/search?q=vials")
        found = site.sessions.find(browser.cookies[SESSION], datetime.now(UTC))
        assert found is not None
        assert found.auth == "oidc"
        person = site.people.person(found.person_id)
        assert (person.issuer, person.subject) == (real_provider, "grace")
        assert person.name == "Grace Hopper"
        assert [(one.role, one.department_id) for one in person.grants] == [(Role.STAFF, ward.id)]
        [event] = site.events("session.started")
        assert event["actor"]["sub"] == "grace"
        assert site.events("session.refused") == []


def test_aut_1_the_provider_is_asked_as_it_must_be(site: Lamplight, issuer: Issuer) -> None:
    """Code flow, S256, state and nonce; nothing secret goes along."""
    with site.browser() as browser:
        answer = browser.get("/sign-in/oidc")
        address = urlsplit(answer.headers["location"])
        query = {name: one for name, [one] in parse_qs(address.query).items()}
        assert f"{address.scheme}://{address.netloc}{address.path}" == f"{issuer.url}/authorize"
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert query["client_id"] == CLIENT
        assert query["redirect_uri"] == f"{site.url}/sign-in/oidc/callback"
        assert set(query["scope"].split()) == {"openid", "profile", "email"}
        assert browser.cookies[FLOW] not in answer.headers["location"]
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Max-Age=600" in cookie


def test_aut_1_nothing_of_the_provider_reaches_the_browser(site: Lamplight, issuer: Issuer) -> None:
    """No token, in no header, cookie or page; the cookie of the way there is gone."""
    issuer.person["groups"] = ["pharmacists"]
    with site.browser() as browser:
        answer = sign_in(site, issuer, browser)
        assert answer.status_code == 303
        seen = f"{answer.headers} {answer.text}"
        assert "eyJ" not in seen
        assert FLOW not in browser.cookies
        assert SESSION in browser.cookies


def test_aut_1_without_a_role_people_are_told_whom_to_ask(site: Lamplight, issuer: Issuer) -> None:
    """By default a group gives nothing: the person is known, signed in, and may do nothing."""
    with site.browser() as browser:
        issuer.person = {"sub": "root", "name": "Mary Admin", "groups": ["it"]}
        assert sign_in(site, issuer, browser).status_code == 303
    with site.browser() as browser:
        issuer.person = {"sub": "bob", "name": "Bob <b>", "groups": ["unmapped"]}
        answer = sign_in(site, issuer, browser)
        assert answer.status_code == 200
        assert "no role yet" in answer.text
        assert "Mary Admin" in answer.text
        assert "Bob &lt;b&gt;" in answer.text
        assert SESSION in browser.cookies
    bob = site.people.by_identity(issuer.url, "bob")
    assert bob is not None
    assert bob.grants == ()


def test_aut_1_roles_follow_the_groups_at_each_sign_in(site: Lamplight, issuer: Issuer) -> None:
    """Who left a group loses its role; a role given by hand stays; nobody is made twice."""
    for groups, roles in (
        (["pharmacists", "it"], {Role.EDITOR, Role.ADMINISTRATOR}),
        (["pharmacists"], {Role.EDITOR}),
        ([], set()),
    ):
        issuer.person["groups"] = groups
        with site.browser() as browser:
            sign_in(site, issuer, browser)
        person = site.people.by_identity(issuer.url, "ada")
        assert person is not None
        assert {one.role for one in person.grants} == roles
    assert site.count(people) == 1


def test_asvs_6_8_1_the_same_subject_elsewhere_is_somebody_else(
    site: Lamplight, issuer: Issuer
) -> None:
    """A local account of that name is not taken over."""
    local = site.people.create(SYSTEM, "Ada", "ada")
    with site.browser() as browser:
        sign_in(site, issuer, browser)
    found = site.people.by_identity(issuer.url, "ada")
    assert found is not None
    assert found.id != local.id


def test_aut_6_a_suspended_person_is_not_let_in(site: Lamplight, issuer: Issuer) -> None:
    """The provider vouches for who it is, not for what they may do here."""
    with site.browser() as browser:
        sign_in(site, issuer, browser)
    ada = site.people.by_identity(issuer.url, "ada")
    assert ada is not None
    site.people.suspend(SYSTEM, ada.id)
    with site.browser() as browser, refused(site, "cannot be used"):
        assert sign_in(site, issuer, browser).status_code in (401, 403)
        assert SESSION not in browser.cookies


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/search?q=a%20b", "/search?q=a%20b"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("/" + "a" * 3000, "/"),
    ],
)
def test_aut_1_the_way_back_leads_nowhere_else(hostile: Lamplight, asked: str, given: str) -> None:
    """Only a path on this server is kept."""
    with hostile.browser() as browser:
        begin(browser, asked)
        assert (local_path(asked) if len(asked) < 2000 else "/") == given


# --- what a hostile token tries ---


def spoiled(**changes: Any) -> Callable[[Claims], str]:
    """An honest signature under other claims; None takes a claim away."""

    def mint(claims: Claims) -> str:
        changed = claims | changes
        return sign({name: value for name, value in changed.items() if value is not None})

    return mint


def headed(**header: Any) -> Callable[[Claims], str]:
    return lambda claims: sign(claims, header)


def tampered(claims: Claims) -> str:
    head, _, signature = sign(claims).split(".")
    return f"{head}.{encode(claims | {'sub': 'admin'})}.{signature}"


def no_signature(name: str) -> Callable[[Claims], str]:
    return lambda claims: f"{encode({'alg': name, 'typ': 'JWT', 'kid': 'one'})}.{encode(claims)}."


def hmac_with(secret: bytes) -> Callable[[Claims], str]:
    return lambda claims: sign(claims, {"alg": "HS256"}, secret)


def own_key(name: str, value: Any) -> Callable[[Claims], str]:
    """Signed by a stranger, whose key comes along."""
    return lambda claims: sign(claims, {name: value, "kid": "stranger"}, STRANGER)


NOW_S = int(time.time())
HOSTILE_TOKENS: dict[str, tuple[Callable[[Claims], Any], str]] = {
    "no algorithm": (no_signature("none"), "algorithm"),
    "no algorithm in capitals": (no_signature("NONE"), "algorithm"),
    "hmac with the public key": (hmac_with(SIGNING.as_pem(private=False)), "algorithm"),
    "hmac with the published modulus": (
        hmac_with(str(SIGNING.as_dict(private=False)["n"]).encode()),
        "algorithm",
    ),
    "an algorithm that is not listed": (headed(alg="RS384"), "algorithm"),
    "no signature": (lambda claims: sign(claims).rpartition(".")[0] + ".", "signature"),
    "half a signature": (lambda claims: sign(claims)[:-40], "signature"),
    "tampered payload": (tampered, "signature"),
    "another key under our id": (lambda claims: sign(claims, {}, STRANGER), "signature"),
    "another key under its own id": (
        lambda claims: sign(claims, {"kid": "new"}, STRANGER),
        "does not publish",
    ),
    "a key in the header": (own_key("jwk", STRANGER.as_dict(private=False)), "(jwk)"),
    "a key elsewhere": (own_key("jku", "https://evil.example/jwks"), "(jku)"),
    "a certificate elsewhere": (own_key("x5u", "https://evil.example/x.pem"), "(x5u)"),
    "a certificate in the header": (own_key("x5c", ["MIIB"]), "(x5c)"),
    "a critical extension": (headed(crit=["bork"], bork=True), "extension"),
    "a critical extension that the library knows": (headed(crit=["b64"], b64=True), "extension"),
    "an empty list of extensions": (headed(crit=[]), "extension"),
    "an access token": (headed(typ="at+jwt"), "kind"),
    "a logout token": (headed(typ="logout+jwt"), "kind"),
    "another issuer": (spoiled(iss="https://evil.example"), "another identity provider"),
    "almost our issuer": (
        lambda claims: sign(claims | {"iss": claims["iss"] + "/"}),
        "another identity provider",
    ),
    "no issuer": (spoiled(iss=None), "another identity provider"),
    "another audience": (spoiled(aud="other"), "another application"),
    "no audience": (spoiled(aud=None), "another application"),
    "two audiences without a party": (spoiled(aud=[CLIENT, "other"]), "several applications"),
    "another party": (spoiled(azp="other"), "another application"),
    "two audiences and another party": (
        spoiled(aud=[CLIENT, "other"], azp="other"),
        "another application",
    ),
    "another nonce": (spoiled(nonce="n"), "nonce"),
    "no nonce": (spoiled(nonce=None), "nonce"),
    "expired": (spoiled(exp=NOW_S - 3600), "expired"),
    "no end": (spoiled(exp=None), "(exp)"),
    "an end in words": (spoiled(exp="never"), "(exp)"),
    "not yet": (spoiled(nbf=NOW_S + 3600), "not hold yet"),
    "made tomorrow": (spoiled(iat=NOW_S + 86400), "future"),
    "made at no time": (spoiled(iat=None), "(iat)"),
    "about nobody": (spoiled(sub=None), "who it is about"),
    "about a number": (spoiled(sub=7), "who it is about"),
    "an order to sign out": (spoiled(events={LOGOUT_EVENT: {}}), "kind"),
    "no claims": (lambda _: sign("[]"), "no claims"),
    "no json": (lambda _: sign("{"), "signature"),
    "encrypted": (lambda claims: "a.b.c.d.e", "not a signed token"),
    "a word": (lambda claims: "token", "not a signed token"),
    "a number": (lambda claims: 7, "no ID token"),
    "nothing": (lambda claims: None, "no ID token"),
    "too long": (lambda claims: "a" * 100_000 + ".b.c", "not a signed token"),
}


@pytest.mark.parametrize("case", HOSTILE_TOKENS)
def test_jwt_1_a_hostile_token_is_refused(hostile: Lamplight, target: Issuer, case: str) -> None:
    """The honest one beside it is accepted, so each is refused for what is wrong with it."""
    target.mint, reason = HOSTILE_TOKENS[case]
    with hostile.browser() as browser, refused(hostile, reason):
        answer = sign_in(hostile, target, browser)
        assert answer.status_code == 403
        assert "You were not signed in" in answer.text
        assert SESSION not in browser.cookies


def test_jwt_1_no_address_in_a_token_is_visited(hostile: Lamplight) -> None:
    """A key that the token points to is not fetched."""
    with serving(Issuer()) as trap, serving(Issuer()) as issuer:
        web = settings_for(issuer.url)
        with lamplight(hostile.record, GovernanceSettings(Path("unused")), web) as site:
            for name in ("jku", "x5u"):
                issuer.mint = own_key(name, f"{trap.url}/jwks")
                with site.browser() as browser, refused(site, name):
                    sign_in(site, issuer, browser)
        assert trap.asked == []


# --- what a hostile answer tries ---


def test_aut_1_a_state_is_good_once(site: Lamplight, issuer: Issuer) -> None:
    """Replayed with the same code, or with a fresh one."""
    with site.browser() as browser:
        query = begin(browser)
        secret = browser.cookies[FLOW]
        assert finish(browser, query, issuer.approve(query)).status_code == 200
        for code in ("code-0", issuer.approve(query)):
            browser.cookies.set(FLOW, secret)
            with refused(site, "already finished"):
                assert finish(browser, query, code).status_code == 403


def test_aut_1_a_code_is_good_once(hostile: Lamplight, target: Issuer) -> None:
    """In a sign-in of its own, a code of another one is worth nothing."""
    with hostile.browser() as browser, hostile.browser() as other:
        stolen = target.approve(begin(other))
        with refused(hostile, "did not accept the code"):
            assert finish(browser, begin(browser), stolen).status_code == 403
        with refused(hostile, "did not accept the code"):
            assert finish(browser, begin(browser), stolen).status_code == 403


def test_aut_1_login_csrf_is_refused(hostile: Lamplight, target: Issuer) -> None:
    """An attacker's answer, opened in another browser: without a cookie, or with its own."""
    with hostile.browser() as attacker, hostile.browser() as victim:
        query = begin(attacker)
        code = target.approve(query)
        with refused(hostile, "not begun in this browser"):
            assert finish(victim, query, code).status_code == 403
        begin(victim)
        with refused(hostile, "in another browser"):
            assert finish(victim, query, code).status_code == 403


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "x" * 43}, "another browser"),
        ({"state": ""}, "not begun in this browser"),
        ({"code": ""}, "no code"),
        ({"iss": "https://evil.example"}, "another identity provider"),
        ({"iss": ""}, "another identity provider"),
        ({"error": "access_denied"}, "refused the sign-in"),
        ({"error": "access_denied", "error_description": "<script>"}, "refused the sign-in"),
    ],
)
def test_aut_1_a_hostile_answer_is_refused(
    hostile: Lamplight, target: Issuer, change: dict[str, str], reason: str
) -> None:
    """Mixed up, forged, empty, or the provider's own refusal, which is not repeated to anybody."""
    with hostile.browser() as browser, refused(hostile, reason):
        query = begin(browser)
        given = {"state": query["state"], "code": target.approve(query), **change}
        answer = browser.get("/sign-in/oidc/callback", params=given)
        assert answer.status_code == 403
        assert "<script>" not in answer.text


def test_aut_1_an_answer_says_each_thing_once(hostile: Lamplight, target: Issuer) -> None:
    """Which of two would be checked, and which used, is not left to chance."""
    with hostile.browser() as browser, refused(hostile, "twice"):
        query = begin(browser)
        pairs = [("state", query["state"]), ("code", "x"), ("code", target.approve(query))]
        answer = browser.get(f"/sign-in/oidc/callback?{urlencode(pairs)}")
        assert answer.status_code == 403


def test_aut_1_a_provider_that_names_itself_must_do_so(
    record: Record, governance: GovernanceSettings, issuer: Issuer
) -> None:
    """RFC 9207: once announced, a missing `iss` is somebody else's answer."""
    issuer.description = {"authorization_response_iss_parameter_supported": True}
    with lamplight(record, governance, settings_for(issuer.url)) as site:
        with site.browser() as browser, refused(site, "which provider"):
            assert sign_in(site, issuer, browser).status_code == 403
        with site.browser() as browser:
            query = begin(browser)
            answer = finish(browser, query, issuer.approve(query), iss=issuer.url)
            assert answer.status_code == 200


def test_aut_1_an_old_sign_in_is_refused(hostile: Lamplight, target: Issuer) -> None:
    """Begun eleven minutes ago."""
    flow = OidcFlows(hostile.record).start("/", datetime.now(UTC) - timedelta(minutes=11))
    with hostile.browser() as browser, refused(hostile, "too long"):
        browser.cookies.set(FLOW, flow.browser_secret)
        assert finish(browser, {"state": flow.state}, "code").status_code == 403


HOSTILE_ANSWERS: dict[str, tuple[Callable[[str], Answer], int]] = {
    "an error of its own": (lambda _: (500, {}, b"<h1>no</h1>"), 503),
    "a page": (lambda _: (200, {"Content-Type": "text/html"}, b"<h1>Sign in</h1>"), 503),
    "a list": (lambda _: json_answer([]), 503),
    "a word": (lambda _: json_answer("token"), 503),
    "nothing": (lambda _: (200, {}, b""), 503),
    "too much": (
        lambda token: json_answer(token_response(token) | {"x": "x" * MAX_ANSWER_BYTES}),
        503,
    ),
    "packed": (
        lambda token: (
            200,
            {"Content-Encoding": "gzip"},
            gzip.compress(json.dumps(token_response(token)).encode()),
        ),
        503,
    ),
    "another place": (lambda _: (302, {"Location": "http://127.0.0.1:9/"}, b""), 503),
    "no id token": (lambda _: json_answer({"access_token": "a", "token_type": "Bearer"}), 403),
    "a refusal": (lambda _: json_answer({"error": "invalid_client"}, 401), 403),
}


@pytest.mark.parametrize("case", HOSTILE_ANSWERS)
def test_aut_1_whatever_the_token_endpoint_says_is_answered(
    hostile: Lamplight, target: Issuer, case: str
) -> None:
    """Refused in words, never an error of ours; nothing is followed or unpacked."""
    target.token_answer, status = HOSTILE_ANSWERS[case]
    with hostile.browser() as browser, refused(hostile):
        assert sign_in(hostile, target, browser).status_code == status


@pytest.mark.parametrize(
    "description",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"authorization_endpoint": "http://evil.example/authorize"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://user:secret@evil.example/"},
        {"token_endpoint": None},
        {"authorization_endpoint": ["https://a"]},
    ],
)
def test_aut_1_a_description_that_cannot_be_trusted_is_refused(
    hostile: Lamplight, target: Issuer, description: Claims
) -> None:
    """Another name, or an address that everybody on the way can read: nobody is sent there."""
    target.description = description
    with hostile.browser() as browser:
        answer = browser.get("/sign-in/oidc")
        assert answer.status_code == 503
        assert FLOW not in browser.cookies


# --- when the provider is down, or changes its keys ---


def test_flt_10_without_its_provider_sessions_live_on(
    record: Record, governance: GovernanceSettings
) -> None:
    """Who is in stays in; who wants in gets a page that says what to do."""
    with serving(Issuer()) as issuer:
        web = settings_for(issuer.url)
        with lamplight(record, governance, web) as site, site.browser() as browser:
            sign_in(site, issuer, browser)
            token = browser.cookies[SESSION]
    with lamplight(record, governance, web) as site, site.browser() as browser:
        answer = browser.get("/sign-in/oidc")
        assert answer.status_code == 503
        assert "identity provider cannot be used" in answer.text
        assert "stays signed in" in answer.text
        assert site.sessions.find(token, datetime.now(UTC)) is not None


def test_flt_10_keys_that_are_known_outlast_a_short_silence(
    site: Lamplight, issuer: Issuer
) -> None:
    """Description and keys are kept, and asked for again after an hour."""
    for _ in range(3):
        with site.browser() as browser:
            assert sign_in(site, issuer, browser).status_code == 200
    assert issuer.asked.count("/jwks") == 1
    assert issuer.asked.count("/.well-known/openid-configuration") == 1
    site.moment[0] += 3601
    with site.browser() as browser:
        assert sign_in(site, issuer, browser).status_code == 200
    assert issuer.asked.count("/jwks") == 2
    site.moment[0] += 3601
    issuer.silent = True
    with site.browser() as browser:
        assert begin(browser)["client_id"] == CLIENT


def test_flt_10_a_wrong_answer_is_no_silence(site: Lamplight, issuer: Issuer) -> None:
    """What was kept helps when the provider says nothing, not when it says something else."""
    with site.browser() as browser:
        assert sign_in(site, issuer, browser).status_code == 200
    issuer.description = {"issuer": "https://evil.example"}
    site.moment[0] += 3601
    with site.browser() as browser:
        assert browser.get("/sign-in/oidc").status_code == 503


def test_flt_10_a_new_key_is_fetched_once(site: Lamplight, issuer: Issuer) -> None:
    """Rotation needs no restart, and tokens with made-up keys do not make us ask all the time."""
    with site.browser() as browser:
        assert sign_in(site, issuer, browser).status_code == 200
    new = RSAKey.generate_key(2048, {"kid": "two"})
    issuer.published = [new.as_dict(private=False)]
    issuer.mint = lambda claims: sign(claims, {"kid": "two"}, new)
    site.moment[0] += KEYS_RETRY_S
    with site.browser() as browser:
        assert sign_in(site, issuer, browser).status_code == 200
    assert issuer.asked.count("/jwks") == 2
    issuer.mint = lambda claims: sign(claims, {"kid": "three"}, new)
    for _ in range(3):
        with site.browser() as browser, refused(site, "does not publish"):
            sign_in(site, issuer, browser)
    assert issuer.asked.count("/jwks") == 2


def test_flt_10_a_provider_that_hangs_keeps_nobody_waiting(
    record: Record, governance: GovernanceSettings
) -> None:
    """The exchange ends after its time, and the pages answer meanwhile."""
    with serving(Issuer(hold=Event())) as issuer:
        web = WebSettings(oidc_issuer=issuer.url, oidc_client_id=CLIENT, oidc_timeout_s=0.3)
        with (
            lamplight(record, governance, web) as site,
            site.browser() as browser,
            refused(site, "does not answer"),
        ):
            assert sign_in(site, issuer, browser).status_code == 503


# --- the provider's word that somebody signed out ---


def logout_token(issuer: Issuer, **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": issuer.url,
        "aud": CLIENT,
        "sub": "ada",
        "iat": now,
        "exp": now + 60,
        "jti": "1",
        "events": {LOGOUT_EVENT: {}},
        **changes,
    }
    return sign(claims, {"typ": "logout+jwt"})


def test_aut_1_a_logout_token_ends_the_persons_sessions(site: Lamplight, issuer: Issuer) -> None:
    """All of theirs and nobody else's, with an event for each."""
    for subject in ("ada", "ada", "bob"):
        issuer.person = {"sub": subject}
        with site.browser() as browser:
            sign_in(site, issuer, browser)
    with site.browser() as provider:
        answer = provider.post("/sign-in/oidc/logout", data={"logout_token": logout_token(issuer)})
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["cache-control"] == "no-store"
        again = provider.post(
            "/sign-in/oidc/logout", data={"logout_token": logout_token(issuer, sub="nobody")}
        )
        assert again.status_code == 200
    assert site.count(sessions) == 1
    ended = site.events("session.ended")
    assert len(ended) == 2
    assert {event["actor"]["iss"] for event in ended} == {issuer.url}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda issuer: "",
        lambda issuer: "a.b.c",
        lambda issuer: logout_token(issuer, iss="https://evil.example"),
        lambda issuer: logout_token(issuer, aud="other"),
        lambda issuer: logout_token(issuer, events={}),
        lambda issuer: logout_token(issuer, nonce="n"),
        lambda issuer: logout_token(issuer, exp=1),
        lambda issuer: logout_token(issuer, iat=1),
        lambda issuer: logout_token(issuer, sub=None),
        lambda issuer: sign(issuer.claims("n")),
        lambda issuer: logout_token(issuer)[:-30],
        lambda issuer: sign(
            {**json.loads(urlsafe_b64decode(logout_token(issuer).split(".")[1] + "==="))},
            {"typ": "logout+jwt"},
            STRANGER,
        ),
    ],
)
def test_aut_1_a_hostile_logout_token_ends_nothing(
    site: Lamplight, issuer: Issuer, spoil: Callable[[Issuer], str]
) -> None:
    """400 as the standard asks, an event, and the session lives."""
    with site.browser() as browser:
        sign_in(site, issuer, browser)
        answer = browser.post("/sign-in/oidc/logout", data={"logout_token": spoil(issuer)})
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_request"
        assert site.sessions.find(browser.cookies[SESSION], datetime.now(UTC)) is not None
    assert len(site.events("access.denied")) == 1


def test_aut_1_another_site_cannot_sign_people_out(site: Lamplight, issuer: Issuer) -> None:
    """The provider's server sends it, never a browser from another page."""
    with site.browser() as browser:
        answer = browser.post(
            "/sign-in/oidc/logout",
            data={"logout_token": logout_token(issuer)},
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        assert answer.status_code == 403


# --- settings ---


@pytest.mark.parametrize(
    "settings",
    [
        WebSettings(),
        WebSettings(oidc_issuer="https://idp.example"),
        WebSettings(oidc_issuer="http://idp.example", oidc_client_id=CLIENT),
        WebSettings(oidc_issuer="ftp://127.0.0.1", oidc_client_id=CLIENT),
        WebSettings(
            oidc_issuer="https://idp.example", oidc_client_id=CLIENT, oidc_ca_file=Path("none.pem")
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: WebSettings) -> None:
    """Before anybody is sent anywhere."""
    with pytest.raises(BadProviderSettings, match="identity provider"):
        IdentityProvider(settings)


def test_an_address_is_https_or_this_machine() -> None:
    """Everything that goes there is a secret."""
    for good in (
        "https://a.example/x",
        "http://127.0.0.1:1/x",
        "http://[::1]/",
        "http://localhost",
    ):
        assert is_safe_address(good)
    for bad in (
        "http://10.0.0.1/",
        "http://localhost.evil.example",
        "https://",
        "",
        "https://u@h/",
        "https://h/#f",
        "javascript:1",
        "http://[::1",
    ):
        assert not is_safe_address(bad)
