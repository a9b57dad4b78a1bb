"""Passages out of a document: short enough to search by meaning, never across a section.

A section is what stands between two headings. Its sentences, list items and table rows are the
units; they are packed in order into passages of about the same length, cut where a block ends
if one ends near by. A table's header row is repeated in each passage that holds rows of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from governance.searched_words import SEPARATOR, searched_words
from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, ParsedDocument, PassageText
from ingest.sentences import sentences

# English has about six characters a word; more than this many are several words.
_CHARS_PER_WORD = 12


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is never cut: a sentence, a list item, a table row (with its table's header).

    joint: what stands between the unit before it and this one.
    """

    text: str
    words: int
    page: int
    last_page: int
    joint: str
    header: str = ""


@dataclass(frozen=True, slots=True)
class _Section:
    path: tuple[str, ...]
    page: int
    blocks: tuple[Block, ...]


def split(
    document: ParsedDocument, settings: IngestSettings, *, title: str | None = None
) -> tuple[PassageText, ...]:
    """Cut a document into passages; the same document always gives the same ones.

    title: stands before each text that is embedded, instead of the document's own.
    """
    passages: list[PassageText] = []
    for section in _sections(document.blocks):
        units = [unit for block in section.blocks for unit in _units(block, settings)]
        for group in _pack(units, settings):
            passages.append(_passage(len(passages), section, group, title or document.title))
    return tuple(passages)


def _sections(blocks: Sequence[Block]) -> Iterator[_Section]:
    """Runs of blocks under one heading; a heading with nothing below it is its own text."""
    path: list[tuple[int, Block]] = []
    body: list[Block] = []
    for index, block in enumerate(blocks):
        if block.kind is not BlockKind.HEADING:
            body.append(block)
            continue
        if body:
            yield _section(path, body)
            body = []
        path = [(level, heading) for level, heading in path if level < block.level]
        if _stands_alone(block, blocks[index + 1 : index + 2]):
            yield _section(path, [block])
        path.append((block.level, block))
    if body:
        yield _section(path, body)


def _stands_alone(heading: Block, following: Sequence[Block]) -> bool:
    """Whether no text and no heading below belongs to it: then the heading is what is said."""
    return not following or (
        following[0].kind is BlockKind.HEADING and following[0].level <= heading.level
    )


def _section(path: Sequence[tuple[int, Block]], body: Sequence[Block]) -> _Section:
    return _Section(tuple(heading.text for _, heading in path), body[0].page, tuple(body))


def _units(block: Block, settings: IngestSettings) -> Iterator[_Unit]:
    if block.kind is BlockKind.TABLE:
        yield from _table_units(block, settings)
        return
    joint = "\n" if block.kind is BlockKind.LIST_ITEM else "\n\n"
    whole = block.kind is BlockKind.LIST_ITEM and _count(block.text) <= settings.passage_words
    for sentence in [block.text] if whole else sentences(block.text):
        for piece in _shortened(sentence, settings.passage_max_words):
            yield _Unit(piece, _count(piece), block.page, block.last_page, joint)
            joint = " "


def _table_units(block: Block, settings: IngestSettings) -> Iterator[_Unit]:
    lines = block.text.split("\n")
    header, rows = "\n".join(lines[:2]), lines[2:]
    if not rows:
        yield _unit(lines[0], block, "\n\n")
    for index, row in enumerate(rows):
        joint = "\n" if index else "\n\n"
        if _count(header) + _count(row) <= settings.passage_max_words:
            yield _unit(row, block, joint, header)
        else:
            yield from _long_row(lines[0], row, block, settings)


def _long_row(header: str, row: str, block: Block, settings: IngestSettings) -> Iterator[_Unit]:
    """A row too long for one passage, cell by cell, each under its column's name."""
    for name, cell in zip(cells(header), cells(row), strict=False):
        joint = "\n\n"
        label = f"{name}: " if name and _count(name) <= 20 else ""
        for sentence in sentences(label + cell) if cell else ():
            for piece in _shortened(sentence, settings.passage_max_words):
                yield _unit(piece, block, joint)
                joint = " "


def cells(row: str) -> list[str]:
    """The cells of one line of a Markdown pipe table."""
    inner = row.strip().removeprefix("|").removesuffix("|").replace("\\|", "\0")
    return [cell.strip().replace("\0", "|") for cell in inner.split("|")]


def _unit(text: str, block: Block, joint: str, header: str = "") -> _Unit:
    return _Unit(text, _count(text), block.page, block.last_page, joint, header)


def _shortened(sentence: str, max_words: int) -> Iterator[str]:
    """A sentence of bearable length as it is; a longer one halved, at a blank if there is one."""
    if _count(sentence) <= max_words or len(sentence) < 2:
        yield sentence
        return
    middle = len(sentence) // 2
    blank = sentence.find(" ", middle)
    # Far from the middle a blank no longer halves the sentence: Chinese text has hardly any.
    cut = blank if 0 < blank < len(sentence) * 3 // 4 else middle
    for half in (sentence[:cut].strip(), sentence[cut:].strip()):
        if half:
            yield from _shortened(half, max_words)


def _pack(units: Sequence[_Unit], settings: IngestSettings) -> Iterator[list[_Unit]]:
    """Groups of units of about equal length, near the wanted one and below the greatest."""
    total = sum(unit.words for unit in units)
    wanted = total / max(1, round(total / settings.passage_words))
    group: list[_Unit] = []
    length = 0
    for unit in units:
        if group and _is_full(length, unit, group[-1], wanted, settings):
            yield group
            group, length = [], 0
        if unit.header and (not group or group[-1].header != unit.header):
            length += _count(unit.header)
        group.append(unit)
        length += unit.words
    if group:
        yield group


def _is_full(
    length: int, unit: _Unit, last: _Unit, wanted: float, settings: IngestSettings
) -> bool:
    """Whether the passage ends before this unit: sooner where a block ends than inside one."""
    header = _count(unit.header) if unit.header != last.header else 0
    after = length + unit.words + header
    if after > settings.passage_max_words:
        return True
    # A lead-in belongs with the list or table that it announces.
    if last.text.endswith(":"):
        return False
    slack = 0.8 if unit.joint != " " else 1.0
    return length >= wanted * slack and after > wanted


def _passage(
    ordinal: int, section: _Section, group: Sequence[_Unit], title: str | None
) -> PassageText:
    text = _text(group)
    path = SEPARATOR.join(section.path)
    return PassageText(
        ordinal=ordinal,
        section=path,
        page_from=min(unit.page for unit in group),
        page_to=max(unit.last_page for unit in group),
        text=text,
        embed_text=searched_words(title, section.path, text),
    )


def _text(group: Sequence[_Unit]) -> str:
    text = ""
    header = ""
    for unit in group:
        joint = unit.joint if text else ""
        if unit.header and unit.header != header:
            text += ("\n\n" if text else "") + unit.header
            joint = "\n"
        text += joint + unit.text
        header = unit.header
    return text


def _count(text: str) -> int:
    """Words; text without blanks counts as if it had one every so many characters."""
    return max(len(text.split()), len(text) // _CHARS_PER_WORD)
