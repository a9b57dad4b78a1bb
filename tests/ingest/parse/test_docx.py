import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest
from docx import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from ingest.config import IngestSettings
from ingest.document import Block, BlockKind
from ingest.errors import DamagedFile, FileTooLarge, NoText, UnsupportedType
from ingest.parse.docx import parse

H, P, L, T = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE


def saved(*fill: Callable[..., object]) -> bytes:
    """A document that the given functions have written into."""
    document = Document()
    for write in fill:
        write(document)
    buffer = BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def add_xml(xml: str) -> Callable[..., object]:
    def write(document: object) -> None:
        body = document.element.body  # type: ignore[attr-defined]
        body.insert(len(body) - 1, parse_xml(xml))

    return write


def paragraph(inner: str) -> str:
    return f"<w:p {nsdecls('w')}>{inner}</w:p>"


def policy(document: object) -> None:
    document.add_heading("Medication storage", 0)  # type: ignore[attr-defined]
    document.add_heading("Fridge", 1)  # type: ignore[attr-defined]
    document.add_paragraph("Keep it cold.")  # type: ignore[attr-defined]
    document.add_paragraph("Check", style="List Number")  # type: ignore[attr-defined]
    document.add_paragraph("Record", style="List Number")  # type: ignore[attr-defined]
    document.add_paragraph("Door shut", style="List Bullet")  # type: ignore[attr-defined]
    table = document.add_table(2, 2)  # type: ignore[attr-defined]
    for cell, text in zip(table._cells, ("Drug", "Degrees", "Insulin", "2 to 8"), strict=True):
        cell.text = text
    document.add_heading("Alarm", 2)  # type: ignore[attr-defined]
    document.add_paragraph("Call.")  # type: ignore[attr-defined]


def test_structure_comes_out_in_body_order(settings: IngestSettings) -> None:
    """Headings by style, lists with counted numbers, tables between the paragraphs around them."""
    document = parse(saved(policy), settings)
    assert document.blocks == (
        Block(H, "Medication storage", 1, 1),
        Block(H, "Fridge", 1, 1),
        Block(P, "Keep it cold.", 1),
        Block(L, "1. Check", 1),
        Block(L, "2. Record", 1),
        Block(L, "- Door shut", 1),
        Block(T, "| Drug | Degrees |\n| --- | --- |\n| Insulin | 2 to 8 |", 1),
        Block(H, "Alarm", 1, 2),
        Block(P, "Call.", 1),
    )
    assert document.page_count == 1


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ("<w:ins><w:r><w:t>added</w:t></w:r></w:ins>", "added"),
        (
            "<w:r><w:t>kept</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>",
            "kept",
        ),
        ("<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r>", "a b c"),
        ("<w:r><w:instrText>PAGE</w:instrText><w:t>seen</w:t></w:r>", "seen"),
        ("<w:hyperlink><w:r><w:t>link</w:t></w:r></w:hyperlink>", "link"),
        ("<w:sdt><w:sdtContent><w:r><w:t>field</w:t></w:r></w:sdtContent></w:sdt>", "field"),
    ],
)
def test_text_is_what_would_be_printed(settings: IngestSettings, inner: str, text: str) -> None:
    """Insertions, links and form fields are text; deletions and field codes are not."""
    assert parse(saved(add_xml(paragraph(inner))), settings).blocks == (Block(P, text, 1),)


def test_content_controls_and_outline_levels_are_followed(settings: IngestSettings) -> None:
    """A paragraph inside a control is read, and an outline level of its own makes a heading."""
    heading = '<w:pPr><w:outlineLvl w:val="1"/></w:pPr><w:r><w:t>Scope</w:t></w:r>'
    inner = paragraph(heading) + paragraph("<w:r><w:t>All.</w:t></w:r>")
    control = f"<w:sdt {nsdecls('w')}><w:sdtContent>{inner}</w:sdtContent></w:sdt>"
    blocks = parse(saved(add_xml(control)), settings).blocks
    assert blocks == (Block(H, "Scope", 1, 2), Block(P, "All.", 1))


def test_the_title_property_is_used_unless_it_is_a_default(settings: IngestSettings) -> None:
    """What Word puts there by itself is not the title."""

    def titled(title: str) -> Callable[..., object]:
        return lambda document: setattr(document.core_properties, "title", title)

    assert parse(saved(policy, titled("Storage of medicines")), settings).title == (
        "Storage of medicines"
    )
    assert parse(saved(policy, titled("Word Document")), settings).title is None


def test_an_empty_document_is_refused(settings: IngestSettings) -> None:
    """Nothing but an empty page."""
    with pytest.raises(NoText):
        parse(saved(), settings)


@pytest.mark.parametrize("cut", [100, 2000, -400])
def test_a_cut_file_is_refused_as_damaged(settings: IngestSettings, cut: int) -> None:
    """Half a file is no file."""
    with pytest.raises(DamagedFile) as caught:
        parse(saved(policy)[:cut], settings)
    assert "Word" in caught.value.hint


def test_a_part_that_is_no_xml_is_refused_as_damaged(settings: IngestSettings) -> None:
    """The archive opens, the document in it does not."""
    with pytest.raises(DamagedFile):
        parse(_with_part(saved(policy), "word/document.xml", b"<w:document"), settings)


def test_another_office_file_is_refused_by_its_kind(settings: IngestSettings) -> None:
    """A spreadsheet that is named .docx is named for what it is."""
    types = _part(saved(policy), "[Content_Types].xml").replace(
        b"wordprocessingml.document.main", b"spreadsheetml.sheet.main"
    )
    with pytest.raises(UnsupportedType, match="not a Word document"):
        parse(_with_part(saved(policy), "[Content_Types].xml", types), settings)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(settings: IngestSettings) -> None:
    """The archive's own list says how large it would be."""
    bomb = _with_part(saved(policy), "word/media/a.bin", b"\0" * 5_000_000)
    with pytest.raises(FileTooLarge, match="Unpacked"):
        parse(bomb, replace(settings, max_unpacked_bytes=4_000_000))


def test_a_heap_of_parts_is_refused(settings: IngestSettings) -> None:
    """Ten thousand empty parts cost more than their bytes."""
    buffer = BytesIO(saved(policy))
    with zipfile.ZipFile(buffer, "a") as package:
        for number in range(10_001):
            package.writestr(f"word/{number}", b"")
    with pytest.raises(FileTooLarge):
        parse(buffer.getvalue(), settings)


def test_entities_do_not_grow(settings: IngestSettings) -> None:
    """A billion laughs end in a refusal or in text without the laughs."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    xml = _part(saved(policy), "word/document.xml").decode()
    body = xml.split("?>", 1)[1].replace("Keep it cold.", "&e9;")
    bomb = f"<!DOCTYPE w:document [{entities}]>{body}".encode()
    content = _with_part(saved(policy), "word/document.xml", bomb)
    try:
        text = parse(content, settings).page_texts[0]
    except DamagedFile:
        return
    assert "haha" not in text


def _part(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(BytesIO(content)) as package:
        return package.read(name)


def _with_part(content: bytes, name: str, data: bytes) -> bytes:
    """The same package with one part replaced or added."""
    buffer = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(content)) as package,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as changed,
    ):
        for part in package.namelist():
            if part != name:
                changed.writestr(part, package.read(part))
        changed.writestr(name, data)
    return buffer.getvalue()


def test_hidden_text_is_reported_and_not_read(settings: IngestSettings) -> None:
    """What Word does not print is not indexed either, and a person hears how much there was."""
    inner = "<w:r><w:t>seen</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r>"
    document = parse(saved(add_xml(paragraph(inner))), settings)
    assert document.blocks == (Block(P, "seen", 1),)
    assert [found.count for found in document.findings] == [6]
