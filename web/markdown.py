"""Turns an answer's Markdown into HTML that cannot do anything but be read.

The model's text is not trusted: no HTML, no links, no pictures of its own. The only links are our
markers `[1]`, and they lead to the source cards of this page.
"""

import re
from collections.abc import Mapping

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from web.cards import Card

MARKER = re.compile(r"\[(\d{1,3})\]")
TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "code", "pre", "blockquote", "a"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"a": {"href", "class", "aria-label", "data-source"}, "ol": {"start"}}

_PARSER = (
    MarkdownIt("commonmark", {"html": False, "linkify": False})
    .enable("table")
    .disable(["link", "image", "autolink", "html_inline", "html_block", "reference", "hr"])
)


def answer_html(text: str, cards: Mapping[int, Card]) -> Markup:
    """The answer as HTML; a marker that names no card stays plain text."""
    tokens = _PARSER.parse(text)
    for token in tokens:
        _calm_heading(token)
        if token.children:
            token.children = [new for old in token.children for new in _linked(old, cards)]
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    clean = nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=set(), link_rel=None)
    return Markup(clean)  # noqa: S704 (cleaned on the line above)


def _calm_heading(token: Token) -> None:
    # A heading of the model's would break the page's own outline.
    if token.type in ("heading_open", "heading_close"):
        token.tag = "p"


def _linked(token: Token, cards: Mapping[int, Card]) -> list[Token]:
    if token.type != "text" or not MARKER.search(token.content):
        return [token]
    pieces: list[Token] = []
    end = 0
    for match in MARKER.finditer(token.content):
        card = cards.get(int(match[1]))
        if card is None:
            continue
        pieces.append(_text(token.content[end : match.start()]))
        pieces.append(Token("html_inline", "", 0, content=str(marker_link(card))))
        end = match.end()
    return [*pieces, _text(token.content[end:])]


def marker_link(card: Card) -> Markup:
    """The link that a marker becomes."""
    return Markup(
        '<a class="lamp-marker" href="#source-{0}" data-source="{0}" aria-label="{1}">[{0}]</a>'
    ).format(card.number, escape(card.label))


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
