"""Tables of documents and jobs. A migration under `migrations/` goes with every change of a table.

The tables of people, of use and of the audit trail stand in their own files beside this one.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time: SQLite forgets the zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Refuse a naive time, store the rest in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give the time back with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


departments = Table(
    "departments",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(80), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("department_id", ForeignKey("departments.id"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("digest", String(64), nullable=False, index=True),
    Column("media_type", String(120), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("page_count", Integer, nullable=False, default=0),
    Column("effective_from", Date),
    Column("review_due", Date),
    Column("created_at", UtcDateTime, nullable=False),
    Column("published_at", UtcDateTime),
    Column("file_name", Text, nullable=False, server_default=""),
    # As stated by the person or the file; until it was read, the file name is shown instead.
    Column("title", Text),
    Column("policy_number", String(80)),
    # The number without case, blanks and signs: how a next version finds its policy.
    Column("policy_key", String(80)),
    Column("area", String(120)),
    Column("applies_to", Text),
    Column("owner", String(120)),
    Column("originated", Date),
    Column("last_approved", Date),
    Column("last_revised", Date),
    Column("supersedes", String(200)),
    Column("handed_in_by", String(255)),
    # How it came into force: two_persons, minor_fix or override.
    Column("approval_basis", String(16)),
    Column("in_force_from", UtcDateTime),
    Column("in_force_until", UtcDateTime),
    UniqueConstraint("document_id", "number"),
    Index("ix_versions_in_force_from", "in_force_from"),
    Index("ix_versions_policy_key", "policy_key"),
)

pages = Table(
    "pages",
    metadata,
    Column("version_id", ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("text", Text, nullable=False),
)

passages = Table(
    "passages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("version_id", ForeignKey("versions.id", ondelete="CASCADE"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("section", Text, nullable=False),
    Column("page_from", Integer, nullable=False),
    Column("page_to", Integer, nullable=False),
    Column("text", Text, nullable=False),
    # What is embedded: title and heading path, then the text.
    Column("embed_text", Text, nullable=False),
    # Little-endian float32, so that the index can be rebuilt without the embedding model.
    Column("vector", LargeBinary),
    Column("embed_model", String(120)),
    UniqueConstraint("version_id", "ordinal"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("department_id", ForeignKey("departments.id"), nullable=False, index=True),
    Column("version_id", ForeignKey("versions.id", ondelete="SET NULL"), index=True),
    Column("file_name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("done", Integer, nullable=False, default=0),
    Column("total", Integer, nullable=False, default=0),
    Column("error_type", String(80)),
    Column("error_message", Text),
    Column("error_hint", Text),
    # Who handed the file in, as JSON: the events of its later steps are theirs.
    Column("actor", Text),
    # Why the version goes into force as soon as it is loaded, without a second person.
    Column("override_reason", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_jobs_created_at", "created_at"),
)
