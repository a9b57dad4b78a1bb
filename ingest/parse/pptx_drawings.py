"""What charts and SmartArt on a slide say: a chart's figures as a table, a diagram as a list.

Both are kept as they were last drawn, in parts of their own: a chart with a copy of its figures
(DrawingML, `c:ser`), SmartArt as points and the connections between them (`dgm:pt`, `dgm:cxn`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lxml import etree  # type: ignore[import-untyped]  # the Office libraries parse with it

from ingest.clean import clean_line
from ingest.document import Block, BlockKind
from ingest.parse.markup import pipe_table

_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
# The points of a diagram that stand for what people wrote; the others are about how it is drawn.
_WRITTEN = (None, "node", "asst")
_MAX_POINTS = 5000
_DECIMALS = 6


def chart_blocks(space: Any, page: int) -> Iterator[Block]:
    """A chart's title, and a table with a row for each category and a column for each series."""
    title = space.find(f"{_CHART}chart/{_CHART}title")
    words = _words(title) if title is not None else ""
    if words:
        yield Block(BlockKind.PARAGRAPH, words, page)
    series = list(space.iter(f"{_CHART}ser"))
    names = [_first(one.find(f"{_CHART}tx")) or f"Series {n}" for n, one in enumerate(series, 1)]
    labels: dict[int, str] = {}
    columns = []
    for one in series:
        labels = {**_points(one, "cat", "xVal"), **labels}
        columns.append(_points(one, "val", "yVal"))
    places = sorted({place for column in columns for place in column})[:_MAX_POINTS]
    rows = [[labels.get(n, str(n + 1)), *(one.get(n, "") for one in columns)] for n in places]
    if rows:
        yield Block(BlockKind.TABLE, pipe_table([["", *names], *rows]), page)


def _points(series: Any, *names: str) -> Mapping[int, str]:
    """The values of a series by their places, of the first of the names that it has."""
    parts = (series.find(_CHART + name) for name in names)
    data = next((part for part in parts if part is not None), None)
    if data is None:
        return {}
    # Of categories in several levels the first holds the innermost.
    level = next(data.iter(f"{_CHART}lvl"), data)
    is_share = "%" in next((code.text or "" for code in data.iter(f"{_CHART}formatCode")), "")
    return {
        int(point.get("idx")): _number(_first(point), is_share)
        for point in level.iter(f"{_CHART}pt")
        if (point.get("idx") or "").isdecimal()
    }


def _first(element: Any) -> str:
    """The first value below an element, as text."""
    if element is None:
        return ""
    return clean_line(next((value.text or "" for value in element.iter(f"{_CHART}v")), ""))


def _number(text: str, is_share: bool) -> str:
    """A value as people write it: files hold 0.30000000000000004, and shares as parts of one."""
    try:
        value = round(float(text) * (100 if is_share else 1), _DECIMALS)
    except ValueError:
        return text
    plain = f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return f"{plain} %" if is_share else plain


def _words(element: Any) -> str:
    """The text of an element, its paragraphs put together."""
    paragraphs = (
        "".join(run.text or "" for run in paragraph.iter(f"{_DRAWING}t"))
        for paragraph in element.iter(f"{_DRAWING}p")
    )
    return clean_line(" ".join(filter(None, paragraphs)))


def diagram_part(shape: Any) -> bytes | None:
    """The data of the SmartArt that a shape holds; None if it holds none."""
    link = next(shape.element.iter(f"{_DIAGRAM}relIds"), None)
    name = link.get(f"{_RELATION}dm") if link is not None else None
    if not name:
        return None
    return bytes(shape.part.related_part(name).blob)


def diagram_blocks(data: bytes, page: int) -> Iterator[Block]:
    """The text of SmartArt as a list, what hangs below a point one level deeper."""
    model = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    written: dict[str, str] = {}
    for point in list(model.iter(f"{_DIAGRAM}pt"))[:_MAX_POINTS]:
        text = point.find(f"{_DIAGRAM}t")
        if point.get("type") in _WRITTEN and text is not None:
            written[point.get("modelId", "")] = _words(text)
    below = _below(model)
    # Each is written once, those last that hang nowhere.
    names = [*below.get(_root(model), ()), *_tops(written, below), *written]
    waiting = [(name, 0) for name in reversed(names)]
    while waiting:
        name, level = waiting.pop()
        if text := written.pop(name, ""):
            yield Block(BlockKind.LIST_ITEM, f"- {text}", page, level)
            level += 1
        waiting.extend((inner, level) for inner in reversed(below.pop(name, ())))


def _tops(written: Iterable[str], below: Mapping[str, Iterable[str]]) -> list[str]:
    """The points that hang below none."""
    hanging = {name for names in below.values() for name in names}
    return [name for name in written if name not in hanging]


def _root(model: Any) -> str:
    points = model.iter(f"{_DIAGRAM}pt")
    return next((str(one.get("modelId")) for one in points if one.get("type") == "doc"), "")


def _below(model: Any) -> dict[str, tuple[str, ...]]:
    """The points that hang below each, in their order."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for link in model.iter(f"{_DIAGRAM}cxn"):
        if link.get("type") in (None, "parOf"):
            order = link.get("srcOrd", "0")
            place = int(order) if order.isdecimal() else 0
            found[link.get("srcId", "")].append((place, link.get("destId", "")))
    return {name: tuple(point for _, point in sorted(points)) for name, points in found.items()}
