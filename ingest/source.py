"""What a file is, judged by its bytes first and by its name second."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from ingest.config import IngestSettings
from ingest.errors import DamagedFile, EmptyFile, EncryptedFile, FileTooLarge, UnsupportedType
from ingest.errors import in_words as size_in_words
from ingest.kinds import BY_LIBREOFFICE, BY_SUFFIX
from ingest.kinds import DOC as DOC
from ingest.kinds import DOCX as DOCX
from ingest.kinds import EML as EML
from ingest.kinds import HTML as HTML
from ingest.kinds import MARKDOWN as MARKDOWN
from ingest.kinds import MSG as MSG
from ingest.kinds import ODT as ODT
from ingest.kinds import PDF as PDF
from ingest.kinds import PPTX as PPTX
from ingest.kinds import READABLE as READABLE
from ingest.kinds import RTF as RTF
from ingest.kinds import TEXT as TEXT
from ingest.kinds import XLSX as XLSX
from ingest.libreoffice import folder_of

# (first bytes, what it is, what to do): the kinds that people do try to load.
_UNREADABLE = (
    (b"\x89PNG", "a picture", "Load the document itself, not a picture of it."),
    (b"\xff\xd8\xff", "a picture", "Load the document itself, not a picture of it."),
    (b"GIF8", "a picture", "Load the document itself, not a picture of it."),
    (b"II*\x00", "a picture", "Load the document itself, not a picture of it."),
    (b"MM\x00*", "a picture", "Load the document itself, not a picture of it."),
    (b"\x1f\x8b", "a packed archive", "Unpack it and load the files in it."),
    (b"7z\xbc\xaf", "a packed archive", "Unpack it and load the files in it."),
    (b"Rar!", "a packed archive", "Unpack it and load the files in it."),
    (b"MZ", "a program", f"Load {READABLE}."),
    (b"\x7fELF", "a program", f"Load {READABLE}."),
)
_RTF = b"{\\rtf"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
# The main part of a package; a workbook inside a Word file is a zip of its own in there.
_PARTS = (
    (b"word/document.xml", DOCX),
    (b"ppt/presentation.xml", PPTX),
    (b"xl/workbook.xml", XLSX),
    (b"word/", DOCX),
)
_PACKAGES = (DOCX, XLSX, PPTX)
_BINARY = (PDF, *_PACKAGES, MSG, *BY_LIBREOFFICE)
# A stream that each message of Outlook has; names stand in a compound file as they are.
_OUTLOOK = "__properties_version1.0".encode("utf-16-le")
_WORD = "WordDocument".encode("utf-16-le")
# The first entry of an OpenDocument package says what it is, uncompressed.
_OPEN_TEXT = b"mimetype" + ODT.encode()
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_HTML_START = re.compile(
    rb"<(!doctype\s+html|html[\s>]|head[\s>]|body[\s>]|\?xml[^>]*\?>\s*(<!--.*?-->\s*)*"
    rb"<(!doctype\s+html|html[\s>]))",
    re.IGNORECASE | re.DOTALL,
)
_REAL_SUFFIX = re.compile(r"\.[a-z][a-z0-9]{0,7}")
_SNIFF_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Source:
    """One file as handed in; digest is the SHA-256 of its bytes in hex."""

    file_name: str
    media_type: str
    size_bytes: int
    digest: str


def inspect(file_name: str, content: bytes, settings: IngestSettings | None = None) -> Source:
    """Name the kind of a file; raises RefusedFile for one that is not read at all."""
    limits = settings or IngestSettings()
    check_size(file_name, len(content), limits)
    media_type = _media_type(file_name, content)
    check_libreoffice(file_name, media_type, limits)
    return Source(
        file_name=file_name,
        media_type=media_type,
        size_bytes=len(content),
        digest=hashlib.sha256(content).hexdigest(),
    )


def check_size(file_name: str, size_bytes: int, settings: IngestSettings) -> None:
    """Refuse what has no bytes or too many, before anything is read; raises RefusedFile."""
    if size_bytes == 0:
        raise _empty(file_name)
    if size_bytes > settings.max_file_bytes:
        raise FileTooLarge(
            f"{file_name} has {size_in_words(size_bytes)}; "
            f"the limit is {size_in_words(settings.max_file_bytes)}.",
            "Split the document, or save its pictures at a lower resolution.",
        )


def check_libreoffice(file_name: str, media_type: str, settings: IngestSettings) -> None:
    """Refuse what LibreOffice has to turn where there is none; raises UnsupportedType."""
    if media_type in BY_LIBREOFFICE and folder_of(settings) is None:
        raise UnsupportedType(
            f"{file_name} is {BY_LIBREOFFICE[media_type]}, which is not read here.",
            "Open it in a word processor, save it as .docx or PDF and load that. "
            "Where LibreOffice is installed beside Lamplight, it is read as it is.",
        )


def _media_type(file_name: str, content: bytes) -> str:
    suffix = _suffix(file_name)
    if b"%PDF-" in content[:1024]:
        return PDF
    if content.startswith(_ZIP):
        return _packed(file_name, suffix, content)
    if content.startswith(_OLE):
        if _OUTLOOK in content:
            return MSG
        if _WORD in content and _ENCRYPTED_PACKAGE not in content:
            return DOC
        raise _office_binary(file_name, content)
    if content.startswith(_RTF):
        return RTF
    for magic, what, hint in _UNREADABLE:
        if content.startswith(magic):
            raise UnsupportedType(f"{file_name} is {what}, which is not read.", hint)
    return _textual(file_name, suffix, content)


def title_of(file_name: str) -> str:
    """A title out of a file's name: "hand-hygiene_policy.pdf" is "Hand hygiene policy"."""
    name = PurePosixPath(file_name).name
    words = re.sub(r"[_-]+", " ", name.removesuffix(_suffix_as_written(name))).split()
    title = " ".join(words) or name
    return title[0].upper() + title[1:]


def _suffix_as_written(name: str) -> str:
    return PurePosixPath(name).suffix if _suffix(name) else ""


def _suffix(file_name: str) -> str:
    """The extension, unless the dot belongs to the name ("Policy 3.1 Hand hygiene")."""
    suffix = PurePosixPath(file_name).suffix.lower()
    return suffix if _REAL_SUFFIX.fullmatch(suffix) else ""


def _packed(file_name: str, suffix: str, content: bytes) -> str:
    if _OPEN_TEXT in content[:_SNIFF_BYTES]:
        return ODT
    # Names inside a zip are never compressed, so looking for them unpacks nothing.
    for part, kind in _PARTS:
        if part in content:
            return kind
    if BY_SUFFIX.get(suffix) in _PACKAGES:
        return BY_SUFFIX[suffix]
    for part, what, target in (
        (b"xl/workbook.bin", "a binary Excel workbook", ".xlsx"),
        (b"xl/", "a spreadsheet", ".xlsx"),
        (b"ppt/", "a slide show", ".pptx"),
        (b"opendocument.text", "an OpenDocument text", ".docx or PDF"),
        (b"opendocument.spreadsheet", "an OpenDocument spreadsheet", ".xlsx"),
        (b"opendocument.presentation", "an OpenDocument slide show", ".pptx"),
    ):
        if part in content:
            raise UnsupportedType(
                f"{file_name} is {what}, which is not read.", f"Save it as {target}."
            )
    raise UnsupportedType(
        f"{file_name} is a packed archive, which is not read.",
        "Unpack it and load the files in it.",
    )


def _office_binary(file_name: str, content: bytes) -> EncryptedFile | UnsupportedType:
    if _ENCRYPTED_PACKAGE in content:
        return EncryptedFile(
            f"{file_name} is protected with a password.",
            "Open it in the program it came from, remove the password, save it and load it again.",
        )
    return UnsupportedType(
        f"{file_name} is in the Office format from before 2007, which is not read.",
        "Open it and save it in today's format: .docx, .xlsx or .pptx.",
    )


def _textual(file_name: str, suffix: str, content: bytes) -> str:
    if not content.strip(b"\x00 \t\r\n\x0b\x0c\xef\xbb\xbf\xff\xfe"):
        raise _empty(file_name)
    named = BY_SUFFIX.get(suffix)
    if named is None:
        raise UnsupportedType(f"{file_name}: files of type {suffix} are not read.", _save_as())
    if not _is_text(content):
        raise _not_text(file_name, suffix, named)
    if named in (*_BINARY, TEXT) and _HTML_START.search(_plain_head(content)):
        return HTML
    if named in _BINARY:
        raise DamagedFile(
            f"{file_name} is named {suffix} but its content is not.",
            "Open it in the program it came from and save it again.",
        )
    return named


def _plain_head(content: bytes) -> bytes:
    """The first bytes with the zeros of UTF-16 taken out, so that one pattern fits both."""
    return content[:_SNIFF_BYTES].replace(b"\x00", b"")


def _is_text(content: bytes) -> bool:
    """Whether few bytes are control codes; UTF-16 is text if its byte-order mark says so."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    head = content[:_SNIFF_BYTES]
    odd = sum(1 for byte in head if byte < 32 and byte not in b"\t\n\r\x0b\x0c\x1b")
    return odd <= len(head) // 100 or _is_unmarked_utf16(head)


def _is_unmarked_utf16(head: bytes) -> bool:
    """Western text in UTF-16 without a mark: every other byte is zero, and almost no others."""
    zeros = (head[0::2].count(0), head[1::2].count(0))
    return max(zeros) > 0.25 * len(head) and min(zeros) < 0.02 * len(head)


def _not_text(file_name: str, suffix: str, named: str) -> UnsupportedType | DamagedFile:
    if named in _BINARY:
        return DamagedFile(
            f"{file_name} is damaged: it is named {suffix} but does not begin like one.",
            "Get a fresh copy, or open it in the program it came from and save it again.",
        )
    return UnsupportedType(f"{file_name} holds binary data, not text.", _save_as())


def _empty(file_name: str) -> EmptyFile:
    return EmptyFile(f"{file_name} is empty.", "Check the file at its source and load it again.")


def _save_as() -> str:
    return f"Save it as one of the types that are read: {READABLE}."
