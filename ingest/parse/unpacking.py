"""Office files are zip archives of XML: what is looked at before anything of one is unpacked."""

import zipfile
import zlib
from io import BytesIO

from lxml import etree  # type: ignore[import-untyped]  # the Office libraries parse with it

from ingest.config import IngestSettings
from ingest.errors import DamagedFile, EncryptedFile, FileTooLarge, in_words

_MAX_PARTS = 10_000
_HEAD_BYTES = 4096
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError)
BROKEN_XML = (
    KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError, SyntaxError,
    etree.LxmlError,
)  # fmt: skip


def check_package(content: bytes, settings: IngestSettings, program: str) -> None:
    """Look at the archive's own list of parts; raises DamagedFile, EncryptedFile, FileTooLarge."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as package:
            parts = package.infolist()
    except (*BROKEN_ZIP, ValueError) as error:
        raise damaged(program) from error
    if any(part.flag_bits & 1 for part in parts):
        raise EncryptedFile(
            "The file is protected with a password.",
            "Remove the password, save it and load it again.",
        )
    unpacked_bytes = sum(part.file_size for part in parts)
    if len(parts) > _MAX_PARTS or unpacked_bytes > settings.max_unpacked_bytes:
        raise FileTooLarge(
            f"Unpacked, the file would have {in_words(unpacked_bytes)} in {len(parts)} parts; "
            f"the limit is {in_words(settings.max_unpacked_bytes)}.",
            "Make its pictures smaller, or split the document.",
        )


def check_entities(content: bytes, program: str) -> None:
    """Refuse XML that declares a document type: Office never does, and entities can explode."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as package:
            for name in package.namelist():
                if name.endswith((".xml", ".rels")):
                    with package.open(name) as part:
                        head = part.read(_HEAD_BYTES).replace(b"\x00", b"")
                    if b"<!DOCTYPE" in head:
                        raise damaged(program)
    except (*BROKEN_ZIP, *BROKEN_XML) as error:
        raise damaged(program) from error


def damaged(program: str) -> DamagedFile:
    """The refusal of a file of this program whose parts cannot be read."""
    return DamagedFile(
        f"The {program} file is damaged: its parts cannot be read.",
        f"Open it in {program}, save it again and load that.",
    )
