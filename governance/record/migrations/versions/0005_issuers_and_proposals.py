"""Who issued a one-time link, and a proposed mode of retention in a column of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the links anew, and split what stood in one column."""
    renew_tickets()
    split_modes()


def renew_tickets() -> None:
    """Create the table `tickets` with its new column; a link whose issuer nobody knows ends."""
    op.drop_table("tickets")
    op.create_table(
        "tickets",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=True),
        sa.Column("issued_by", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_tickets_person_id_people"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["issued_by"],
            ["people.id"],
            name=op.f("fk_tickets_issued_by_people"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
    )


def split_modes() -> None:
    """Give a proposed mode its own column; before, it stood after the one in force: `none>full`."""
    op.add_column("retention_rules", sa.Column("proposed_mode", sa.String(length=16)))
    rules = sa.table(
        "retention_rules",
        sa.column("department_id", sa.String),
        sa.column("mode", sa.String),
        sa.column("proposed_mode", sa.String),
        sa.column("proposed_days", sa.Integer),
    )
    proposed = sa.select(rules.c.department_id, rules.c.mode).where(
        rules.c.proposed_days.is_not(None)
    )
    for department_id, both in op.get_bind().execute(proposed).all():
        mode, _, wanted = both.partition(">")
        split = rules.update().where(rules.c.department_id == department_id)
        op.execute(split.values(mode=mode, proposed_mode=wanted or mode))
