"""Addresses in an answer: none may lead anywhere, none may be said that its quote does not say.

Pure. The page makes no links of a model's text (`web/markdown.py`); whoever shows an answer of the
API as Markdown may, so what makes links, pictures and elements is undone in the text itself.
"""

import re

from rag.words import fold

# Ends of names of machines; any word would take "days.The" for one, where a blank was lost.
_ENDS = (
    "com|org|net|edu|gov|mil|int|info|biz|io|ai|app|dev|online|site|xyz|top|shop|cloud|link|click|"
    "example|local|uk|us|ca|de|fr|eu|au|nz|ie|ch|at|nl|es|ru|cn|in|co"
)
_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s<>\"'`|\])]+"
    r"|\b(?:javascript|data|mailto|tel|file|vbscript):[^\s<>\"'`|\])]+"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]+"
    rf"|\b(?:[a-z0-9-]{{2,63}}\.){{1,8}}(?:{_ENDS})\b(?:/[^\s<>\"'`|\])]*)?",
    re.I,
)
# Labels and targets end somewhere, or a text of brackets alone would take minutes.
_LABEL = r"\[([^\[\]\n]{0,400})\]"
_TARGET = r"\([^()\n]{0,1000}(?:\([^()\n]{0,400}\)[^()\n]{0,400})?\)"
_DEFINITION = re.compile(rf"^[ \t]*{_LABEL}:[^\n]*$", re.M)
_LINK = re.compile(rf"!?{_LABEL}{_TARGET}")
_REFERENCE = re.compile(rf"!?{_LABEL}{_LABEL}")
_PICTURE = re.compile(r"!+(?=\[)")
_AUTOLINK = re.compile(
    r"<([a-z][a-z0-9+.-]{1,20}:[^<>\s]*|[^<>\s@]+@[^<>\s]+|www\.[^<>\s]+)>", re.I
)
_ELEMENT = re.compile(r"<[/!?]?[a-z][^<>]*>|<!--.{0,2000}?-->", re.I | re.S)

_CALLED = re.compile(r"\]\(")  # of a link that was too odd to be undone
_OPENED = re.compile(r"<(?=[/!?]?[a-z])", re.I)  # of an element that never ends


def unlinked(text: str) -> str:
    """Return Markdown without links, pictures and HTML; their words and our markers stay."""
    text = _LINK.sub(_words, _DEFINITION.sub("", text))
    text = _REFERENCE.sub(lambda found: found[0] if found[1].isdigit() else found[1], text)
    text = _OPENED.sub("< ", _ELEMENT.sub("", _AUTOLINK.sub(r"\1", text)))
    return _CALLED.sub("] (", _PICTURE.sub("", text))


def _words(link: re.Match[str]) -> str:
    return f"[{link[1]}]" if link[1].isdigit() else link[1]


def addresses(text: str) -> frozenset[str]:
    """Return the addresses of the web, of mail and of files in a text, folded."""
    return frozenset(found.group().rstrip(".,;:!?") for found in _ADDRESS.finditer(fold(text)))


def unsaid(sentence: str, quote: str) -> frozenset[str]:
    """Return the addresses in a sentence that its quote does not hold: the model's own."""
    said = fold(quote)
    return frozenset(address for address in addresses(sentence) if address not in said)
