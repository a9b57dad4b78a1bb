"""Outlook messages: subject, sender, date, body and attachments."""

import importlib.util
import struct
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.config import IngestSettings
from ingest.document import FindingKind
from ingest.errors import NoText, RefusedFile
from ingest.parse.msg import parse
from ingest.parser import parse_file
from ingest.source import MSG, inspect

LIMITS = IngestSettings()
POLICY = b"# Door code\n\nThe door code is changed every 30 days.\n"


def _writer() -> ModuleType:
    path = Path(__file__).with_name("compound_files.py")
    spec = importlib.util.spec_from_file_location("compound_files", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


compound_file = _writer().compound_file


def text(value: str) -> bytes:
    return value.encode("utf-16-le")


def fixed(**properties: int) -> bytes:
    """The stream of properties of fixed length: `p0039=ticks`."""
    rows = [
        struct.pack("<HHIQ", 0x0040, int(name[1:], 16), 6, value)
        for name, value in properties.items()
    ]
    return bytes(32) + b"".join(rows)


def message(**more: bytes | dict[str, object]) -> bytes:
    """A message with these streams beside its subject and sender."""
    sent = int((datetime(2026, 3, 4, 9, 30, tzinfo=UTC).timestamp() + 11_644_473_600) * 10**7)
    streams: dict[str, object] = {
        "__properties_version1.0": fixed(p0039=sent),
        "__substg1.0_0037001F": text("New door code"),
        "__substg1.0_0C1A001F": text("Anna Berg"),
        "__substg1.0_0E04001F": text("Ward 3"),
    }
    return bytes(compound_file({**streams, **more}))


def attachment(name: str, content: bytes, **more: bytes) -> dict[str, object]:
    return {
        "__substg1.0_3707001F": text(name),
        "__substg1.0_37010102": content,
        **more,
    }


BODY = {"__substg1.0_1000001F": text("Please read the attached policy.\n\nIt holds from Monday.")}


def test_a_message_is_read_without_outlook() -> None:
    """Subject as title; sender, receiver and date in one line; then the body."""
    document = parse(message(**BODY), LIMITS)
    assert document.title == "New door code"
    assert document.page_count == 1
    page = document.page_texts[0]
    assert "From: Anna Berg · To: Ward 3 · Date: 04 March 2026 09:30 UTC" in page
    assert page.endswith("Please read the attached policy.\n\nIt holds from Monday.")


def test_each_attachment_is_a_page(tmp_path: Path) -> None:
    """Read by its own reader, also through the child with its walls; large ones, too."""
    long = POLICY + b"\n".join(b"Rule %d stands.\n" % n for n in range(900))
    content = message(
        **BODY,
        **{
            "__attach_version1.0_#00000000": attachment("door.md", POLICY),
            "__attach_version1.0_#00000001": attachment("long.md", long),
        },
    )
    path = tmp_path / "mail.msg"
    path.write_bytes(content)
    assert inspect("mail.msg", content).media_type == MSG
    document = parse_file(path, MSG, "mail.msg", LIMITS)
    assert document.page_count == 3
    assert "The door code is changed every 30 days." in document.page_texts[1]
    assert "Rule 899 stands." in document.page_texts[2]


def test_a_mail_in_a_mail_is_named_and_not_read() -> None:
    """Depth ends at one; a picture of the body is no attachment."""
    inner: dict[str, object] = {
        "__substg1.0_3701000D": {"__substg1.0_0037001F": text("Inner")},
        "__substg1.0_3707001F": text("inner.msg"),
    }
    logo = attachment("logo.png", b"\x89PNG", **{"__substg1.0_3712001F": text("id")})
    document = parse(
        message(
            **BODY,
            **{
                "__attach_version1.0_#00000000": inner,
                "__attach_version1.0_#00000001": logo,
            },
        ),
        LIMITS,
    )
    (found,) = document.findings
    assert found.kind is FindingKind.ATTACHMENT
    assert document.page_count == 1


def test_a_body_in_html_or_in_a_code_page_is_read() -> None:
    """HTML before plain text; old messages say their code page."""
    html = "<p>Wash f\u00fcr 40 seconds.</p>".encode("cp1252")
    pages = struct.pack("<HHIQ", 3, 0x3FDE, 6, 1252) + struct.pack("<HHIQ", 3, 0x3FFD, 6, 1252)
    document = parse(
        message(
            **{
                "__properties_version1.0": bytes(32) + pages,
                "__substg1.0_10130102": html,
                "__substg1.0_0037001F": b"",
                "__substg1.0_0C1A001F": b"",
                "__substg1.0_0C1A001E": "J\u00f6rg".encode("cp1252"),
            }
        ),
        LIMITS,
    )
    assert "Wash f\u00fcr 40 seconds." in document.page_texts[0]


@pytest.mark.parametrize("cut", [512, 700, 1500, 2600])
def test_a_cut_message_is_refused_or_read(cut: int) -> None:
    """Never anything else."""
    whole = message(**BODY)
    with suppress(RefusedFile):
        assert parse(whole[:cut], LIMITS).page_count


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_a_damaged_message_is_refused_or_read(data: st.DataObject) -> None:
    """Bytes changed anywhere end in a document or in words."""
    content = bytearray(message(**BODY))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(RefusedFile):
        assert parse(bytes(content), LIMITS).page_count


def test_a_text_in_rich_text_alone_is_said_to_be_unread() -> None:
    """Nobody takes the attachments for all that the mail said; without any it is refused."""
    rich: dict[str, bytes | dict[str, object]] = {"__substg1.0_10090102": b"LZFu and so on"}
    with_policy = message(**rich, **{"__attach_version1.0_#00": attachment("code.md", POLICY)})
    assert [found.detail for found in parse(with_policy, LIMITS).findings] == [
        "The mail's own text is rich text (RTF) alone, which is not read."
    ]
    with pytest.raises(NoText, match="rich text"):
        parse(message(**rich), LIMITS)
    assert parse(message(**BODY, **rich), LIMITS).findings == ()
