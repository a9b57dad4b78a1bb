"""Where a person goes on after signing in: never to another site (ASVS 3.7.2)."""

from itertools import product

import pytest

from web.next_page import local_page

SEPARATORS = (
    "/",
    "//",
    "///",
    "/\\",
    "\\",
    "\\\\",
    "/%2f",
    "%2f%2f",
    "/%5c",
    "/%252f",
    "/\t/",
    "/\n/",
)
HOSTS = (
    "evil.example",
    "evil.example:80",
    "127.0.0.1@evil.example",
    "evil%2eexample",
    "evil.example/a",
)
SCHEMES = ("", "http:", "https:", "javascript:", "data:", "HTTP:", " https:")
HOSTILE = ["".join(parts) for parts in product(SCHEMES, SEPARATORS, HOSTS)]
OTHERS = [
    "",
    " /",
    "/\x00",
    "/a\r\nSet-Cookie: x=y",
    "/\u2044evil.example",
    "\uff0f\uff0fevil.example",
    "/a" * 400,
]


def test_asvs_3_7_2_no_form_of_an_address_leads_to_another_site() -> None:
    """Hundreds of them; what stays is a path whose first segment is no host."""
    assert len(HOSTILE) >= 200
    for text in HOSTILE + OTHERS:
        page = local_page(text)
        assert page == "/" or (page.startswith("/") and page[1:2].isalnum()), text


@pytest.mark.parametrize(
    "text", ["/", "/documents", "/search?q=a%20b&department=A", "/documents/1/versions/2?from=1"]
)
def test_a_page_of_ours_is_where_it_goes_on(text: str) -> None:
    """With its query."""
    assert local_page(text) == text


@pytest.mark.parametrize(
    "text", ["/sign-in", "/sign-out", "/unlock?next=/x", "/welcome/secret", "/api/v1/jobs", "/lock"]
)
def test_nobody_is_led_in_a_circle(text: str) -> None:
    """Nor to what is no page, nor back to a link that works once."""
    assert local_page(text) == "/"
