"""Sentences of a document that speak to the assistant: reported before anybody relies on it.

The words themselves stand for all to read, so they are quoted, with their page; the rules are
those by which they are kept out of prompts (`rag/hostile.py`).
"""

import re
from itertools import islice

from governance.page_checks import PageCheck
from ingest.document import Finding, FindingKind, ParsedDocument
from rag import hostile

MAX_QUOTE_CHARS = 200
# A code is a word without an end, which no narrow page has room for.
_LONG_WORD = re.compile(r"(\S{20})\S{10,}(\S{4})")
MAX_REPORTED = 50  # of one document; whoever reads fifty has understood


def checks_in(document: ParsedDocument) -> list[PageCheck]:
    """Everything in a document that a person should look at, for the record."""
    found = (*document.findings, *instructions_in(document))
    return [PageCheck(one.page, one.kind, one.detail, one.count) for one in found]


def instructions_in(document: ParsedDocument) -> tuple[Finding, ...]:
    """What in a document reads like an order to the assistant, by page."""
    found = [
        _finding(page, text[one.start : one.end], one)
        for page, text in _texts(document)
        for one in hostile.find(text)
    ]
    found.sort(key=lambda one: one.page)
    return (*islice(found, MAX_REPORTED), *_more(found[MAX_REPORTED:]))


def _texts(document: ParsedDocument) -> list[tuple[int, str]]:
    title = [(1, document.title)] if document.title else []
    blocks = [(block.page, block.text) for block in document.blocks]
    # Most files repeat their title as a heading; once is enough.
    return [one for one in title if one not in blocks] + blocks


def _finding(page: int, sentence: str, one: hostile.Finding) -> Finding:
    quote = _LONG_WORD.sub(r"\1…\2", " ".join(sentence.split()))
    if len(quote) > MAX_QUOTE_CHARS:
        quote = f"{quote[:MAX_QUOTE_CHARS]}…"
    words = (
        f"“{quote}” reads like an order to the assistant: it {hostile.IN_WORDS[one.kind]}. "
        "It is kept from the assistant; whoever opens the policy can read it."
    )
    return Finding(FindingKind.INSTRUCTION, page, words, one.end - one.start)


def _more(left: list[Finding]) -> tuple[Finding, ...]:
    if not left:
        return ()
    words = f"There are {len(left)} more sentences like these, from page {left[0].page} on."
    return (Finding(FindingKind.INSTRUCTION, left[0].page, words, sum(one.count for one in left)),)
