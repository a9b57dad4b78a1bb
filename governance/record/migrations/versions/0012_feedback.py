"""What readers say of answers, gaps they report, abbreviations of a department."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

MOMENT = sa.DateTime(timezone=True)
KINDS: dict[str, Any] = {
    "t": sa.Text(),
    "i": sa.Integer(),
    "m": MOMENT,
    "b": sa.LargeBinary(),
    "o": sa.Boolean(),
}


def upgrade() -> None:
    """Create the tables of `feedback_tables.py`."""
    op.create_table(
        "feedback",
        *columns(
            "id:36 question_id:36 person_id:36? department_id:36 verdict:8 reason:24? state:16 "
            "policies:t given_at:m by:255? at:m? reply:t?"
        ),
        *keys("feedback", question_id="questions", person_id="people", department_id="departments"),
        unique("feedback", "question_id"),
    )
    op.create_index(op.f("ix_feedback_person_id"), "feedback", ["person_id"])
    op.create_index("ix_feedback_department_id_given_at", "feedback", ["department_id", "given_at"])
    create_gaps()
    op.create_table(
        "report_texts",
        *columns(
            "report_id:36 question_id:36 department_id:36 wrapped_key:b nonce:b ciphertext:b "
            "masked:o kept_at:m"
        ),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_report_texts")),
        *references("report_texts", question_id="questions", department_id="departments"),
    )
    op.create_index(op.f("ix_report_texts_question_id"), "report_texts", ["question_id"])
    op.create_index(
        "ix_report_texts_department_id_kept_at", "report_texts", ["department_id", "kept_at"]
    )
    op.create_table(
        "abbreviations",
        *columns(
            "id:36 department_id:36 short:80 long:80 short_fold:320 long_fold:320 "
            "added_by:255 added_at:m"
        ),
        *keys("abbreviations", department_id="departments"),
        unique("abbreviations", "department_id", "short_fold", "long_fold"),
    )


def create_gaps() -> None:
    """Gaps, and who reported them."""
    op.create_table(
        "gaps",
        *columns(
            "id:36 department_id:36 fold:64? state:16 count:i policies:t reported_at:m last_at:m "
            "document_id:36? reply:t? by:255? at:m?"
        ),
        *keys("gaps", department_id="departments"),
        unique("gaps", "department_id", "fold"),
    )
    op.create_index(op.f("ix_gaps_department_id"), "gaps", ["department_id"])
    op.create_table(
        "gap_reports",
        *columns("id:36 gap_id:36 question_id:36 person_id:36? at:m"),
        *keys("gap_reports", gap_id="gaps", question_id="questions", person_id="people"),
        unique("gap_reports", "question_id"),
    )
    for name in ("gap_id", "person_id"):
        op.create_index(op.f(f"ix_gap_reports_{name}"), "gap_reports", [name])


def columns(described: str) -> list[sa.Column[Any]]:
    """Columns as "name:kind", kind a length or one of KINDS; "?" may be NULL."""
    made: list[sa.Column[Any]] = []
    for one in described.split():
        name, kind = one.rstrip("?").split(":")
        column_type = KINDS[kind] if kind in KINDS else sa.String(length=int(kind))
        made.append(sa.Column(name, column_type, nullable=one.endswith("?")))
    return made


def keys(table: str, **to: str) -> list[sa.Constraint]:
    """The primary key `id`, and the references."""
    return [sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")), *references(table, **to)]


def references(table: str, **to: str) -> list[sa.Constraint]:
    """Foreign keys: a row goes with its question and gap, and stays without its person."""
    ends = {"people": "SET NULL", "departments": None}
    return [
        sa.ForeignKeyConstraint(
            [name],
            [f"{other}.id"],
            name=op.f(f"fk_{table}_{name}_{other}"),
            ondelete=ends.get(other, "CASCADE"),
        )
        for name, other in to.items()
    ]


def unique(table: str, *names: str) -> sa.UniqueConstraint:
    """What stands there once."""
    return sa.UniqueConstraint(*names, name=op.f(f"uq_{table}_{'_'.join(names)}"))
