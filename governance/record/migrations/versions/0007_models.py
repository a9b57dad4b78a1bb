"""Approvals of models, blocks, how confidential departments are, and what was used."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

HEX_DIGITS = 64
MAX_MODEL_CHARS = 200
FINAL = ("approvals", "approval_steps")


def upgrade() -> None:
    """Create these tables, and fill in which models the trail has seen answer."""
    create_approvals()
    create_approval_steps()
    create_model_blocks()
    create_department_classes()
    uses = create_model_uses()
    rows = _seen()
    if rows:
        op.bulk_insert(uses, rows)
    forbid_changes()


def create_approvals() -> None:
    """Create the table `approvals` with its index."""
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("data_classes", sa.Text(), nullable=False),
        sa.Column("department_ids", sa.Text(), nullable=True),
        sa.Column("purposes", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("report_digests", sa.Text(), nullable=False),
        sa.Column("pia_document", sa.String(length=120), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    op.create_index(op.f("ix_approvals_digest"), "approvals", ["digest"], unique=False)


def create_approval_steps() -> None:
    """Create the table `approval_steps`."""
    op.create_table(
        "approval_steps",
        sa.Column("approval_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["approval_id"],
            ["approvals.id"],
            name=op.f("fk_approval_steps_approval_id_approvals"),
        ),
        sa.PrimaryKeyConstraint("approval_id", "number", name=op.f("pk_approval_steps")),
    )


def create_model_blocks() -> None:
    """Create the table `model_blocks` with its index."""
    op.create_table(
        "model_blocks",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("department_id", sa.String(length=36), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.String(length=255), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.String(length=255), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
            name=op.f("fk_model_blocks_department_id_departments"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_blocks")),
    )
    op.create_index("ix_model_blocks_lifted_at", "model_blocks", ["lifted_at"], unique=False)


def create_department_classes() -> None:
    """Create the table `department_classes`."""
    op.create_table(
        "department_classes",
        sa.Column("department_id", sa.String(length=36), nullable=False),
        sa.Column("data_class", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
            name=op.f("fk_department_classes_department_id_departments"),
        ),
        sa.PrimaryKeyConstraint("department_id", name=op.f("pk_department_classes")),
    )


def create_model_uses() -> sa.Table:
    """Create the table `model_uses`."""
    return op.create_table(
        "model_uses",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("department_id", sa.String(length=36), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", "department_id", name=op.f("pk_model_uses")),
    )


def forbid_changes() -> None:
    """Let the database itself refuse to change or remove what was proposed and decided."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    if not sqlite:
        op.execute(
            "CREATE FUNCTION approvals_are_final() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'an approval is never changed'; END $$"
        )
    for table in FINAL:
        for act in ("UPDATE", "DELETE"):
            name = f"{table}_no_{act.lower()}"
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {act} ON {table} BEGIN "
                "SELECT RAISE(ABORT, 'an approval is never changed'); END"
                if sqlite
                else f"CREATE TRIGGER {name} BEFORE {act} ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION approvals_are_final()"
            )
        if not sqlite:
            op.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION approvals_are_final()"
            )


def _seen() -> list[dict[str, Any]]:
    """One row for each digest and department of which the trail tells that the model answered."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for digest, department_id, model, at in _answers():
        row = {"digest": digest, "department_id": department_id, "model": model}
        known = found.setdefault((digest, department_id), row | {"uses": 0, "first_at": at})
        known["uses"] += 1
        known["last_at"] = at
    return list(found.values())


def _answers() -> Iterator[tuple[str, str, str, datetime]]:
    query = sa.text(
        "SELECT body FROM audit_leaves WHERE action IN ('model.used', 'question.asked') "
        "ORDER BY seq"
    )
    for (text,) in op.get_bind().execute(query):
        body = json.loads(text)
        facts, thing = body["facts"], body["object"]
        is_use = body["action"] == "model.used"
        digest = (thing["digest"] if is_use else facts.get("model_digest")) or ""
        model = (thing["id"] if is_use else facts.get("model")) or ""
        if body["outcome"] == "done" and len(digest) == HEX_DIGITS:
            at = datetime.fromisoformat(body["ts"]).astimezone(UTC)
            yield digest, body["tenant"] or "", str(model)[:MAX_MODEL_CHARS], at
