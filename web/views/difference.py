"""The page that shows what changed between two versions."""

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.caller import caller_of
from web.comparing import MAX_SHOWN, compare
from web.errors import BadField
from web.pages import Pages
from web.parts import Platform


class DifferencePages:
    """`/documents/{id}/versions/{number}/difference`."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where this page is."""
        path = "/documents/{document_id}/versions/{number:int}/difference"
        return [Route(path, self.page, methods=["GET"])]

    async def page(self, request: Request) -> Response:
        """The changes, doses first."""
        path = request.path_params
        comparison = await run_in_threadpool(
            compare,
            self._platform,
            caller_of(request),
            path["document_id"],
            path["number"],
            _number(request.query_params.get("with", "")),
        )
        return self._pages.page(
            "documents/difference.html",
            request=request,
            here="/documents",
            comparison=comparison,
            max_shown=MAX_SHOWN,
        )


def _number(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 6:
        raise BadField(f"{text[:20]!r} is no version.", "Give its number, such as 2.")
    return int(text)
