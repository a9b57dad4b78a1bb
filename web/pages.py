"""Renders pages and fragments from the templates, with the words that every page shares."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from jinja2 import ChainableUndefined, ChoiceLoader, Environment, FileSystemLoader, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse

from governance.permissions import Permission
from ingest.errors import in_words
from web.access import DEPARTMENT_RIGHTS
from web.account_words import browser_words, purpose_words
from web.caller import Caller, maybe_caller_of
from web.config import WebSettings
from web.model_words import class_words
from web.places import with_places
from web.role_words import permission_words, role_words
from web.running import Running
from web.security import nonce_of
from web.version_words import state_words
from web.wording import (
    count_words,
    date_words,
    list_words,
    name_words,
    pages_words,
    table_words,
    until_words,
    when_words,
)

TEMPLATES = Path(__file__).parent / "templates"
# The header leads where the caller may go, in this order; any one of the permissions opens it.
NAVIGATION: tuple[tuple[str, str, tuple[Permission, ...]], ...] = (
    ("/", "Ask", (Permission.POLICIES_ASK,)),
    ("/search", "Search", (Permission.POLICIES_SEARCH,)),
    ("/documents", "Documents", (Permission.POLICIES_READ,)),
    ("/review", "Review", (Permission.DRAFTS_READ,)),
    ("/feedback", "Feedback", (Permission.FEEDBACK_SETTLE,)),
    ("/evaluation", "Evaluation", (Permission.EVALUATIONS_MANAGE,)),
    ("/people", "People", (Permission.PEOPLE_READ,)),
    ("/departments", "Departments", DEPARTMENT_RIGHTS),
    ("/models", "Models", (Permission.APPROVALS_READ,)),
    ("/audit", "Audit", (Permission.AUDIT_READ,)),
)


class Pages:
    """The templates with their filters; one object for the whole application."""

    def __init__(
        self,
        settings: WebSettings,
        static_digest: str,
        session_idle_s: int = 900,
        banners: Callable[[Caller], Sequence[Running]] = lambda _: (),
    ) -> None:
        """banners: the emergency access of a caller that runs, which every page says."""
        self._banners = banners
        # The component templates count on missing values being empty, at any depth.
        self._templates = Environment(
            loader=ChoiceLoader(
                [FileSystemLoader(TEMPLATES), PackageLoader("nhsuk_frontend_jinja")]
            ),
            autoescape=True,
            undefined=ChainableUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            product=settings.product_name,
            static=f"/static/{static_digest}",
            session_idle_s=session_idle_s,
            passwords_on=settings.passwords_on,
        )
        self._templates.filters.update(
            count=count_words,
            date_words=date_words,
            list_words=list_words,
            model_class=class_words,
            name=name_words,
            pages=pages_words,
            browser=browser_words,
            purpose=purpose_words,
            permission=permission_words,
            readable=table_words,
            role=role_words,
            size=in_words,
            until=until_words,
            version_state=state_words,
            when=when_words,
            with_places=with_places,
        )

    def page(
        self, template: str, status: int = 200, request: Request | None = None, **values: Any
    ) -> HTMLResponse:
        """A whole page, or a fragment as a response of its own."""
        return HTMLResponse(self.fragment(template, request, **values), status_code=status)

    def fragment(self, template: str, request: Request | None = None, **values: Any) -> str:
        """The text of a template.

        request: who sent it stands in the header, its session's token in the forms, and its nonce
        at the scripts; a page without a nonce has no scripts.
        """
        caller = None if request is None else maybe_caller_of(request)
        running = () if caller is None else self._banners(caller)
        nonce = "" if request is None else nonce_of(request.scope)
        frame = {**frame_of(caller), "emergencies_running": running, "nonce": nonce}
        return self._templates.get_template(template).render({**frame, **values})


def frame_of(caller: Caller | None) -> dict[str, Any]:
    """What the frame of a page shows of whoever looks at it; nothing of the place if locked."""
    if caller is None:
        return {}
    locked = caller.is_locked
    return {
        "me": caller.principal.name,
        "has_account": caller.principal.person_id is not None and not locked,
        "has_session": caller.session is not None,
        "locked": locked,
        "csrf_token": caller.csrf_token,
        "navigation": [
            (href, text)
            for href, text, permissions in NAVIGATION
            if not locked and any(caller.may_somewhere(one) for one in permissions)
        ],
    }


def today() -> date:
    """Today, in UTC; dates of policies carry no zone."""
    return datetime.now(UTC).date()
