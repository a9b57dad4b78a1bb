"""Tables of what happens to a version of a policy, beside those of documents in `tables.py`."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    false,
)

from governance.record.tables import UtcDateTime, metadata

# Who did what in the life of a version, in order.
version_steps = Table(
    "version_steps",
    metadata,
    Column("version_id", ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("act", String(16), nullable=False),
    Column("by", String(255), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# What a person should look at before a version is relied on; pages count from 1.
page_checks = Table(
    "page_checks",
    metadata,
    Column("version_id", ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("page", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("accepted_by", String(255)),
    Column("accepted_at", UtcDateTime),
)

# What the file says about the policy, with the line it was read from.
proposed_fields = Table(
    "proposed_fields",
    metadata,
    Column("version_id", ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
    Column("page", Integer, nullable=False),
    Column("quote", Text, nullable=False),
)

# Documents whose passages in the index may not be what the record says. No foreign key: a debt
# outlives its document.
index_debts = Table(
    "index_debts",
    metadata,
    Column("document_id", String(36), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    # Whether the words themselves have changed, and every passage is written again.
    Column("rewrite", Boolean, nullable=False, server_default=false()),
)

# How like two versions are is read from these, without their text.
likenesses = Table(
    "likenesses",
    metadata,
    Column("version_id", ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
    Column("signature", LargeBinary, nullable=False),
)
likeness_bands = Table(
    "likeness_bands",
    metadata,
    Column("version_id", ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
    Column("band", Integer, primary_key=True),
    Column("value", String(16), nullable=False, index=True),
)

# What was removed, for good: what there was before, and what was left after.
receipts = Table(
    "receipts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("department_id", ForeignKey("departments.id"), nullable=False, index=True),
    Column("document_id", String(36), nullable=False),
    Column("policy_number", String(80)),
    Column("by", String(255), nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    # Counts and digests as JSON.
    Column("before", Text, nullable=False),
    Column("after", Text),
    Column("completed_at", UtcDateTime),
)
