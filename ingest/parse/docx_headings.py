"""Headings of Word documents that people made by hand: a short bold line above what it heads.

Many policies have no heading styles, or only some. A line counts if all of it is bold, if it could
be a heading by its words, and if text, a list or a table follows it at once: what stands above
another heading, or above another such line, is a signature, a notice or a cover. And a sentence
that was given a heading's style to look like one stays text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ingest.document import Block, BlockKind
from ingest.parse.lines import could_be_heading, number_depth

_MAX_WORDS = 12
# A heading of more words than this that ends as a sentence does is one.
_SENTENCE_WORDS = 16
_DEEPEST = 9
# The level of a heading that is not known to be one yet.
UNSURE = 0


def may_head(text: str) -> bool:
    """Whether a bold line has the words of a heading; "Owner: Matron" has those of a form."""
    return could_be_heading(text, _MAX_WORDS) and ":" not in text.rstrip(": ")


def is_sentence(text: str) -> bool:
    """Whether a text in a heading's style is a sentence for all that."""
    return text.endswith(".") and len(text.split()) > _SENTENCE_WORDS


def is_known(block: Block) -> bool:
    """Whether a block is what it says: a heading by its style, or no heading."""
    return block.kind is not BlockKind.HEADING or block.level != UNSURE


def settled(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks with those that may be headings made headings or text, by what follows each.

    They stand one level below the last heading that has a style, and lower by their numbers.
    """
    level = 0
    before: Block | None = None
    for block in blocks:
        if before is not None:
            yield _known(before, level, heads=block.kind is not BlockKind.HEADING)
        if before is not None and before.kind is BlockKind.HEADING and before.level > UNSURE:
            level = before.level
        before = block
    if before is not None:
        yield _known(before, level, heads=False)


def _known(block: Block, level: int, *, heads: bool) -> Block:
    if is_known(block):
        return block
    if not heads:
        return replace(block, kind=BlockKind.PARAGRAPH)
    return replace(block, level=min(level + max(number_depth(block.text), 1), _DEEPEST))
