"""The print of a version: its text or its pages, with what it is on every sheet of paper."""

from dataclasses import replace
from typing import Any

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from governance.policies import DocumentSummary
from governance.policy_sections import SectionStore
from web.caller import Caller, caller_of
from web.opening import Opener, Reading
from web.pages import Pages
from web.parts import Platform
from web.places import number_of
from web.scoped import version_for
from web.shelf import Shelf
from web.version_words import state_words, warning_words
from web.viewing import PDF, Leaf, ShownPage, address_of, is_paged, leaves_of, shown_leaf
from web.views.viewer import VERSION, note_opened

# Each picture is drawn for itself: so many at once are a minute's work, and a thick pile of paper.
MOST_PICTURES = 40
MOST_LEAVES = 200


class PrintPages:
    """`/documents/{id}/versions/{n}/print`."""

    def __init__(self, platform: Platform, pages: Pages, readings: Shelf[bool]) -> None:
        self._platform = platform
        self._pages = pages
        self._readings = readings
        self._opener = Opener(platform.policies, SectionStore(platform.record))

    def routes(self) -> list[Route]:
        """Where this page is."""
        return [Route(f"{VERSION}/print", self.page, methods=["GET"])]

    async def page(self, request: Request) -> Response:
        """The version as it is put on paper."""
        return await run_in_threadpool(self._page, request)

    def _page(self, request: Request) -> Response:
        caller, path = caller_of(request), request.path_params
        version = version_for(caller, self._platform.policies, path["document_id"], path["number"])
        reading = self._opener.read(version)
        note_opened(self._readings, caller, version, "print")
        leaves = leaves_of(reading.texts, reading.entries, version.media_type)
        query = request.query_params
        pictures = version.media_type == PDF and query.get("as") == "pictures"
        first, last = chosen(
            len(leaves),
            number_of(query.get("from")),
            number_of(query.get("to")),
            MOST_PICTURES if pictures else MOST_LEAVES,
        )
        return self._pages.page(
            "viewer/print.html",
            request=request,
            here="/documents",
            version=version,
            address=address_of(version),
            pictures=pictures,
            has_pictures=version.media_type == PDF,
            paged=is_paged(leaves),
            first=first,
            last=last,
            pages=len(leaves),
            shown=[_printed(reading, leaf, pictures) for leaf in leaves[first - 1 : last]],
            **self._stamp(caller, version),
        )

    def _stamp(self, caller: Caller, version: DocumentSummary) -> dict[str, Any]:
        """What stands on each sheet."""
        return {
            "state": state_words(version.state),
            "warning": warning_words(version.state),
            "printed_at": self._platform.clock(),
            "printed_by": caller.principal.name,
        }


def chosen(pages: int, first: int | None, last: int | None, most: int) -> tuple[int, int]:
    """The pages to print: those that were asked for, as far as they are there and not too many."""
    first = min(max(first or 1, 1), pages)
    last = min(max(last or pages, first), pages)
    return first, min(last, first + most - 1)


def _printed(reading: Reading, leaf: Leaf, pictures: bool) -> ShownPage:
    outline = [reading.version.title, *(one.title for one in reading.entries)]
    text = reading.texts[leaf.page - 1] if reading.texts else ""
    image = f"{address_of(reading.version)}/pages/{leaf.page}.png" if pictures else ""
    page = shown_leaf(leaf, text, None, reading.entries, outline, image)
    return replace(page, id=f"p{leaf.number}")
