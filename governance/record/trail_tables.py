"""Tables of the audit trail: leaves, the hashes above them, and signed checkpoints.

Triggers forbid every change and removal; the columns beside `body` only serve the search and are
compared with it by `verify`.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from governance.record.tables import UtcDateTime, metadata

audit_leaves = Table(
    "audit_leaves",
    metadata,
    # Counts from 0, without a gap.
    Column(
        "seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    ),
    # Canonical JSON (RFC 8785).
    Column("body", Text, nullable=False),
    Column("leaf_hash", LargeBinary(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("action", String(64), nullable=False),
    Column("actor_id", String(255), nullable=False),
    Column("department_id", String(36)),
    Column("object_id", String(255)),
    Index("ix_audit_leaves_at", "at"),
    Index("ix_audit_leaves_action", "action", "seq"),
    Index("ix_audit_leaves_actor_id", "actor_id", "seq"),
    Index("ix_audit_leaves_object_id", "object_id", "seq"),
    Index("ix_audit_leaves_department_id", "department_id", "seq"),
)

# Perfect subtrees only; level 1 stands above two leaves.
audit_nodes = Table(
    "audit_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column(
        "position",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("hash", LargeBinary(32), nullable=False),
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column(
        "size", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    ),
    Column("root", LargeBinary(32), nullable=False),
    # The C2SP signed note.
    Column("note", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
