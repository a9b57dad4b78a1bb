"""Titles: as a file states it, unless a program put that there; else as its first heading."""

import re
from collections.abc import Sequence

from ingest.clean import clean_line
from ingest.document import Block, BlockKind

_JUNK = re.compile(
    r"microsoft (?:word|powerpoint|excel)|powerpoint|untitled|unbenannt|no title|slide \d"
    r"|(?:word )?document ?\d*$|\(?(?:unspecified|anonymous)\)?$|print$|scan|layout \d|template"
    r"|(?:table of )?contents$|title$|header$|page \d|[\d\W_]+$",
    re.IGNORECASE,
)
_FILE_NAME = re.compile(
    r"\.(?:docx?|dotx?|pdf|rtf|odt|html?|indd|qxd|xlsx?|pptx?|pub|pmd|fm|graffle|tiff?)$|^\S+\.\w+$",
    re.IGNORECASE,
)
_MAX_CHARS = 250


def stated_title(stated: str) -> str | None:
    """The title in a file's properties, unless it is a file name or a program's default."""
    title = clean_line(stated)
    if " " not in title:
        title = title.replace("_", " ")
    if len(title) < 4 or len(title) > _MAX_CHARS or _JUNK.match(title) or _FILE_NAME.search(title):
        return None
    return title


def heading_title(blocks: Sequence[Block]) -> str | None:
    """The first heading, if it stands above all others and so names the whole."""
    headings = [block for block in blocks if block.kind is BlockKind.HEADING]
    if not headings or any(other.level <= headings[0].level for other in headings[1:]):
        return None
    return stated_title(headings[0].text)
