"""The web application: pages for people, JSON for programs, one constructor call for both.

Whoever signs people in goes between `Guard` and the views: after the checks that need no person,
before anything that does.
"""

import time

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.routing import Mount

from web.api.ask import AskApi
from web.api.documents import DocumentsApi
from web.api.health import Health
from web.api.openai import OpenAi
from web.asked import Asked
from web.pages import Pages
from web.parts import Platform
from web.refusals import Refusals
from web.security import BodyLimit, Guard
from web.shelf import Shelf
from web.static_files import STATIC, ImmutableFiles, static_digest
from web.uploads import Handed
from web.views.ask import AskPages
from web.views.documents import DocumentPages
from web.views.help import HelpPages
from web.views.search import SearchPages
from web.views.viewer import ViewerPages

__all__ = ["Platform", "create_app"]


def create_app(platform: Platform) -> FastAPI:
    """Build the application from its parts. Raises FrontEndMissing before `npm run build`."""
    settings = platform.settings
    digest = static_digest()
    pages = Pages(settings, digest)
    refusals = Refusals(pages)
    kept, kept_s = settings.answers_kept, settings.answers_kept_s
    answers: Shelf[Asked] = Shelf(kept, kept_s, time.monotonic)
    notices: Shelf[tuple[Handed, ...]] = Shelf(kept, kept_s, time.monotonic)
    app = FastAPI(
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
        ],
        routes=[
            *AskPages(platform, pages, answers).routes(),
            *SearchPages(platform, pages).routes(),
            *DocumentPages(platform, pages, notices).routes(),
            *ViewerPages(platform, pages).routes(),
            *HelpPages(pages).routes(),
            *Health(platform).routes(),
            *OpenAi(platform).routes(),
            Mount(f"/static/{digest}", ImmutableFiles(directory=STATIC)),
        ],
    )
    app.include_router(AskApi(platform).router())
    app.include_router(DocumentsApi(platform).router())
    return app
