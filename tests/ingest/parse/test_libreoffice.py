"""Files that LibreOffice turns into DOCX, read with a real one; skipped where there is none."""

import tempfile
import zipfile
from dataclasses import replace
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import pytest

from ingest import errors
from ingest.config import IngestSettings
from ingest.document import BlockKind, ParsedDocument
from ingest.libreoffice import folder_of
from ingest.parse import eml
from ingest.parser import parse_file
from ingest.source import DOC, ODT, RTF, inspect

needs_libreoffice = pytest.mark.skipif(
    folder_of(IngestSettings()) is None, reason="LibreOffice is not installed"
)
RICH_TEXT = rb"""{\rtf1\ansi{\stylesheet{\s1\outlinelevel0 heading 1;}}
{\pard\s1\outlinelevel0\b Hand hygiene\par}{\pard Wash your hands for 20 seconds.\par}
\trowd\cellx3000\cellx6000\pard\intbl Role\cell Hours\cell\row
\trowd\cellx3000\cellx6000\pard\intbl Nurse\cell 12\cell\row}"""
OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le")
OPEN_TEXT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content office:version="1.2"
  xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
  xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:text>
<text:h text:outline-level="1">Hand hygiene</text:h>
<text:p>Wash your hands for 20 seconds.</text:p>
</office:text></office:body></office:document-content>"""
MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" m:version="1.2">
<m:file-entry m:full-path="/" m:media-type="application/vnd.oasis.opendocument.text"/>
<m:file-entry m:full-path="content.xml" m:media-type="text/xml"/></m:manifest>"""


def open_document() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("mimetype", ODT)
        package.writestr("content.xml", OPEN_TEXT)
        package.writestr("META-INF/manifest.xml", MANIFEST)
    return buffer.getvalue()


def read(path: Path, settings: IngestSettings) -> ParsedDocument:
    media_type = inspect(path.name, path.read_bytes(), settings).media_type
    return parse_file(path, media_type, path.name, settings)


@needs_libreoffice
def test_rich_text_is_read_with_headings_and_tables(
    tmp_path: Path, settings: IngestSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads as the same document in DOCX does, and what was written meanwhile is gone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    path = tmp_path / "hand-hygiene.rtf"
    path.write_bytes(RICH_TEXT)
    document = read(path, settings)
    assert [(block.kind, block.text) for block in document.blocks] == [
        (BlockKind.HEADING, "Hand hygiene"),
        (BlockKind.PARAGRAPH, "Wash your hands for 20 seconds."),
        (BlockKind.TABLE, "| Role | Hours |\n| --- | --- |\n| Nurse | 12 |"),
    ]
    assert list((tmp_path / "scratch").iterdir()) == []


@needs_libreoffice
def test_an_open_document_is_read(tmp_path: Path, settings: IngestSettings) -> None:
    """Headings stay headings."""
    path = tmp_path / "hand-hygiene.odt"
    path.write_bytes(open_document())
    document = read(path, settings)
    assert document.blocks[0].kind is BlockKind.HEADING
    assert document.page_texts == ("Hand hygiene\n\nWash your hands for 20 seconds.",)


@needs_libreoffice
@pytest.mark.corpus
def test_an_old_word_file_is_read(corpus: Path, settings: IngestSettings) -> None:
    """A form of 2014 as it was published, with its table."""
    document = read(corpus / "torture" / "policies__sir-form.doc", settings)
    assert document.blocks[0].text == "INFORMATION SECURITY INCIDENT REPORT FORM"
    assert "| Title: |  | Location: |  |" in document.blocks[1].text


@needs_libreoffice
@pytest.mark.corpus
def test_an_old_word_file_with_a_password_is_refused(
    corpus: Path, tmp_path: Path, settings: IngestSettings
) -> None:
    """The mark of a password in its head is enough."""
    content = bytearray((corpus / "torture" / "policies__sir-form.doc").read_bytes())
    content[content.index(b"\xec\xa5") + 11] |= 1
    path = tmp_path / "locked.doc"
    path.write_bytes(content)
    with pytest.raises(errors.EncryptedFile, match="password"):
        read(path, settings)


@needs_libreoffice
@pytest.mark.parametrize(
    ("name", "content"), [("a.doc", OLD_WORD + bytes(2000)), ("a.odt", open_document()[:300])]
)
def test_what_libreoffice_cannot_open_is_refused(
    tmp_path: Path, settings: IngestSettings, name: str, content: bytes
) -> None:
    """A damaged file ends in words."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(errors.DamagedFile) as caught:
        read(path, settings)
    assert caught.value.hint


def test_in_a_mail_it_is_named_as_unread(settings: IngestSettings) -> None:
    """Attachments are read by the child that reads the mail, and that has no LibreOffice."""
    mail = EmailMessage()
    mail["Subject"] = "Hand hygiene"
    mail.set_content("The policy is attached.")
    mail.add_attachment(RICH_TEXT, maintype="application", subtype="rtf", filename="hand.rtf")
    (found,) = eml.parse(mail.as_bytes(), settings).findings
    assert "hand.rtf" in found.detail
    assert "rich text" in found.detail


@pytest.mark.parametrize("media_type", [DOC, RTF, ODT])
def test_without_libreoffice_the_file_is_refused(
    tmp_path: Path, settings: IngestSettings, media_type: str
) -> None:
    """A worker without one says what to save the file as, also of what another took in."""
    path = tmp_path / "hand-hygiene"
    path.write_bytes(RICH_TEXT)
    without = replace(settings, libreoffice_dir=str(tmp_path))
    with pytest.raises(errors.UnsupportedType, match="not read here") as caught:
        parse_file(path, media_type, "hand-hygiene.rtf", without)
    assert "docx or PDF" in caught.value.hint
