"""Watched folders, what was read of scanned pages, and debts whose passages are written again."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

MOMENT = sa.DateTime(timezone=True)
LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables of `intake_tables.py`."""
    op.add_column(
        "index_debts",
        sa.Column("rewrite", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "page_scans",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("reader", sa.String(length=40), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", "reader", "page", name=op.f("pk_page_scans")),
    )
    create_watches()
    create_missing()


def create_watches() -> None:
    """Watched folders, and what is remembered of their files."""
    op.create_table(
        "watched_folders",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("department_id", sa.String(length=36), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("added_by", sa.String(length=255), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("looked_at", MOMENT, nullable=True),
        sa.Column("problem", sa.Text(), nullable=False, server_default=""),
        sa.Column("hint", sa.Text(), nullable=False, server_default=""),
        sa.Column("asks", sa.Boolean(), nullable=False),
        sa.Column("confirmed_by", sa.String(length=255), nullable=True),
        sa.Column("unread", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watched_folders")),
        of_department("watched_folders"),
    )
    op.create_index(op.f("ix_watched_folders_department_id"), "watched_folders", ["department_id"])
    op.create_table(
        "watched_files",
        sa.Column("folder_id", sa.String(length=36), nullable=False),
        sa.Column("path_digest", sa.String(length=64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size_bytes", LONG, nullable=False),
        sa.Column("modified_ns", LONG, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("is_read", sa.Boolean(), nullable=False),
        sa.Column("missing_looks", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.String(length=36), nullable=True),
        sa.Column("found", sa.String(length=16), nullable=False, server_default=""),
        sa.Column("found_at", MOMENT, nullable=True),
        sa.Column("problem", sa.Text(), nullable=False, server_default=""),
        sa.Column("hint", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("folder_id", "path_digest", name=op.f("pk_watched_files")),
        sa.ForeignKeyConstraint(
            ["folder_id"],
            ["watched_folders.id"],
            name=op.f("fk_watched_files_folder_id_watched_folders"),
            ondelete="CASCADE",
        ),
    )


def create_missing() -> None:
    """Files that are gone, whose documents somebody should retire or keep."""
    op.create_table(
        "missing_files",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("document_id", sa.String(length=36), nullable=False),
        sa.Column("department_id", sa.String(length=36), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("settled_as", sa.String(length=16), nullable=True),
        sa.Column("settled_by", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_missing_files")),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
            name=op.f("fk_missing_files_document_id_documents"),
            ondelete="CASCADE",
        ),
        of_department("missing_files"),
    )
    for name in ("document_id", "department_id"):
        op.create_index(op.f(f"ix_missing_files_{name}"), "missing_files", [name])


def of_department(table: str) -> sa.ForeignKeyConstraint:
    """The reference to a department."""
    return sa.ForeignKeyConstraint(
        ["department_id"],
        ["departments.id"],
        name=op.f(f"fk_{table}_department_id_departments"),
    )
