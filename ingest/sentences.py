"""Where a sentence ends, without a model: enough to cut a paragraph at a decent place."""

import re

_END = re.compile(r"[.!?]+[\"”’')\]]*(?=\s+[\"“‘'(\[]?[A-Z0-9•])")
# After these a full stop does not end a sentence.
_ABBREVIATIONS = frozenset(
    (
        "dr", "mr", "mrs", "ms", "prof", "st", "vs", "etc", "e.g", "i.e", "cf", "al", "fig",
        "figs", "no", "nos", "vol", "ed", "eds", "pp", "p", "sec", "ch", "approx", "inc",
        "ltd", "co", "corp", "dept", "u.s", "u.k", "ph.d", "m.d", "jr", "sr", "jan", "feb",
        "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "art", "par",
        "para", "ref", "resp", "max", "min", "tel", "ext", "a.m", "p.m",
    )
)  # fmt: skip
_LAST_WORD = re.compile(r"([\w.]+)\.$")


def sentences(text: str) -> list[str]:
    """The text cut after each sentence; joined with blanks it is the text again."""
    cuts = [match.end() for match in _END.finditer(text) if _is_end(text, match)]
    starts = [0, *cuts]
    pieces = (text[start:end].strip() for start, end in zip(starts, [*cuts, None], strict=True))
    return [piece for piece in pieces if piece]


def _is_end(text: str, match: re.Match[str]) -> bool:
    if text[match.start()] in "!?":
        return True
    last = _LAST_WORD.search(text[max(0, match.start() - 24) : match.start() + 1])
    if last is None:
        return True
    word = last.group(1)
    # A single capital is an initial; a number at the start of the text is a list's.
    if len(word) == 1 and word.isupper():
        return False
    return word.lower() not in _ABBREVIATIONS and not (word.isdigit() and _begins(text, match))


def _begins(text: str, match: re.Match[str]) -> bool:
    return not text[: match.start()].strip(" 0123456789")
