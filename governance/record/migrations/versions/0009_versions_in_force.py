"""Versions own their fields and the time they are in force; what happens to them is kept."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

MOMENT = sa.DateTime(timezone=True)
FIELDS = (
    ("title", sa.Text()),
    ("policy_number", sa.String(length=80)),
    ("policy_key", sa.String(length=80)),
    ("area", sa.String(length=120)),
    ("applies_to", sa.Text()),
    ("owner", sa.String(length=120)),
    ("originated", sa.Date()),
    ("last_approved", sa.Date()),
    ("last_revised", sa.Date()),
    ("supersedes", sa.String(length=200)),
    ("handed_in_by", sa.String(length=255)),
    ("approval_basis", sa.String(length=16)),
    ("in_force_from", MOMENT),
    ("in_force_until", MOMENT),
)


def upgrade() -> None:
    """Add columns and tables. What answered questions until now goes on, as an override."""
    op.add_column("versions", sa.Column("file_name", sa.Text(), nullable=False, server_default=""))
    for name, kind in FIELDS:
        op.add_column("versions", sa.Column(name, kind, nullable=True))
    op.create_index("ix_versions_in_force_from", "versions", ["in_force_from"])
    op.create_index("ix_versions_policy_key", "versions", ["policy_key"])
    op.add_column("jobs", sa.Column("override_reason", sa.Text(), nullable=True))
    create_tables()
    move_fields()
    for name in ("title", "policy_number", "file_name"):
        op.drop_column("documents", name)


def move_fields() -> None:
    """Give each version its document's fields, and the time it has been in force since."""
    for name in ("title", "policy_number", "file_name"):
        op.execute(
            f"UPDATE versions SET {name} = "  # noqa: S608  # names of ours
            f"(SELECT d.{name} FROM documents d WHERE d.id = versions.document_id)"
        )
    op.execute(
        "UPDATE versions SET state = 'approved', approval_basis = 'override', "
        "in_force_from = COALESCE(published_at, created_at) WHERE state = 'effective'"
    )
    # What was loading is put in force as its person was promised; see governance/loading.py.
    op.execute(
        "UPDATE jobs SET override_reason = 'Loaded before approval was asked for.' "
        "WHERE state IN ('queued', 'running')"
    )
    # Passages in the index know nothing yet of the time they are in force.
    op.execute(
        "INSERT INTO index_debts (document_id, created_at) SELECT id, created_at FROM documents"
    )
    fill_keys()


def fill_keys() -> None:
    """The key of a number is its letters and digits in lower case."""
    versions = sa.table(
        "versions", sa.column("id"), sa.column("policy_number"), sa.column("policy_key")
    )
    connection = op.get_bind()
    numbered = sa.select(versions.c.id, versions.c.policy_number).where(
        versions.c.policy_number.is_not(None)
    )
    for row in connection.execute(numbered).all():
        key = "".join(char for char in row.policy_number.casefold() if char.isalnum())
        connection.execute(
            sa.update(versions).where(versions.c.id == row.id).values(policy_key=key or None)
        )


def create_tables() -> None:
    """Create the tables of `document_tables.py`."""
    of_version("version_steps", ["number"], "number:i act:16 by:255 reason:t at:m")
    of_version(
        "page_checks",
        ["number"],
        "number:i page:i kind:16 detail:t count:i accepted_by:255? accepted_at:m?",
    )
    of_version("proposed_fields", ["name"], "name:32 value:t page:i quote:t")
    op.create_table(
        "index_debts", *columns("document_id:36 created_at:m"), key("index_debts", ["document_id"])
    )
    of_version("likenesses", [], "signature:b")
    of_version("likeness_bands", ["band"], "band:i value:16")
    op.create_index(op.f("ix_likeness_bands_value"), "likeness_bands", ["value"])
    op.create_table(
        "receipts",
        *columns(
            "id:36 department_id:36 document_id:36 policy_number:80? by:255 "
            "begun_at:m before:t after:t? completed_at:m?"
        ),
        key("receipts", ["id"]),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
            name=op.f("fk_receipts_department_id_departments"),
        ),
    )
    op.create_index(op.f("ix_receipts_department_id"), "receipts", ["department_id"])


def of_version(table: str, more_key: Sequence[str], described: str) -> None:
    """Create a table whose rows go with their version."""
    op.create_table(
        table,
        *columns(f"version_id:36 {described}"),
        key(table, ["version_id", *more_key]),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["versions.id"],
            name=op.f(f"fk_{table}_version_id_versions"),
            ondelete="CASCADE",
        ),
    )


def key(table: str, names: Sequence[str]) -> sa.PrimaryKeyConstraint:
    """The primary key."""
    return sa.PrimaryKeyConstraint(*names, name=op.f(f"pk_{table}"))


def columns(described: str) -> list[sa.Column[Any]]:
    """Columns as "name:kind", kind a length or t(ext), i(nteger), m(oment), b(inary)."""
    kinds: dict[str, Any] = {"t": sa.Text(), "i": sa.Integer(), "m": MOMENT, "b": sa.LargeBinary()}
    made: list[sa.Column[Any]] = []
    for one in described.split():
        name, kind = one.rstrip("?").split(":")
        column_type = kinds[kind] if kind in kinds else sa.String(length=int(kind))
        made.append(sa.Column(name, column_type, nullable=one.endswith("?")))
    return made
