"""Tables of evaluation: gold questions of departments, runs over them, and the gate."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from governance.record.tables import UtcDateTime, metadata

gold_questions = Table(
    "gold_questions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("department_id", ForeignKey("departments.id"), nullable=False, index=True),
    # The id in the question file it came from; once in a department.
    Column("key", String(80), nullable=False),
    # `active` or `retired`.
    Column("state", String(16), nullable=False),
    # `written`, `imported` or `feedback`.
    Column("origin", String(16), nullable=False),
    Column("question", Text, nullable=False),
    Column("answerable", Boolean, nullable=False),
    # A list of texts, as JSON.
    Column("answers", Text, nullable=False),
    Column("answer_type", String(16), nullable=False),
    Column("added_by", String(255), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("changed_by", String(255), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint("department_id", "key"),
)

# The places that answer it. The evidence is words of the document, so it goes when that is erased.
gold_places = Table(
    "gold_places",
    metadata,
    Column("gold_id", ForeignKey("gold_questions.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column(
        "document_id", ForeignKey("documents.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    # The version the evidence was found in. No foreign key: a place outlives a version.
    Column("version_id", String(36), nullable=False),
    Column("evidence", Text, nullable=False),
)

# What a gold question was before each change. Of its places the digest alone: see above.
gold_changes = Table(
    "gold_changes",
    metadata,
    Column("gold_id", ForeignKey("gold_questions.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    # `added`, `changed`, `retired`, `restored`.
    Column("act", String(16), nullable=False),
    # Question, answerable, answers, answer type and the digest of the places after it, as JSON.
    Column("content", Text, nullable=False),
    Column("by", String(255), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

evaluation_runs = Table(
    "evaluation_runs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("department_id", ForeignKey("departments.id"), nullable=False),
    Column("started_by", String(255), nullable=False),
    # Who asks, as JSON: the rights and walls of this person hold for every question.
    Column("actor", Text, nullable=False),
    # `queued`, `running`, `done`, `failed`, `stopped`.
    Column("state", String(16), nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    # Everything that decides answers, as JSON, and the SHA-256 of that.
    Column("configuration", Text, nullable=False),
    Column("configuration_digest", String(64), nullable=False),
    Column("suite_digest", String(64), nullable=False),
    # Model name to digest, as JSON.
    Column("model_digests", Text, nullable=False),
    # Numbers by group and name, as JSON; NULL until it is done.
    Column("figures", Text),
    Column("is_baseline", Boolean, nullable=False, server_default=false()),
    Column("problem", Text, nullable=False, server_default=""),
    Column("hint", Text, nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index("ix_evaluation_runs_department_id_created_at", "department_id", "created_at"),
)

# One row for each question of a run, made when the run is; it is filled when it was asked.
evaluation_items = Table(
    "evaluation_items",
    metadata,
    Column("run_id", ForeignKey("evaluation_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    # No foreign key: what was measured outlives the gold question.
    Column("gold_id", String(36), nullable=False),
    Column("key", String(80), nullable=False),
    Column("question", Text, nullable=False),
    Column("answerable", Boolean, nullable=False),
    # NULL until it was asked: `answered`, `not_found`, `refused` or `failed`.
    Column("status", String(16)),
    Column("answer", Text),
    # Passage, version, hit: what was found and cited, and its scores and times, as JSON; no text.
    Column("found", Text),
    Column("cited", Text),
    Column("scores", Text),
    Column("timings_ms", Text),
    Column("error", Text),
    Column("asked_at", UtcDateTime),
)

evaluation_gates = Table(
    "evaluation_gates",
    metadata,
    Column("department_id", ForeignKey("departments.id"), primary_key=True),
    # `off`, `warn` or `block`.
    Column("mode", String(8), nullable=False),
    # The least figures, and how far each may drop below the baseline, as JSON.
    Column("thresholds", Text, nullable=False),
    Column("margins", Text, nullable=False),
    Column("changed_by", String(255), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    # An exception: by whom, why and until when.
    Column("override_by", String(255)),
    Column("override_reason", Text),
    Column("override_until", UtcDateTime),
)
