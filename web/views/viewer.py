"""The viewer: the pages of a document around a passage, with its words marked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from governance.errors import NotFound
from governance.policies import DocumentSummary, PassageRecord
from web.caller import Caller, caller_of
from web.errors import NoPageImage
from web.page_text import Shown, shown_blocks
from web.pages import Pages, today
from web.parts import Platform
from web.reading import note_reading
from web.scoped import version_for
from web.shelf import Shelf

PDF = "application/pdf"
# Shown whole below this many pages.
SHORT_PAGES = 6


@dataclass(frozen=True, slots=True)
class Quoted:
    """The words to mark, and the pages they are on; pages count from 1.

    section: the headings above them, "A > B".
    """

    text: str
    page_from: int
    page_to: int
    query: str
    section: str = ""


@dataclass(frozen=True, slots=True)
class ShownPage:
    """One page as the viewer shows it.

    image: its address, or empty. first: the picture is wanted at once. id, mark_id: where the
    address `#p3` leads to, the page or its first mark; either may be empty.
    """

    number: int
    blocks: tuple[Shown, ...]
    image: str
    first: bool = False
    id: str = ""
    mark_id: str = ""

    @property
    def marked(self) -> bool:
        """Whether any of the quoted words are on the page."""
        return any(
            piece.marked
            for block in self.blocks
            for words in (*block.lines, *block.head, *(cell for row in block.rows for cell in row))
            for piece in words
        )


class ViewerPages:
    """`/documents/{id}/versions/{n}` with its page images and the original file."""

    def __init__(self, platform: Platform, pages: Pages, readings: Shelf[bool]) -> None:
        """readings: the recorded readings that go on, to which pictures belong."""
        self._platform = platform
        self._pages = pages
        self._readings = readings

    def routes(self) -> list[Route]:
        """Where these pages are; the API shows file and images at its own address too."""
        version = "/documents/{document_id}/versions/{number:int}"
        found = [Route(version, self.page, methods=["GET"])]
        for prefix in ("", "/api/v1"):
            found.append(Route(f"{prefix}{version}/file", self.file, methods=["GET"]))
            found.append(
                Route(f"{prefix}{version}/pages/{{page:int}}.png", self.image, methods=["GET"])
            )
        return found

    async def page(self, request: Request) -> Response:
        """The document, opened at the passage where one is named."""
        return await run_in_threadpool(self._page, request)

    async def image(self, request: Request) -> Response:
        """One page as a picture, with the quoted lines marked."""
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
        quoted = self._quoted(version, request.query_params)
        texts = self._platform.policies.page_texts(version.document_id, version.version)
        self._note(caller_of(request), version, "viewer")
        asked_page = _number(request.query_params.get("page"))
        first, last = window(
            len(texts),
            asked_page or (quoted.page_from if quoted else 1),
            asked_page or (quoted.page_to if quoted else 1),
            self._platform.settings.viewer_pages_around,
        )
        pages = [shown_page(version, n, texts[n - 1], quoted) for n in range(first, last + 1)]
        pages = placed(pages, quoted, asked_page)
        return self._pages.page(
            "viewer/page.html",
            request=request,
            here="/documents",
            version=version,
            overdue=version.review_due is not None and version.review_due < today(),
            quoted=quoted,
            address=_address(version),
            query=quoted.query if quoted else "",
            shown=pages,
            quote_id=next((page.mark_id for page in pages if page.mark_id), ""),
            away=asked_page is not None,
            **paging(first, last, len(texts)),
        )

    def _image(self, request: Request) -> Response:
        version = self._version(request)
        page = int(request.path_params["page"])
        if version.media_type != PDF or not 1 <= page <= version.page_count:
            raise NoPageImage
        caller = caller_of(request)
        # The pictures of a page that was opened are part of that reading; any other is one itself.
        if not self._readings.get(reading_id(caller, version)):
            self._note(caller, version, "picture")
        # A picture takes a while to draw, and what a version says never changes. The browser keeps
        # it, but asks each time: whoever sits there next may not be allowed to see it.
        tag = picture_tag(version.digest, page, request.url.query)
        headers = {"Cache-Control": "private, no-cache", "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        quoted = self._quoted(version, request.query_params)
        path = self._platform.policies.original_path(version.document_id, version.version)
        png = self._platform.draw_page(path, page, [quoted.text] if quoted else [])
        return Response(png, media_type="image/png", headers=headers)

    def _note(self, caller: Caller, version: DocumentSummary, shown: str) -> None:
        note_reading(caller, version, shown)
        # Not before it is in the trail: if that fails, nothing passes as recorded.
        self._readings.put(reading_id(caller, version), True)

    def _version(self, request: Request) -> DocumentSummary:
        path = request.path_params
        return version_for(
            caller_of(request), self._platform.policies, path["document_id"], path["number"]
        )

    def _quoted(self, version: DocumentSummary, query: QueryParams) -> Quoted | None:
        passage_id = query.get("passage")
        if not passage_id:
            return None
        try:
            passage = self._platform.policies.passage(passage_id)
        except NotFound:
            return None
        if passage.version_id != version.version_id:
            return None
        return quoted_words(passage, _number(query.get("from")), _number(query.get("to")))


def reading_id(caller: Caller, version: DocumentSummary) -> str:
    """Who reads what: one session or key, and one version."""
    way = caller.session.id if caller.session else caller.principal.key_id
    return f"{caller.owner} {way} {version.version_id}"


def picture_tag(digest: str, page: int, query: str) -> str:
    """The name of one picture: of this file, this page, with these words marked."""
    return f'"{sha256(f"{digest}/{page}?{query}".encode()).hexdigest()[:32]}"'


def quoted_words(passage: PassageRecord, start: int | None, end: int | None) -> Quoted:
    """The named stretch of a passage; the whole passage where the numbers make no sense."""
    given = {"passage": passage.passage_id}
    if start is not None and end is not None and 0 <= start < end <= len(passage.text):
        given |= {"from": str(start), "to": str(end)}
    else:
        start, end = 0, len(passage.text)
    return Quoted(
        passage.text[start:end],
        passage.page_from,
        passage.page_to,
        urlencode(given),
        passage.section,
    )


def window(pages: int, page_from: int, page_to: int, around: int) -> tuple[int, int]:
    """First and last page to show: all of a short document, else some around the passage."""
    if pages <= SHORT_PAGES:
        return 1, pages
    page_from, page_to = min(max(page_from, 1), pages), min(max(page_to, 1), pages)
    return max(1, page_from - around), min(pages, max(page_from, page_to) + around)


def paging(first: int, last: int, pages: int) -> dict[str, Any]:
    """What the links to earlier and later pages need."""
    step = last - first + 1
    return {
        "first": first,
        "last": last,
        "pages": pages,
        "earlier": max(1, first - (step + 1) // 2) if first > 1 else None,
        "later": min(pages, last + (step + 1) // 2) if last < pages else None,
    }


def shown_page(
    version: DocumentSummary, number: int, text: str, quoted: Quoted | None
) -> ShownPage:
    """One page with its marked text and, for a PDF, the address of its picture."""
    here = quoted if quoted and quoted.page_from <= number <= quoted.page_to else None
    outline = [version.title, *(quoted.section.split(" > ") if quoted else ())]
    image = ""
    if version.media_type == PDF:
        query = f"?{here.query}" if here else ""
        image = f"{_address(version)}/pages/{number}.png{query}"
    return ShownPage(number, shown_blocks(text, here.text if here else "", outline), image)


def placed(
    pages: Sequence[ShownPage], quoted: Quoted | None, asked_page: int | None
) -> list[ShownPage]:
    """The pages with the places their addresses lead to.

    A citation's address ends in the number of the quote's first page. It leads to the quoted words
    themselves, because the top of a long page may not show them; one that asks for a page by
    itself leads to the page.
    """
    quote_id = f"p{quoted.page_from}" if quoted and asked_page is None else ""
    marked = next((page.number for page in pages if page.marked), None) if quote_id else None
    opened = asked_page or marked or (quoted.page_from if quoted else pages[0].number)
    return [
        replace(
            page,
            first=page.number == opened,
            id="" if marked and f"p{page.number}" == quote_id else f"p{page.number}",
            mark_id=quote_id if page.number == marked else "",
        )
        for page in pages
    ]


def _address(version: DocumentSummary) -> str:
    return f"/documents/{version.document_id}/versions/{version.version}"


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else None
