"""The web application: pages for people, JSON for programs, one constructor call for both.

A request passes the checks that need no person (`Guard`), the limit on its body, and then `Auth`,
which finds out who sent it and whether they may use its address; only then a view sees it.
"""

import time

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route

from web.access import STATIC_NAME
from web.api.approvals import ApprovalsApi
from web.api.ask import AskApi
from web.api.audit import AuditApi
from web.api.documents import DocumentsApi
from web.api.evaluations import EvaluationsApi
from web.api.feedback import FeedbackApi
from web.api.folders import FoldersApi
from web.api.health import Health
from web.api.keys import KeysApi
from web.api.metrics import Metrics
from web.api.openai import OpenAi
from web.api.operations import OperationsApi
from web.api.people import PeopleApi
from web.api.versions import VersionsApi
from web.approving import Approving
from web.asked import Asked
from web.asking import Asking
from web.auth import Auth
from web.callers import Callers
from web.mcp import Mcp
from web.oidc import oidc_routes
from web.pages import Pages
from web.parts import Platform
from web.refusals import Refusals
from web.roster import Roster
from web.running import banners
from web.security import BodyLimit, Guard
from web.shelf import Shelf
from web.static_files import STATIC, ImmutableFiles, static_digest
from web.views.abbreviations import AbbreviationPages
from web.views.account import AccountPages
from web.views.ask import AskPages
from web.views.audit import AuditPages
from web.views.departments import DepartmentPages
from web.views.difference import DifferencePages
from web.views.documents import DocumentPages, Notice
from web.views.emergency import EmergencyPages
from web.views.evaluation import EvaluationPages
from web.views.evaluation_gate import GatePages
from web.views.evaluation_questions import GoldPages
from web.views.evaluation_runs import RunPages
from web.views.feedback import FeedbackPages
from web.views.folders import FolderPages
from web.views.gaps import GapPages
from web.views.help import HelpPages
from web.views.lock import LockPages
from web.views.models import ModelPages
from web.views.people import PeoplePages
from web.views.printing import PrintPages
from web.views.review import ReviewPages
from web.views.rights import RightsPages
from web.views.search import SearchPages
from web.views.sign_in import SignInPages
from web.views.viewer import ViewerPages
from web.views.welcome import WelcomePages
from web.watching import Watches

__all__ = ["Platform", "create_app"]

# A one-time link is shown again on reload for so long, seconds.
LINKS_KEPT_S = 600.0
# Readings that go on at once; the pictures of one that was pushed out are recorded again.
READINGS_KEPT = 5_000


def document_routes(platform: Platform, pages: Pages) -> list[Route]:
    """The pages of documents: loaded, reviewed, compared, read and printed."""
    settings = platform.settings
    notices: Shelf[Notice] = Shelf(settings.answers_kept, settings.answers_kept_s, time.monotonic)
    # By the clock of the trail, in which these readings stand.
    readings: Shelf[bool] = Shelf(
        READINGS_KEPT, settings.reading_lasts_s, lambda: platform.clock().timestamp()
    )
    watches = Watches(platform.folders, platform.policies)
    return [
        *FolderPages(watches, pages).routes(),
        *DocumentPages(platform, pages, notices).routes(),
        *DifferencePages(platform, pages).routes(),
        *ReviewPages(platform, pages, watches).routes(),
        *ViewerPages(platform, pages, readings).routes(),
        *PrintPages(platform, pages, readings).routes(),
    ]


def evaluation_routes(platform: Platform, pages: Pages) -> list[Route]:
    """The pages that measure answers: gold questions, runs over them, the gate."""
    return [
        *EvaluationPages(platform, pages).routes(),
        *RunPages(platform, pages).routes(),
        *GoldPages(platform, pages).routes(),
        *GatePages(platform, pages).routes(),
    ]


def program_routes(
    platform: Platform, asking: Asking, approving: Approving, roster: Roster
) -> list[BaseRoute]:
    """What programs call: OpenAI's interface, MCP and our own."""
    return [
        *OpenAi(platform, asking).routes(),
        *Mcp(platform, asking).routes(),
        # Not included as routers: the table of access is compared with each of these.
        *AskApi(platform, asking).router().routes,
        *FeedbackApi(platform).router().routes,
        *EvaluationsApi(platform).router().routes,
        *DocumentsApi(platform).router().routes,
        *VersionsApi(platform).router().routes,
        *FoldersApi(Watches(platform.folders, platform.policies)).router().routes,
        *OperationsApi(platform).router().routes,
        *PeopleApi(platform, roster).router().routes,
        *KeysApi(platform, roster).router().routes,
        *AuditApi(platform).router().routes,
        *ApprovalsApi(platform, approving).router().routes,
    ]


def create_app(platform: Platform) -> FastAPI:
    """Build the application from its parts. Raises FrontEndMissing before `npm run build`."""
    settings = platform.settings
    digest = static_digest()
    pages = Pages(
        settings, digest, platform.session_idle_s, lambda one: banners(one, platform.people)
    )
    refusals = Refusals(pages)
    kept, kept_s = settings.answers_kept, settings.answers_kept_s
    asking = Asking(platform)
    answers: Shelf[Asked] = Shelf(kept, kept_s, time.monotonic)
    approving = Approving(platform)
    roster = Roster(platform.people, platform.keys, platform.tickets)
    links: Shelf[tuple[str, str]] = Shelf(kept, LINKS_KEPT_S, time.monotonic)
    return FastAPI(
        title=settings.product_name,
        # The interactive descriptions load scripts from another machine.
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        telemetry={"auto_configure": False},
        exception_handlers=refusals.handlers(),
        middleware=[
            Middleware(Guard, settings=settings, show=refusals.show),
            Middleware(BodyLimit, settings=settings),
            Middleware(Auth, callers=Callers(platform), show=refusals.show),
        ],
        routes=[
            *AskPages(platform, pages, asking, answers).routes(),
            *FeedbackPages(platform, pages, answers).routes(),
            *GapPages(platform, pages, answers).routes(),
            *AbbreviationPages(platform, pages).routes(),
            *evaluation_routes(platform, pages),
            *SearchPages(platform, pages).routes(),
            *document_routes(platform, pages),
            *HelpPages(pages).routes(),
            *SignInPages(platform, pages).routes(),
            *LockPages(platform, pages).routes(),
            *WelcomePages(platform, pages).routes(),
            *AccountPages(platform, pages).routes(),
            *PeoplePages(platform, roster, pages, links).routes(),
            *DepartmentPages(platform, roster, pages).routes(),
            *ModelPages(platform, approving, pages).routes(),
            *RightsPages(platform, roster, pages).routes(),
            *AuditPages(platform, pages).routes(),
            *EmergencyPages(platform, pages).routes(),
            *oidc_routes(platform, pages),
            *Health(platform).routes(),
            *Metrics(platform).routes(),
            *program_routes(platform, asking, approving, roster),
            Mount(f"/static/{digest}", ImmutableFiles(directory=STATIC), name=STATIC_NAME),
        ],
    )
