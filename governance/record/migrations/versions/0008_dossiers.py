"""What goes with a proposal, and the evaluation reports that proposals cite."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column; rows from before have none. Reports are final like approvals."""
    # Not in batch mode, which would write the table anew and lose the triggers on it.
    op.add_column("approvals", sa.Column("dossier", sa.Text(), nullable=True))
    op.create_table(
        "evaluation_reports",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("suite_digest", sa.String(length=64), nullable=False),
        # Digests of the models that answered, separated by blanks.
        sa.Column("model_digests", sa.Text(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.String(length=255), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_evaluation_reports")),
    )
    forbid_changes("evaluation_reports")


def forbid_changes(table: str) -> None:
    """Let the database itself refuse to change or remove a report."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} BEGIN "
            "SELECT RAISE(ABORT, 'a report is never changed'); END"
            if sqlite
            else f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION approvals_are_final()"
        )
    if not sqlite:
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION approvals_are_final()"
        )
