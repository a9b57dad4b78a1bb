"""The help page, at the same place in the footer of every page."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.pages import Pages


class HelpPages:
    """`/help`."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where this page is."""
        return [Route("/help", self.page, methods=["GET"])]

    async def page(self, request: Request) -> Response:
        """What this is, how to ask, what not to enter."""
        return self._pages.page("help/page.html", request=request)
