from dataclasses import replace
from pathlib import Path

import pytest

from ingest.config import IngestSettings
from ingest.errors import (
    DamagedFile,
    EmptyFile,
    EncryptedFile,
    FileTooLarge,
    RefusedFile,
    UnsupportedType,
)
from ingest.libreoffice import LIBRARY
from ingest.source import (
    DOC,
    DOCX,
    EML,
    HTML,
    MARKDOWN,
    ODT,
    PDF,
    PPTX,
    RTF,
    TEXT,
    XLSX,
    inspect,
    title_of,
)

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("file_name", "content", "media_type"),
    [
        ("a.pdf", b"%PDF-1.7 ...", PDF),
        ("a.txt", b"\n%PDF-1.4 ...", PDF),
        ("a.docx", b"PK\x03\x04....[Content_Types].xml....word/document.xml", DOCX),
        ("a.docx", b"PK\x03\x04....xl/workbook.xml....", XLSX),
        ("a.zip", b"PK\x03\x04....ppt/presentation.xml....", PPTX),
        ("a.eml", b"Subject: Wash\n\nWash", EML),
        ("a.html", b"<p>Wash your hands.</p>", HTML),
        ("page.pdf", b"<!DOCTYPE html><html><body>Wash</body></html>", HTML),
        ("page.txt", "<html><body>Wash</body></html>".encode("utf-16"), HTML),
        ("a.md", b"# Wash", MARKDOWN),
        ("a.txt", b"Wash", TEXT),
        ("Policy 3.1 Hand hygiene", b"Wash", TEXT),
    ],
)
def test_the_type_is_read_from_the_bytes_first(
    file_name: str, content: bytes, media_type: str
) -> None:
    """A file's content decides what it is; its name only tells texts apart."""
    assert inspect(file_name, content).media_type == media_type


@pytest.mark.parametrize(
    ("file_name", "content", "error"),
    [
        ("a.pdf", b"", EmptyFile),
        ("a.txt", b" \r\n\t ", EmptyFile),
        ("a.pdf", b"just words", DamagedFile),
        ("a.docx", b"just words", DamagedFile),
        ("a.pdf", bytes(range(256)), DamagedFile),
        ("a.txt", bytes(range(256)), UnsupportedType),
        ("a.csv", b"a,b\n1,2", UnsupportedType),
        ("a.png", b"\x89PNG\r\n", UnsupportedType),
        ("a.doc", OLE + b"WordDocument", UnsupportedType),
        ("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"), EncryptedFile),
        ("a.xlsb", b"PK\x03\x04 xl/workbook.bin", UnsupportedType),
        ("a.xlsx", b"just words", DamagedFile),
        ("a.msg", OLE + b"__substg1.0_", UnsupportedType),
        ("a.zip", b"PK\x03\x04 notes.txt", UnsupportedType),
        ("a.rtf", b"just words", DamagedFile),
        ("a.xls", OLE + "Workbook".encode("utf-16-le"), UnsupportedType),
    ],
)
def test_what_is_not_read_is_refused_by_name(
    file_name: str, content: bytes, error: type[RefusedFile]
) -> None:
    """Each refusal names the file and says what to do next."""
    with pytest.raises(error) as caught:
        inspect(file_name, content)
    assert file_name in caught.value.message
    assert caught.value.hint


OLD = {
    "a.doc": OLE + "WordDocument".encode("utf-16-le"),
    "a.rtf": b"{\\rtf1 Wash}",
    "a.odt": b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.text",
}


@pytest.mark.parametrize("file_name", OLD)
def test_what_libreoffice_has_to_turn_is_refused_without_one(
    file_name: str, tmp_path: Path
) -> None:
    """The refusal says what the file is, and what to save it as."""
    settings = replace(IngestSettings(), libreoffice_dir=str(tmp_path))
    with pytest.raises(UnsupportedType, match=r"\.doc|RTF|\.odt") as caught:
        inspect(file_name, OLD[file_name], settings)
    assert file_name in caught.value.message
    assert "docx or PDF" in caught.value.hint


@pytest.mark.parametrize(("file_name", "kind"), list(zip(OLD, (DOC, RTF, ODT), strict=True)))
def test_what_libreoffice_turns_has_a_type_where_it_is(
    file_name: str, kind: str, tmp_path: Path
) -> None:
    """With an installation, old Word files, rich text and OpenDocument are taken."""
    (tmp_path / LIBRARY).touch()
    settings = replace(IngestSettings(), libreoffice_dir=str(tmp_path))
    assert inspect(file_name, OLD[file_name], settings).media_type == kind


def test_a_file_over_the_limit_is_refused() -> None:
    """The limit on bytes is that of the settings, and both sizes are named."""
    settings = replace(IngestSettings(), max_file_bytes=10)
    with pytest.raises(FileTooLarge, match=r"11 bytes.*limit is 10 bytes"):
        inspect("a.txt", b"x" * 11, settings)


def test_the_digest_is_of_the_bytes() -> None:
    """The same bytes under two names have one digest."""
    assert inspect("a.txt", b"Wash").digest == inspect("b.txt", b"Wash").digest


def test_a_title_comes_out_of_a_file_name() -> None:
    """Marks between words become blanks, and a dot inside the name stays."""
    assert title_of("hand-hygiene_policy.pdf") == "Hand hygiene policy"
    assert title_of("Policy 3.1 Hand hygiene") == "Policy 3.1 Hand hygiene"
