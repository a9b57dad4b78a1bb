"""Word files from before 2007, rich text and OpenDocument: LibreOffice turns them into DOCX.

It is called through LibreOfficeKit, its interface for programs written in C: a structure of each
object begins with a pointer to a table, which begins with its own size, followed by functions in an
order that is never changed (include/LibreOfficeKit/LibreOfficeKit.h). Nothing of it may be unloaded
again: the child process ends after the one file.
"""

import ctypes
import os
import struct
from pathlib import Path
from typing import Any

import olefile

from ingest.config import IngestSettings
from ingest.document import ParsedDocument
from ingest.errors import DamagedFile, EncryptedFile, UnsupportedType
from ingest.libreoffice import LIBRARY, folder_of
from ingest.parse import docx
from ingest.parse.unpacking import check_package, damaged

_ZIP = b"PK\x03\x04"
_RTF = b"{\\rtf"
_SUFFIXES = ((_ZIP, ".odt"), (_RTF, ".rtf"))
# How the main stream of a Word file begins, by its age; and its mark of a password (MS-DOC 2.5.2).
_WORD_BEGINS = (b"\xec\xa5", b"\xdc\xa5")
_FLAGS, _ENCRYPTED = 11, 1
# Places in the tables of an office and of a document, counted in words from their beginning.
_LOAD, _SAVE_AS = 2, 2


def parse(content: bytes, settings: IngestSettings, scratch: Path) -> ParsedDocument:
    """Read a file that Word can open; raises RefusedFile when it is damaged, locked or empty.

    scratch: an empty folder, for LibreOffice's profile and for what it writes.
    """
    if content.startswith(_ZIP):
        check_package(content, settings, "OpenDocument")
    elif not content.startswith(_RTF):
        _check_word(content)
    return docx.parse(_as_docx(content, settings, scratch), settings)


def _check_word(content: bytes) -> None:
    """Refuse what LibreOffice would take for plain text; raises DamagedFile, EncryptedFile."""
    try:
        with olefile.OleFileIO(content) as opened:
            head = opened.openstream("WordDocument").read(_FLAGS + 1)
    except (OSError, ValueError, IndexError, KeyError, struct.error, OverflowError) as error:
        raise damaged("Word") from error
    if len(head) <= _FLAGS or not head.startswith(_WORD_BEGINS):
        raise damaged("Word")
    if head[_FLAGS] & _ENCRYPTED:
        raise EncryptedFile(
            "The file is protected with a password.",
            "Remove the password, save it and load it again.",
        )


def _as_docx(content: bytes, settings: IngestSettings, scratch: Path) -> bytes:
    source, target = scratch / f"source{_suffix(content)}", scratch / "target.docx"
    source.write_bytes(content)
    if not _turn(_office(settings, scratch), source, target):
        raise DamagedFile(
            "LibreOffice cannot open the file: it is damaged or protected with a password.",
            "Open it in the program it came from, save it as .docx or PDF without a password "
            "and load that.",
        )
    return target.read_bytes()


def _suffix(content: bytes) -> str:
    """What the file's name ends in, by which LibreOffice knows how to read it."""
    return next((suffix for start, suffix in _SUFFIXES if content.startswith(start)), ".doc")


def _office(settings: IngestSettings, scratch: Path) -> int:
    """A LibreOffice started inside this process; raises UnsupportedType if that fails."""
    folder = folder_of(settings)
    # It looks for its profile and for temporary files by these.
    for name in ("HOME", "TMPDIR"):
        os.putenv(name, str(scratch))
    if folder is not None:
        start = ctypes.CDLL(str(folder / LIBRARY), mode=ctypes.RTLD_GLOBAL).libreofficekit_hook_2
        start.restype, start.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_char_p]
        office = start(os.fsencode(folder), _address(scratch / "profile"))
        if office:
            return int(office)
    raise UnsupportedType(
        "LibreOffice, which has to turn the file into .docx, does not start here.",
        "Save the file as .docx or PDF and load that; tell whoever runs Lamplight.",
    )


def _turn(office: int, source: Path, target: Path) -> bool:
    """Whether LibreOffice could open a file and save it as DOCX."""
    load = _method(office, _LOAD, ctypes.c_void_p, 1)
    document = load(office, _address(source))
    if not document:
        return False
    save_as = _method(document, _SAVE_AS, ctypes.c_int, 3)
    return bool(save_as(document, _address(target), b"docx", b"")) and target.is_file()


def _method(of: int, place: int, answer: Any, texts: int) -> Any:
    """A function out of an object's table: it takes the object and so many texts."""
    table = ctypes.cast(of, ctypes.POINTER(ctypes.c_void_p))[0]
    function = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))[place]
    assert function is not None
    kind = ctypes.CFUNCTYPE(answer, ctypes.c_void_p, *[ctypes.c_char_p] * texts)
    return kind(function)


def _address(path: Path) -> bytes:
    return path.as_uri().encode()
