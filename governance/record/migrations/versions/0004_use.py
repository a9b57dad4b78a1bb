"""Questions, what is kept of their text, quotas and usage; who handed a file in."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create these tables."""
    create_questions()
    create_question_bodies()
    create_vault_keys()
    create_retention_rules()
    create_quotas()
    create_usage()
    op.add_column("jobs", sa.Column("actor", sa.Text(), nullable=True))


def create_questions() -> None:
    """Create the table `questions` with its indexes."""
    op.create_table(
        "questions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=True),
        sa.Column("department_id", sa.String(length=36), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
            name=op.f("fk_questions_department_id_departments"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_questions_person_id_people"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
    )
    op.create_index(
        "ix_questions_department_id_asked_at",
        "questions",
        ["department_id", "asked_at"],
        unique=False,
    )
    op.create_index(op.f("ix_questions_person_id"), "questions", ["person_id"], unique=False)


def create_question_bodies() -> None:
    """Create the table `question_bodies` with its indexes."""
    op.create_table(
        "question_bodies",
        sa.Column("question_id", sa.String(length=36), nullable=False),
        sa.Column("department_id", sa.String(length=36), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=12), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("masked", sa.Boolean(), nullable=False),
        sa.Column("purge_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
            name=op.f("fk_question_bodies_department_id_departments"),
        ),
        sa.ForeignKeyConstraint(
            ["question_id"],
            ["questions.id"],
            name=op.f("fk_question_bodies_question_id_questions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("question_id", name=op.f("pk_question_bodies")),
    )
    op.create_index(
        op.f("ix_question_bodies_department_id"), "question_bodies", ["department_id"], unique=False
    )
    op.create_index(
        op.f("ix_question_bodies_purge_at"), "question_bodies", ["purge_at"], unique=False
    )


def create_vault_keys() -> None:
    """Create the table `vault_keys` with its indexes."""
    op.create_table(
        "vault_keys",
        sa.Column("department_id", sa.String(length=36), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
            name=op.f("fk_vault_keys_department_id_departments"),
        ),
        sa.PrimaryKeyConstraint("department_id", name=op.f("pk_vault_keys")),
    )


def create_retention_rules() -> None:
    """Create the table `retention_rules` with its indexes."""
    op.create_table(
        "retention_rules",
        sa.Column("department_id", sa.String(length=36), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("legal_hold", sa.Boolean(), nullable=False),
        sa.Column("proposed_days", sa.Integer(), nullable=True),
        sa.Column("proposed_by", sa.String(length=36), nullable=True),
        sa.Column("agreed_by", sa.String(length=36), nullable=True),
        sa.Column("takes_effect_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["departments.id"],
            name=op.f("fk_retention_rules_department_id_departments"),
        ),
        sa.PrimaryKeyConstraint("department_id", name=op.f("pk_retention_rules")),
    )


def create_quotas() -> None:
    """Create the table `quotas` with its indexes."""
    op.create_table(
        "quotas",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("department_id", sa.String(length=36), nullable=True),
        sa.Column("person_id", sa.String(length=36), nullable=True),
        sa.Column("each_person", sa.Boolean(), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=True),
        sa.Column("tokens", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["department_id"], ["departments.id"], name=op.f("fk_quotas_department_id_departments")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_quotas_person_id_people"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotas")),
        sa.UniqueConstraint(
            "department_id",
            "person_id",
            "each_person",
            "period",
            name=op.f("uq_quotas_department_id_person_id_each_person_period"),
        ),
    )


def create_usage() -> None:
    """Create the table `usage` with its indexes."""
    op.create_table(
        "usage",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=True),
        sa.Column("department_id", sa.String(length=36), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["departments.id"], name=op.f("fk_usage_department_id_departments")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_usage_person_id_people"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage")),
    )
    op.create_index("ix_usage_department_id_at", "usage", ["department_id", "at"], unique=False)
    op.create_index("ix_usage_person_id_at", "usage", ["person_id", "at"], unique=False)
