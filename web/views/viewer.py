"""The viewer: the pages of a document around a place, with its words marked."""

from hashlib import sha256
from typing import Any
from urllib.parse import quote

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from governance.policies import DocumentSummary
from governance.policy_sections import SectionStore
from ingest.quotes import Quote
from web.caller import Caller, caller_of
from web.errors import NoPageImage
from web.opening import Opener, Reading
from web.pages import Pages, today
from web.parts import Platform
from web.reading import note_reading
from web.scoped import detail_for, version_for
from web.shelf import Shelf
from web.turning import asked_leaf, contents_of, found_of, leaves_needed
from web.version_words import dates_words, state_words, warning_words
from web.viewing import (
    PDF,
    Leaf,
    ShownPage,
    address_of,
    is_paged,
    leaves_of,
    paging,
    placed,
    shown_leaf,
    window,
)

VERSION = "/documents/{document_id}/versions/{number:int}"
# Pictures kept by a browser that were drawn otherwise than today are drawn again.
_DRAWING = 3


class ViewerPages:
    """`/documents/{id}/versions/{n}` with its page images and the original file."""

    def __init__(self, platform: Platform, pages: Pages, readings: Shelf[bool]) -> None:
        """readings: the recorded readings that go on, to which pictures belong."""
        self._platform = platform
        self._pages = pages
        self._readings = readings
        self._opener = Opener(platform.policies, SectionStore(platform.record))

    def routes(self) -> list[Route]:
        """Where these pages are; the API shows file and images at its own address too."""
        found = [Route(VERSION, self.page, methods=["GET"])]
        for prefix in ("", "/api/v1"):
            found.append(Route(f"{prefix}{VERSION}/file", self.file, methods=["GET"]))
            found.append(
                Route(f"{prefix}{VERSION}/pages/{{page:int}}.png", self.image, methods=["GET"])
            )
        return found

    async def page(self, request: Request) -> Response:
        """The document, opened at the place that the address names."""
        return await run_in_threadpool(self._page, request)

    async def image(self, request: Request) -> Response:
        """One page as a picture, with its places marked."""
        return await run_in_threadpool(self._image, request)

    async def file(self, request: Request) -> Response:
        """The original file, to be saved and never shown by the browser itself."""
        version = await run_in_threadpool(self._version, request)
        path = await run_in_threadpool(
            self._platform.policies.original_path, version.document_id, version.version
        )
        await run_in_threadpool(note_reading, caller_of(request), version, "file")
        return FileResponse(
            path,
            media_type=version.media_type,
            headers={
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(version.file_name)}",
                "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
            },
        )

    def _page(self, request: Request) -> Response:
        version = self._version(request)
        reading = self._opener.open(version, request.query_params)
        note_opened(self._readings, caller_of(request), version, "viewer")
        leaves = leaves_of(reading.texts, reading.entries, version.media_type)
        asked = asked_leaf(request.query_params, reading, leaves)
        shown = self._shown(reading, leaves, asked)
        return self._pages.page(
            "viewer/page.html",
            request=request,
            here="/documents",
            version=version,
            overdue=version.review_due is not None and version.review_due < today(),
            address=address_of(version),
            opened=reading.opened,
            query=reading.opened.query() if reading.opened else "",
            quote_id=next((page.mark_id for page in shown if page.mark_id), ""),
            shown=shown,
            leaves=leaves,
            paged=is_paged(leaves),
            away=asked is not None,
            **paging(shown[0].number, shown[-1].number, len(leaves)),
            **self._about(request, version),
            **found_of(request.query_params, reading),
            **contents_of(request.query_params, reading, leaves[asked - 1] if asked else None),
        )

    def _shown(
        self, reading: Reading, leaves: tuple[Leaf, ...], asked: int | None
    ) -> list[ShownPage]:
        version, opened = reading.version, reading.opened
        first, last = leaves_needed(opened, leaves, asked)
        paged = is_paged(leaves)
        around = self._platform.settings.viewer_pages_around if paged else 0
        short = {} if paged else {"short": 1}
        first, last = window(len(leaves), first, last, around, **short)
        outline = [version.title, *(one.title for one in reading.entries)]
        pages = []
        for leaf in leaves[first - 1 : last]:
            image = ""
            if version.media_type == PDF:
                image = f"{address_of(version)}/pages/{leaf.page}.png"
            text = reading.texts[leaf.page - 1] if reading.texts else ""
            pages.append(shown_leaf(leaf, text, opened, reading.entries, outline, image))
        return placed(pages, opened.current.page if opened else None, asked)

    def _about(self, request: Request, version: DocumentSummary) -> dict[str, Any]:
        """What is said of this version and of the others that the caller may see."""
        document = detail_for(caller_of(request), self._platform.policies, version.document_id)
        return {
            "state": state_words(version.state),
            "warning": warning_words(version.state),
            "in_force": document.in_force,
            "versions": [
                (one, state_words(one.state), dates_words(one), address_of(one))
                for one in document.versions
            ],
        }

    def _image(self, request: Request) -> Response:
        version = self._version(request)
        page = int(request.path_params["page"])
        if version.media_type != PDF or not 1 <= page <= version.page_count:
            raise NoPageImage
        caller = caller_of(request)
        # The pictures of a page that was opened are part of that reading; any other is one itself.
        if not self._readings.get(reading_id(caller, version)):
            note_opened(self._readings, caller, version, "picture")
        # A picture takes a while to draw, and what a version says never changes. The browser keeps
        # it, but asks each time: whoever sits there next may not be allowed to see it.
        tag = picture_tag(version.digest, page, request.url.query)
        headers = {"Cache-Control": "private, no-cache", "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        quotes = self._quotes(request, version, page) if request.query_params else []
        path = self._platform.policies.original_path(version.document_id, version.version)
        png = self._platform.draw_page(path, page, quotes)
        return Response(png, media_type="image/png", headers=headers)

    def _quotes(self, request: Request, version: DocumentSummary, page: int) -> list[Quote]:
        """What is marked on a page: stretches of its text, with all of the text around them."""
        reading = self._opener.open(version, request.query_params)
        if reading.opened is None or page > len(reading.texts):
            return []
        text = reading.texts[page - 1]
        return [
            Quote(text, mark.start, mark.end, mark.current)
            for mark in reading.opened.marks_on(page)
        ]

    def _version(self, request: Request) -> DocumentSummary:
        path = request.path_params
        return version_for(
            caller_of(request), self._platform.policies, path["document_id"], path["number"]
        )


def note_opened(
    readings: Shelf[bool], caller: Caller, version: DocumentSummary, shown: str
) -> None:
    """Record a reading, to which the pictures that follow belong."""
    note_reading(caller, version, shown)
    # Not before it is in the trail: if that fails, nothing passes as recorded.
    readings.put(reading_id(caller, version), True)


def reading_id(caller: Caller, version: DocumentSummary) -> str:
    """Who reads what: one session or key, and one version."""
    way = caller.session.id if caller.session else caller.principal.key_id
    return f"{caller.owner} {way} {version.version_id}"


def picture_tag(digest: str, page: int, query: str) -> str:
    """The name of one picture: of this file, this page, with these words marked."""
    return f'"{sha256(f"{_DRAWING}/{digest}/{page}?{query}".encode()).hexdigest()[:32]}"'
