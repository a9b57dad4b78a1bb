"""Tables of models: who approved which digest for what, what is blocked, and what was used."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from governance.record.tables import UtcDateTime, metadata

# Proposals as they were made. The database itself refuses to change or remove a row.
approvals = Table(
    "approvals",
    metadata,
    Column("id", String(36), primary_key=True),
    # SHA-256 of the manifest, in hex: file, template, parameters and all else that it names.
    Column("digest", String(64), nullable=False, index=True),
    Column("model", String(200), nullable=False),
    # Classes of data, separated by blanks.
    Column("data_classes", Text, nullable=False),
    # Ids, separated by blanks; without any, all departments.
    Column("department_ids", Text),
    Column("purposes", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    # Digests of reports, separated by blanks.
    Column("report_digests", Text, nullable=False),
    # The document of the privacy impact assessment.
    Column("pia_document", String(120)),
    Column("reason", Text, nullable=False),
    Column("proposed_by", String(255), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    # JSON: risks, conditions, origin and basis; none where it was proposed before these were asked.
    Column("dossier", Text),
)

# What became of a proposal, one row for each person's act; these rows stay as well.
approval_steps = Table(
    "approval_steps",
    metadata,
    Column("approval_id", ForeignKey("approvals.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    # `approve`, `withdraw` or `revoke`.
    Column("kind", String(16), nullable=False),
    Column("by", String(255), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# Results of `lamplight eval` that somebody recorded, by the SHA-256 of their text. Final as well.
evaluation_reports = Table(
    "evaluation_reports",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("suite_digest", String(64), nullable=False),
    # Digests of the models that answered, separated by blanks.
    Column("model_digests", Text, nullable=False),
    # JSON of the figures; no text of questions or answers.
    Column("figures", Text, nullable=False),
    Column("recorded_by", String(255), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

model_blocks = Table(
    "model_blocks",
    metadata,
    Column("id", String(36), primary_key=True),
    # Without a digest every model; without a department everywhere.
    Column("digest", String(64)),
    Column("department_id", ForeignKey("departments.id")),
    Column("reason", Text, nullable=False),
    Column("set_by", String(255), nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
    Column("lifted_by", String(255)),
    Column("lifted_at", UtcDateTime),
)

# A department that is not here has the usual class.
department_classes = Table(
    "department_classes",
    metadata,
    Column("department_id", ForeignKey("departments.id"), primary_key=True),
    Column("data_class", String(32), nullable=False),
)

# Which digests ever answered, for whom. Ids of departments that are not known are empty.
model_uses = Table(
    "model_uses",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("department_id", String(36), primary_key=True),
    Column("model", String(200), nullable=False),
    Column("uses", Integer, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
)

Index("ix_model_blocks_lifted_at", model_blocks.c.lifted_at)
