"""Gold questions of departments, runs over them, and the gate."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

KINDS: dict[str, Any] = {
    "t": sa.Text(),
    "i": sa.Integer(),
    "m": sa.DateTime(timezone=True),
    "o": sa.Boolean(),
}


def upgrade() -> None:
    """Create the tables of `evaluation_tables.py`."""
    create_gold()
    op.create_table(
        "evaluation_runs",
        *columns(
            "id:36 department_id:36 started_by:255 actor:t state:16 done:i total:i configuration:t "
            "configuration_digest:64 suite_digest:64 model_digests:t figures:t?"
        ),
        sa.Column("is_baseline", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("problem", sa.Text(), nullable=False, server_default=""),
        sa.Column("hint", sa.Text(), nullable=False, server_default=""),
        *columns("created_at:m ended_at:m?"),
        key("evaluation_runs", "id"),
        reference("evaluation_runs", "department_id", "departments", None),
    )
    op.create_index(
        "ix_evaluation_runs_department_id_created_at",
        "evaluation_runs",
        ["department_id", "created_at"],
    )
    op.create_table(
        "evaluation_items",
        *columns(
            "run_id:36 number:i gold_id:36 key:80 question:t answerable:o status:16? answer:t? "
            "found:t? cited:t? scores:t? timings_ms:t? error:t? asked_at:m?"
        ),
        key("evaluation_items", "run_id", "number"),
        reference("evaluation_items", "run_id", "evaluation_runs"),
    )
    op.create_table(
        "evaluation_gates",
        *columns(
            "department_id:36 mode:8 thresholds:t margins:t changed_by:255 changed_at:m "
            "override_by:255? override_reason:t? override_until:m?"
        ),
        key("evaluation_gates", "department_id"),
        reference("evaluation_gates", "department_id", "departments", None),
    )


def create_gold() -> None:
    """Gold questions, their places, and what they were before."""
    op.create_table(
        "gold_questions",
        *columns(
            "id:36 department_id:36 key:80 state:16 origin:16 question:t answerable:o answers:t "
            "answer_type:16 added_by:255 added_at:m changed_by:255 changed_at:m"
        ),
        key("gold_questions", "id"),
        reference("gold_questions", "department_id", "departments", None),
        sa.UniqueConstraint(
            "department_id", "key", name=op.f("uq_gold_questions_department_id_key")
        ),
    )
    op.create_index(op.f("ix_gold_questions_department_id"), "gold_questions", ["department_id"])
    op.create_table(
        "gold_places",
        *columns("gold_id:36 number:i document_id:36 version_id:36 evidence:t"),
        key("gold_places", "gold_id", "number"),
        reference("gold_places", "gold_id", "gold_questions"),
        reference("gold_places", "document_id", "documents"),
    )
    op.create_index(op.f("ix_gold_places_document_id"), "gold_places", ["document_id"])
    op.create_table(
        "gold_changes",
        *columns("gold_id:36 number:i act:16 content:t by:255 at:m"),
        key("gold_changes", "gold_id", "number"),
        reference("gold_changes", "gold_id", "gold_questions"),
    )


def columns(described: str) -> list[sa.Column[Any]]:
    """Columns as "name:kind", kind a length or one of KINDS; "?" may be NULL."""
    made: list[sa.Column[Any]] = []
    for one in described.split():
        name, kind = one.rstrip("?").split(":")
        column_type = KINDS[kind] if kind in KINDS else sa.String(length=int(kind))
        made.append(sa.Column(name, column_type, nullable=one.endswith("?")))
    return made


def key(table: str, *names: str) -> sa.PrimaryKeyConstraint:
    """The primary key."""
    return sa.PrimaryKeyConstraint(*names, name=op.f(f"pk_{table}"))


def reference(
    table: str, name: str, other: str, ondelete: str | None = "CASCADE"
) -> sa.ForeignKeyConstraint:
    """The reference to another table's id."""
    return sa.ForeignKeyConstraint(
        [name], [f"{other}.id"], name=op.f(f"fk_{table}_{name}_{other}"), ondelete=ondelete
    )
