import contextlib
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, FindingKind
from ingest.errors import RefusedFile
from ingest.parse.eml import parse
from ingest.parser import parse_file
from ingest.source import EML

H, P = BlockKind.HEADING, BlockKind.PARAGRAPH


def mail() -> EmailMessage:
    """A mail with a body in both forms."""
    message = EmailMessage()
    message["Subject"] = "New sharps policy"
    message["From"] = "Ana Ortiz <ana@example.org>"
    message["To"] = "Ward 3 <ward3@example.org>"
    message["Date"] = "Wed, 04 Mar 2026 09:00:00 +0000"
    message.set_content("Please read it.")
    message.add_alternative("<p>Please <b>read</b> it.</p>", subtype="html")
    return message


def test_a_mail_and_its_attachment_are_pages(settings: IngestSettings) -> None:
    """Page 1 is the mail; an attachment follows under its name, read by its own reader."""
    message = mail()
    message.add_attachment("# Sharps\n\nNever recap.", subtype="markdown", filename="sharps.md")
    document = parse(message.as_bytes(), settings)
    head = (
        "From: Ana Ortiz <ana@example.org> · To: Ward 3 <ward3@example.org> · "
        "Date: Wed, 04 Mar 2026 09:00:00 +0000"
    )
    assert document.title == "New sharps policy"
    assert document.blocks == (
        Block(H, "New sharps policy", 1, 1),
        Block(P, head, 1),
        Block(P, "Please read it.", 1),
        Block(H, "Attachment: sharps.md", 2, 1),
        Block(H, "Sharps", 2, 2),
        Block(P, "Never recap.", 2),
    )
    assert document.page_count == len(document.page_texts) == 2


def test_what_is_attached_and_not_read_is_reported(settings: IngestSettings) -> None:
    """A program and a mail inside the mail: the mail is read, each of them is named."""
    message = mail()
    message.add_attachment(b"MZ\x00", maintype="application", subtype="x", filename="a.exe")
    message.add_attachment(mail())
    document = parse(message.as_bytes(), settings)
    assert document.page_count == 1
    assert [found.kind for found in document.findings] == [FindingKind.ATTACHMENT] * 2
    assert "a.exe" in document.findings[0].detail
    assert "Mail inside a mail" in document.findings[1].detail


def test_attachments_beyond_the_limit_are_counted(settings: IngestSettings) -> None:
    """A hundred attachments are not opened one after the other."""
    message = mail()
    for number in range(5):
        message.add_attachment("Wash.", filename=f"{number}.txt")
    document = parse(message.as_bytes(), replace(settings, max_attachments=2))
    assert document.page_count == 3
    assert document.findings[-1].count == 3


def test_a_mail_goes_through_the_child(tmp_path: Path, settings: IngestSettings) -> None:
    """The walls of the child let a mail's reader do its work."""
    path = tmp_path / "mail"
    path.write_bytes(mail().as_bytes())
    assert parse_file(path, EML, "mail.eml", settings).title == "New sharps policy"


@examples(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 900), st.binary(max_size=40))
def test_a_spoilt_mail_is_read_or_refused(at: int, noise: bytes) -> None:
    """Whatever bytes stand in a mail, it ends in a document or in a refusal."""
    content = mail().as_bytes()
    with contextlib.suppress(RefusedFile):
        spoilt = content[:at] + noise + content[at + len(noise) :]
        assert parse(spoilt, IngestSettings()).page_count
