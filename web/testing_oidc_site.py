"""For tests: the sign-in pages on a real port, and the ways of a browser through them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from governance.audit.search import PAGE_MAX, Filter, search
from governance.config import GovernanceSettings
from governance.denials import Denials
from governance.oidc_flows import OidcFlows
from governance.people import PeopleStore
from governance.policies import PolicyStore
from governance.provider_sign_in import ProviderSignIn
from governance.record.database import Record
from governance.sessions import Session, SessionStore
from web.config import WebSettings
from web.identity_provider import IdentityProvider
from web.oidc import OidcPages
from web.pages import Pages
from web.refusals import Refusals
from web.security import Guard
from web.testing_oidc import CLIENT, HOST, Claims, Issuer

SESSION, FLOW = "lamplight_session", "lamplight_oidc"
KEY = b"k" * 32
ALL = 1_000_000


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
        with self.record.read() as connection:
            found = search(connection, Filter(action=action), None, limit=PAGE_MAX)
        return [one.body for one in reversed(found)]

    def opened(self) -> list[str]:
        """The ids of all sessions that are open."""
        now = datetime.now(UTC)
        people = self.people.people()
        return [held.id for one in people for held in self.sessions.sessions_of(one.id, now)]

    def session_of(self, browser: httpx.Client) -> Session | None:
        """The session that this browser has."""
        return self.sessions.find(browser.cookies[SESSION], datetime.now(UTC))

    def browser(self) -> httpx.Client:
        """A browser of its own."""
        return httpx.Client(base_url=self.url, trust_env=False, timeout=30.0)


@contextmanager
def lamplight(
    record: Record, settings: GovernanceSettings, web: WebSettings, denials_a_minute: int = ALL
) -> Iterator[Lamplight]:
    """The real pages, guard and refusals around the real stores."""
    store, moment = PeopleStore(record), [1000.0]
    opened = SessionStore(record, settings, KEY)
    policies, pages = PolicyStore(record, settings), Pages(web, "test")
    oidc = OidcPages(
        web,
        pages,
        OidcFlows(record, KEY, Denials(denials_a_minute)),
        ProviderSignIn(store, opened),
        lambda: {one.name: one.id for one in policies.departments()},
        provider=IdentityProvider(web, lambda: moment[0]),
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


def settings_for(issuer_url: str, **more: Any) -> WebSettings:
    """Settings with this provider."""
    return WebSettings(oidc_issuer=issuer_url, oidc_client_id=CLIENT, oidc_timeout_s=5.0, **more)


def begin(browser: httpx.Client, next_path: str = "/search") -> dict[str, str]:
    """Start a sign-in; what the browser takes along to the provider."""
    answer = browser.get("/sign-in/oidc", params={"next": next_path})
    if answer.status_code != 303:
        raise AssertionError(answer.text)
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def finish(browser: httpx.Client, query: dict[str, str], code: str, **more: str) -> httpx.Response:
    """Come back from the provider."""
    answer = {"state": query["state"], "code": code, **more}
    return browser.get("/sign-in/oidc/callback", params=answer)


def sign_in(issuer: Issuer, browser: httpx.Client) -> httpx.Response:
    """The whole way."""
    query = begin(browser)
    return finish(browser, query, issuer.approve(query))


@contextmanager
def refused(site: Lamplight, reason: str = "") -> Iterator[None]:
    """Whatever happens in the block leaves one event, no session and nobody new."""
    before = len(site.events("session.refused"))
    had = sorted(site.opened()), site.people.people()
    yield
    new = site.events("session.refused")[before:]
    if (sorted(site.opened()), site.people.people()) != had:
        raise AssertionError("Something changed.")
    if len(new) != 1 or reason not in new[0]["reason"]:
        raise AssertionError(new)
