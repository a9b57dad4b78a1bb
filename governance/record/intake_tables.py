"""Tables of what comes in by itself: lines read of scanned pages, and watched folders."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from governance.record.tables import UtcDateTime, metadata

# SQLite has one kind of integer, PostgreSQL's own is too short for sizes and nanoseconds.
LONG = BigInteger().with_variant(Integer, "sqlite")

# What OCR read of a page, by the digest of its file: the same bytes are read once. No foreign key,
# for several versions may be made of one file; the rows go with the stored file.
page_scans = Table(
    "page_scans",
    metadata,
    Column("digest", String(64), primary_key=True),
    # What read it and how: other models or another resolution read every page again.
    Column("reader", String(40), primary_key=True),
    Column("page", Integer, primary_key=True),
    # JSON: text, score, box and place of each line.
    Column("lines", Text, nullable=False),
    Column("read_at", UtcDateTime, nullable=False),
)

watched_folders = Table(
    "watched_folders",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("department_id", ForeignKey("departments.id"), nullable=False, index=True),
    Column("path", Text, nullable=False),
    Column("added_by", String(255), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("looked_at", UtcDateTime),
    # Why nothing is concluded from the last look, and what to do; empty if all was well.
    Column("problem", Text, nullable=False, server_default=""),
    Column("hint", Text, nullable=False, server_default=""),
    # Whether the problem is that so many files are gone that a person has to confirm it.
    Column("asks", Boolean, nullable=False),
    # Who has confirmed it; for one look.
    Column("confirmed_by", String(255)),
    # Paths that could not be looked at, at the last look.
    Column("unread", Integer, nullable=False, server_default="0"),
)

# What is remembered of each file between two looks.
watched_files = Table(
    "watched_files",
    metadata,
    Column("folder_id", ForeignKey("watched_folders.id", ondelete="CASCADE"), primary_key=True),
    # SHA-256 of the path: paths are too long for a key.
    Column("path_digest", String(64), primary_key=True),
    Column("path", Text, nullable=False),
    Column("size_bytes", LONG, nullable=False),
    Column("modified_ns", LONG, nullable=False),
    # SHA-256 of its bytes when they were last read; empty before that.
    Column("digest", String(64), nullable=False),
    Column("is_read", Boolean, nullable=False),
    Column("missing_looks", Integer, nullable=False),
    # The document it was handed in as. No foreign key: a document may be removed here and stay
    # in the folder, and is then not handed in again.
    Column("document_id", String(36)),
    # What was found last, and when; why it could not be taken in, and what to do.
    Column("found", String(16), nullable=False, server_default=""),
    Column("found_at", UtcDateTime),
    Column("problem", Text, nullable=False, server_default=""),
    Column("hint", Text, nullable=False, server_default=""),
)

# Files that are gone from a watched folder, whose documents somebody should retire or keep.
missing_files = Table(
    "missing_files",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("department_id", ForeignKey("departments.id"), nullable=False),
    # Where it stood, folder and path, also after the folder is watched no longer.
    Column("path", Text, nullable=False),
    Column("found_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    # kept, retired or returned.
    Column("settled_as", String(16)),
    Column("settled_by", String(255)),
    Index("ix_missing_files_document_id", "document_id"),
    Index("ix_missing_files_department_id", "department_id"),
)
