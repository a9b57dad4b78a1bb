"""Tables of use: questions, what is kept of their text and for how long, quotas and usage."""

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

questions = Table(
    "questions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="SET NULL"), index=True),
    Column("department_id", ForeignKey("departments.id"), nullable=False),
    # `page`, `api`, `openai`, `command`.
    Column("channel", String(16), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    # `answered`, `not_found`, `refused`, `failed`, `aborted`.
    Column("status", String(16), nullable=False),
    # JSON: passages and versions by id and hash, model, prompt version, checks, timings; no text.
    Column("details", Text, nullable=False),
    Index("ix_questions_department_id_asked_at", "department_id", "asked_at"),
)

# Question and answer themselves, encrypted, where the department keeps them.
question_bodies = Table(
    "question_bodies",
    metadata,
    Column("question_id", ForeignKey("questions.id", ondelete="CASCADE"), primary_key=True),
    Column("department_id", ForeignKey("departments.id"), nullable=False, index=True),
    # AES-256-GCM under a key of its own, which lies here wrapped by the department's key.
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("nonce", LargeBinary(12), nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("masked", Boolean, nullable=False),
    Column("purge_at", UtcDateTime, nullable=False, index=True),
    Column("held", Boolean, nullable=False, default=False),
)

vault_keys = Table(
    "vault_keys",
    metadata,
    Column("department_id", ForeignKey("departments.id"), primary_key=True),
    # Wrapped by the key file of the data directory.
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

retention_rules = Table(
    "retention_rules",
    metadata,
    Column("department_id", ForeignKey("departments.id"), primary_key=True),
    Column("mode", String(16), nullable=False),
    Column("days", Integer, nullable=False),
    Column("legal_hold", Boolean, nullable=False, default=False),
    # A change that was proposed, and by whom; a second person agrees.
    Column("proposed_mode", String(16)),
    Column("proposed_days", Integer),
    Column("proposed_by", String(36)),
    Column("agreed_by", String(36)),
    Column("takes_effect_at", UtcDateTime),
)

quotas = Table(
    "quotas",
    metadata,
    Column("id", String(36), primary_key=True),
    # Without a department the whole platform's; without a person everybody's together there.
    Column("department_id", ForeignKey("departments.id")),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE")),
    # True: the limit of each person for themselves, where no limit names them.
    Column("each_person", Boolean, nullable=False, default=False),
    Column("period", String(8), nullable=False),
    Column("requests", Integer),
    Column("tokens", Integer),
    UniqueConstraint("department_id", "person_id", "each_person", "period"),
)

usage = Table(
    "usage",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="SET NULL")),
    Column("department_id", ForeignKey("departments.id")),
    Column("at", UtcDateTime, nullable=False),
    # `reserved`, `settled` or `released`; a reservation whose lease ran out counts as released.
    Column("state", String(16), nullable=False),
    Column("requests", Integer, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("lease_until", UtcDateTime, nullable=False),
    Index("ix_usage_department_id_at", "department_id", "at"),
    Index("ix_usage_person_id_at", "person_id", "at"),
)
