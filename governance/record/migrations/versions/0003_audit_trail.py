"""The audit trail, which grows and never changes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create these tables."""
    create_audit_leaves()
    create_audit_nodes()
    create_audit_checkpoints()
    forbid_changes()


def create_audit_leaves() -> None:
    """Create the table `audit_leaves` with its indexes."""
    op.create_table(
        "audit_leaves",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("actor_id", sa.String(length=255), nullable=False),
        sa.Column("department_id", sa.String(length=36), nullable=True),
        sa.Column("object_id", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_leaves")),
    )
    op.create_index("ix_audit_leaves_action", "audit_leaves", ["action", "seq"], unique=False)
    op.create_index("ix_audit_leaves_actor_id", "audit_leaves", ["actor_id", "seq"], unique=False)
    op.create_index("ix_audit_leaves_at", "audit_leaves", ["at"], unique=False)
    op.create_index(
        "ix_audit_leaves_department_id", "audit_leaves", ["department_id", "seq"], unique=False
    )
    op.create_index("ix_audit_leaves_object_id", "audit_leaves", ["object_id", "seq"], unique=False)


def create_audit_nodes() -> None:
    """Create the table `audit_nodes` with its indexes."""
    op.create_table(
        "audit_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_audit_nodes")),
    )


def create_audit_checkpoints() -> None:
    """Create the table `audit_checkpoints` with its indexes."""
    op.create_table(
        "audit_checkpoints",
        sa.Column(
            "size",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_audit_checkpoints")),
    )


def forbid_changes() -> None:
    """Let the database itself refuse to change or remove what the trail holds."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    if not sqlite:
        op.execute(
            "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$"
        )
    for table in ("audit_leaves", "audit_nodes", "audit_checkpoints"):
        for act in ("UPDATE", "DELETE"):
            name = f"{table}_no_{act.lower()}"
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {act} ON {table} BEGIN "
                "SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
                if sqlite
                else f"CREATE TRIGGER {name} BEFORE {act} ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()"
            )
        if not sqlite:
            op.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
            )
