"""Tables of what readers say of answers, of the gaps they report, and of abbreviations."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from governance.record.tables import UtcDateTime, metadata

# What the person who asked says of an answer: one thumb for each question.
feedback = Table(
    "feedback",
    metadata,
    Column("id", String(36), primary_key=True),
    Column(
        "question_id",
        ForeignKey("questions.id", ondelete="CASCADE"),
        nullable=False,
        unique=True,
    ),
    Column("person_id", ForeignKey("people.id", ondelete="SET NULL"), index=True),
    Column("department_id", ForeignKey("departments.id"), nullable=False),
    # `up` or `down`; only the second has a reason.
    Column("verdict", String(8), nullable=False),
    Column("reason", String(24)),
    # `new`, `seen`, `fixed`, `declined`.
    Column("state", String(16), nullable=False),
    # The documents that the answer cites, as JSON.
    Column("policies", Text, nullable=False),
    Column("given_at", UtcDateTime, nullable=False),
    # Who looked at it last, and what they replied.
    Column("by", String(255)),
    Column("at", UtcDateTime),
    Column("reply", Text),
    Index("ix_feedback_department_id_given_at", "department_id", "given_at"),
)

# Something that no policy answers; reported by several people it is still one gap.
gaps = Table(
    "gaps",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("department_id", ForeignKey("departments.id"), nullable=False, index=True),
    # Keyed digest of the folded question; NULL where no word of it is kept.
    Column("fold", String(64)),
    # `open`, `answered`, `declined`.
    Column("state", String(16), nullable=False),
    Column("count", Integer, nullable=False),
    # The nearest documents, as JSON.
    Column("policies", Text, nullable=False),
    Column("reported_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    # The policy that answers it, if one does. No foreign key: an answer outlives its document.
    Column("document_id", String(36)),
    Column("reply", Text),
    Column("by", String(255)),
    Column("at", UtcDateTime),
    UniqueConstraint("department_id", "fold"),
)
gap_reports = Table(
    "gap_reports",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("gap_id", ForeignKey("gaps.id", ondelete="CASCADE"), nullable=False, index=True),
    Column(
        "question_id",
        ForeignKey("questions.id", ondelete="CASCADE"),
        nullable=False,
        unique=True,
    ),
    Column("person_id", ForeignKey("people.id", ondelete="SET NULL"), index=True),
    Column("at", UtcDateTime, nullable=False),
)

# The words that came with feedback or with a report of a gap, sealed as question bodies are.
report_texts = Table(
    "report_texts",
    metadata,
    # Of a row of `feedback` or of `gap_reports`.
    Column("report_id", String(36), primary_key=True),
    Column(
        "question_id",
        ForeignKey("questions.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("department_id", ForeignKey("departments.id"), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("nonce", LargeBinary(12), nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("masked", Boolean, nullable=False),
    Column("kept_at", UtcDateTime, nullable=False),
    Index("ix_report_texts_department_id_kept_at", "department_id", "kept_at"),
)

abbreviations = Table(
    "abbreviations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("department_id", ForeignKey("departments.id"), nullable=False),
    Column("short", String(80), nullable=False),
    Column("long", String(80), nullable=False),
    # As they are compared; folding can make text longer.
    Column("short_fold", String(320), nullable=False),
    Column("long_fold", String(320), nullable=False),
    Column("added_by", String(255), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    UniqueConstraint("department_id", "short_fold", "long_fold"),
)
