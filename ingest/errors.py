"""What can go wrong while a file is loaded: each error says what happened and what to do next."""

from typing import ClassVar


class IngestError(Exception):
    """Base of this package's errors; `type` is the stable name that records and the API carry."""

    type: ClassVar[str] = "ingest_error"

    def __init__(self, message: str, hint: str) -> None:
        # Both, so that the error survives pickling: workflows record what a step raised.
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class IngestFailed(IngestError):
    """Lamplight's own fault or its surroundings': the file may be fine and can be tried again."""

    type = "ingest_failed"


class CannotWatch(IngestError):
    """A folder that is not to be watched, or cannot be."""

    type = "cannot_watch"


class NoDiskSpace(IngestFailed):
    """The disk that holds the data directory is too full to load anything safely."""

    type = "no_disk_space"

    @classmethod
    def of(cls, free_bytes: int, needed_bytes: int) -> "NoDiskSpace":
        """State what is free and what is kept in reserve."""
        return cls(
            f"Only {in_words(free_bytes)} are free on the disk that holds the data directory; "
            f"at least {in_words(needed_bytes)} are kept in reserve.",
            "Free some disk space, then load the file again.",
        )


class RefusedFile(IngestError):
    """The file's own fault: loading the same bytes again would end the same way."""

    type = "refused_file"


class EmptyFile(RefusedFile):
    """No bytes, or nothing but blanks."""

    type = "empty_file"


class UnsupportedType(RefusedFile):
    """The bytes are of a kind that is not read."""

    type = "unsupported_type"


class FileTooLarge(RefusedFile):
    """More bytes, unpacked bytes or text than the settings allow."""

    type = "file_too_large"


class EncryptedFile(RefusedFile):
    """A password is needed to open it."""

    type = "encrypted_file"


class NoText(RefusedFile):
    """It opens, but holds no text: pictures of pages, or nothing."""

    type = "no_text"


class DamagedFile(RefusedFile):
    """It cannot be opened, or breaks while it is read."""

    type = "damaged_file"


class TooManyPages(RefusedFile):
    """More pages than the settings allow."""

    type = "too_many_pages"


class ParseTimeout(RefusedFile):
    """Reading took longer than the settings allow."""

    type = "parse_timeout"


class ParseOutOfMemory(RefusedFile):
    """Reading needed more memory than the settings allow."""

    type = "parse_out_of_memory"


def in_words(size_bytes: int) -> str:
    """A size as people read it: 512 bytes, 3.4 MB."""
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    if size_bytes < 1_000_000:
        return f"{size_bytes / 1000:.0f} kB"
    return f"{size_bytes / 1_000_000:.1f} MB"
