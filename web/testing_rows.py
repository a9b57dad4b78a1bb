"""For tests: the rows of the table of access, and how each of them is asked."""

import re

import httpx

from web.access import TABLE, Open
from web.testing import Site

OIDC = tuple(row for row in TABLE if row[1].startswith("/sign-in/oidc"))
ROWS = tuple(row for row in TABLE if row not in OIDC)
CLOSED = tuple(row for row in ROWS if TABLE[row] is not Open.PUBLIC)
JSON = ("/api/", "/v1/", "/mcp")
# What is read before it is looked up whose thing this is: without it the answer is about the body.
BODIES = {
    ("PUT", "/api/v1/documents/{document_id}/versions/{number:int}/fields"): {},
    ("POST", "/api/v1/documents/{document_id}/versions/{number:int}/acts"): {"act": "submit"},
    ("POST", "/api/v1/documents/{document_id}/versions/{number:int}/attach"): {"document": "x"},
}


def named(row: tuple[str, str]) -> str:
    """The name of a row's test."""
    return f"{row[0]} {row[1]}"


def address(path: str, site: Site, document: str | None = None) -> str:
    """An address of this template; document: in place of one that is nowhere."""
    if path == "/static":
        found = re.search(r'href="([^"]+lamplight.css)"', httpx.get(f"{site.url}/help").text)
        assert found is not None
        return found[1]

    def one(name: re.Match[str]) -> str:
        if name[1] == "document_id" and document:
            return document
        return "1" if name[1].endswith(":int") else "none"

    return re.sub(r"\{([^}]+)\}", one, path)


def ask(
    client: httpx.Client, row: tuple[str, str], site: Site, document: str | None = None
) -> httpx.Response:
    """A request for this row."""
    return client.request(row[0], address(row[1], site, document), json=BODIES.get(row))


def is_json(path: str) -> bool:
    """Whether programs are answered there."""
    return path.startswith(JSON)
