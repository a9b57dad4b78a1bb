"""Outlook's own mail format (MS-OXMSG): properties as streams of a compound file (MS-CFB).

A text property is a stream `__substg1.0_` followed by its id and its type in hex: 001F for UTF-16,
001E for a code page, 0102 for bytes. Dates stand in `__properties_version1.0`, 16 bytes each.
"""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import olefile

from ingest.clean import clean
from ingest.config import IngestSettings
from ingest.document import Block, ParsedDocument
from ingest.errors import DamagedFile
from ingest.parse.attachments import Mail, mail_document
from ingest.parse.html import blocks_of as html_blocks
from ingest.parse.text import blocks_of as text_blocks
from ingest.parse.text import decode

_SUBJECT, _BODY, _HTML, _SENDER, _SENDER_ADDRESS = "0037", "1000", "1013", "0C1A", "5D01"
_RICH_TEXT = "1009"
_RICH_ONLY = "The mail's own text is rich text (RTF) alone, which is not read."
_TO, _CC, _NAME, _SHORT_NAME, _DATA, _CONTENT_ID = "0E04", "0E03", "3707", "3704", "3701", "3712"
_UNICODE, _ANSI, _BINARY, _OBJECT = "001F", "001E", "0102", "000D"
_ATTACHMENT = "__attach_version1.0_"
_PROPERTIES = "__properties_version1.0"
# Where the fixed-length properties of a message begin; each has 16 bytes: type, id, flags, value.
_HEADER_BYTES, _ENTRY = 32, struct.Struct("<HHI8s")
_SENT, _DELIVERED, _CODE_PAGE, _HTML_CODE_PAGE = 0x0039, 0x0E06, 0x3FFD, 0x3FDE
_FILETIME_START = datetime(1601, 1, 1, tzinfo=UTC)
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".emf", ".wmf")


def parse(content: bytes, settings: IngestSettings) -> ParsedDocument:
    """Read a mail; raises RefusedFile when it is damaged, too large or empty."""
    try:
        with olefile.OleFileIO(content) as opened:
            mail = _Message(opened).mail()
    except (OSError, ValueError, IndexError, KeyError, struct.error, OverflowError) as error:
        raise DamagedFile(
            "The mail is damaged: its parts cannot be read.",
            "Open it in Outlook, save it again and load that, or save it as .eml.",
        ) from error
    return mail_document(mail, settings)


class _Message:
    """The properties of one message."""

    def __init__(self, opened: "olefile.OleFileIO") -> None:
        self._opened = opened
        self._fixed = dict(self._fixed_properties())

    def mail(self) -> Mail:
        """The mail taken apart."""
        sender = " ".join(filter(None, (self._text(_SENDER), self._text(_SENDER_ADDRESS))))
        head = [("From", sender), ("To", self._text(_TO)), ("Cc", self._text(_CC))]
        sent = self._date()
        head.append(("Date", f"{sent:%d %B %Y %H:%M} UTC" if sent else ""))
        body = self._body()
        rich = self._bytes("", _RICH_TEXT, _BINARY)
        return Mail(
            subject=self._text(_SUBJECT),
            head=[f"{name}: {value}" for name, value in head if value],
            body=body,
            attached=tuple(self._attached()),
            unread=_RICH_ONLY if rich and not body else "",
        )

    def _body(self) -> list[Block]:
        html = self._bytes("", _HTML, _BINARY)
        if html is not None:
            return html_blocks(decode(html, self._charset(_HTML_CODE_PAGE)))
        html_text = self._text(_HTML)
        return html_blocks(html_text) if html_text else text_blocks(clean(self._text(_BODY)))

    def _attached(self) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of each attachment; pictures inside the body are none."""
        folders = {path[0] for path in self._opened.listdir(streams=True, storages=True)}
        for folder in sorted(one for one in folders if one.startswith(_ATTACHMENT)):
            name = self._text(_NAME, folder) or self._text(_SHORT_NAME, folder)
            if self._opened.exists(f"{folder}/__substg1.0_{_DATA}{_OBJECT}"):
                yield name or "mail.eml", b"Subject: mail in mail\n\n-"
                continue
            content = self._bytes(folder, _DATA, _BINARY)
            inline = self._text(_CONTENT_ID, folder) and name.lower().endswith(_PICTURES)
            if content is not None and not inline:
                yield name, content

    def _text(self, wanted: str, folder: str = "") -> str:
        found = self._bytes(folder, wanted, _UNICODE)
        if found is not None:
            return found.decode("utf-16-le", errors="replace").rstrip("\0")
        found = self._bytes(folder, wanted, _ANSI)
        return decode(found, self._charset(_CODE_PAGE)).rstrip("\0") if found else ""

    def _bytes(self, folder: str, wanted: str, kind: str) -> bytes | None:
        path = f"{folder}/__substg1.0_{wanted}{kind}".lstrip("/")
        if not self._opened.exists(path) or self._opened.get_type(path) != olefile.STGTY_STREAM:
            return None
        content = self._opened.openstream(path).read()
        assert isinstance(content, bytes)
        return content

    def _fixed_properties(self) -> Iterator[tuple[int, bytes]]:
        if not self._opened.exists(_PROPERTIES):
            return
        content = self._opened.openstream(_PROPERTIES).read()[_HEADER_BYTES:]
        whole = len(content) - len(content) % _ENTRY.size
        for _kind, name, _flags, value in _ENTRY.iter_unpack(content[:whole]):
            yield name, value

    def _date(self) -> datetime | None:
        value = self._fixed.get(_SENT) or self._fixed.get(_DELIVERED)
        if value is None:
            return None
        ticks = int.from_bytes(value, "little")
        return _FILETIME_START + timedelta(microseconds=ticks // 10) if ticks else None

    def _charset(self, wanted: int) -> str | None:
        value = self._fixed.get(wanted)
        page = int.from_bytes(value[:4], "little") if value else 0
        return {0: None, 65001: "utf-8", 20127: "ascii"}.get(page, f"cp{page}")
