from io import BytesIO
from typing import Any

from lxml import etree  # type: ignore[import-untyped]
from pptx import Presentation
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.util import Inches

from ingest.config import IngestSettings
from ingest.document import Block, BlockKind
from ingest.parse.pptx import parse
from ingest.parse.pptx_drawings import diagram_blocks

P, L, T = BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE
PLACE = (Inches(1), Inches(1), Inches(5), Inches(3))
NAMES = """xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"
  xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"
  xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"
  xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships\""""


def point(name: str, text: str = "", kind: str = "node") -> str:
    words = f"<dgm:t><a:bodyPr/><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t>" if text else ""
    return f'<dgm:pt modelId="{name}" type="{kind}">{words}</dgm:pt>'


def link(above: str, below: str, order: int) -> str:
    return f'<dgm:cxn modelId="{above}{below}" srcId="{above}" destId="{below}" srcOrd="{order}"/>'


def diagram(points: str, links: str) -> bytes:
    inner = f"<dgm:ptLst>{points}</dgm:ptLst><dgm:cxnLst>{links}</dgm:cxnLst>"
    return f"<dgm:dataModel {NAMES}>{inner}</dgm:dataModel>".encode()


STEPS = diagram(
    point("0", kind="doc")
    + point("2", "Clean the wound")
    + point("1", "Wash your hands")
    + point("3", "With soap")
    + point("9", "how it is drawn", kind="pres"),
    link("0", "1", 0) + link("0", "2", 1) + link("1", "3", 0),
)


def blocks(show: Any, settings: IngestSettings) -> tuple[Block, ...]:
    """The blocks of the only slide, without its heading."""
    buffer = BytesIO()
    show.save(buffer)
    return parse(buffer.getvalue(), settings).blocks[1:]


def empty_slide(show: Any) -> Any:
    return show.slides.add_slide(show.slide_layouts[6])


def test_a_chart_is_its_title_and_a_table_of_its_figures(settings: IngestSettings) -> None:
    """Shares are written as such, and what nobody measured stays empty."""
    show = Presentation()
    data: Any = CategoryChartData(number_format="0%")  # type: ignore[no-untyped-call]
    data.categories = ["Ward 3", "Ward 4"]
    data.add_series("2025", (0.1 + 0.2, None))
    data.add_series("2026", (0.25, 0.5))
    kind = XL_CHART_TYPE.COLUMN_CLUSTERED
    chart = empty_slide(show).shapes.add_chart(kind, *PLACE, data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Hand hygiene"
    table = (
        "|  | 2025 | 2026 |\n| --- | --- | --- |\n| Ward 3 | 30 % | 25 % |\n| Ward 4 |  | 50 % |"
    )
    assert blocks(show, settings) == (Block(P, "Hand hygiene", 1), Block(T, table, 1))


def test_a_chart_of_points_is_read(settings: IngestSettings) -> None:
    """Where there are no categories, the first axis names the rows."""
    show = Presentation()
    data: Any = XyChartData()  # type: ignore[no-untyped-call]
    series = data.add_series("Fever")
    series.add_data_point(1, 38.5)
    series.add_data_point(2, 39)
    empty_slide(show).shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, *PLACE, data)
    (table,) = blocks(show, settings)
    assert table.text.endswith("| 1 | 38.5 |\n| 2 | 39 |")


def test_smartart_is_a_list(settings: IngestSettings) -> None:
    """Its points come in their order, those below others one level deeper."""
    show = Presentation()
    slide = empty_slide(show)
    name = PackURI("/ppt/diagrams/data1.xml")
    kind = "application/vnd.openxmlformats-officedocument.drawingml.diagramData+xml"
    part = Part(name, kind, show.part.package, STEPS)
    relation = slide.part.relate_to(part, RELATIONSHIP_TYPE.DIAGRAM_DATA)
    frame = f"""<p:graphicFrame {NAMES}><p:nvGraphicFramePr><p:cNvPr id="9" name="Steps"/>
      <p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr>
      <p:xfrm><a:off x="0" y="0"/><a:ext cx="9" cy="9"/></p:xfrm><a:graphic>
      <a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/diagram">
      <dgm:relIds r:dm="{relation}"/></a:graphicData></a:graphic></p:graphicFrame>"""
    slide.shapes._spTree.append(etree.fromstring(frame))
    assert blocks(show, settings) == (
        Block(L, "- Wash your hands", 1),
        Block(L, "- With soap", 1, 1),
        Block(L, "- Clean the wound", 1),
    )


def test_points_that_hang_in_a_circle_are_read_once() -> None:
    """A file that says so does not keep us for ever."""
    circle = diagram(point("1", "one") + point("2", "two"), link("1", "2", 0) + link("2", "1", 0))
    assert list(diagram_blocks(circle, 1)) == [Block(L, "- one", 1), Block(L, "- two", 1, 1)]
    loose = diagram(point("1", "one") + point("2", "two"), "")
    assert [block.text for block in diagram_blocks(loose, 1)] == ["- one", "- two"]


def test_groups_within_groups_are_read(settings: IngestSettings) -> None:
    """However deep a shape stands, its text is read."""
    show = Presentation()
    inner = empty_slide(show).shapes.add_group_shape().shapes.add_group_shape()
    inner.shapes.add_textbox(*PLACE).text_frame.text = "Call the doctor"
    assert blocks(show, settings) == (Block(P, "Call the doctor", 1),)
