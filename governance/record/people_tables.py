"""Tables of people, what they may do, and how they sign in."""

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
)

from governance.record.tables import UtcDateTime, metadata

people = Table(
    "people",
    metadata,
    Column("id", String(36), primary_key=True),
    # `local`, the address of an OIDC provider, or `mtls`; with the subject the identity itself.
    Column("issuer", String(255), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("name", String(120), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    UniqueConstraint("issuer", "subject"),
)

passwords = Table(
    "passwords",
    metadata,
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("hash", String(255), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("role", String(32), nullable=False),
    # Without a department the role holds for the whole platform.
    Column("department_id", ForeignKey("departments.id")),
    # `standing`, `group` (from the identity provider) or `emergency`.
    Column("kind", String(16), nullable=False),
    Column("reason", Text),
    Column("granted_by", String(36)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    # Of an emergency grant: who looked at it afterwards.
    Column("reviewed_by", String(36)),
    Column("reviewed_at", UtcDateTime),
)

sessions = Table(
    "sessions",
    metadata,
    # SHA-256 of the cookie's value, in hex.
    Column("id", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("auth", String(16), nullable=False),
    Column("client", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("locked", Boolean, nullable=False, default=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(80), nullable=False),
    # SHA-256 of the secret part, in hex.
    Column("digest", String(64), nullable=False),
    # Permissions, separated by blanks; a key never has more than its owner.
    Column("scopes", Text, nullable=False),
    Column("department_id", ForeignKey("departments.id")),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

# One-time links: to become the first administrator, or to set a password.
tickets = Table(
    "tickets",
    metadata,
    # SHA-256 of the link's secret, in hex.
    Column("id", String(64), primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE")),
    # Without a person: the owner of the data directory.
    Column("issued_by", ForeignKey("people.id", ondelete="CASCADE")),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)

# Failed sign-ins by account and by address (both as keyed hashes).
throttles = Table(
    "throttles",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("blocked_until", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

# What a sign-in at an identity provider used up: its state, and that very authentication.
used_sign_ins = Table(
    "used_sign_ins",
    metadata,
    # SHA-256, in hex.
    Column("id", String(64), primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False),
)

Index("ix_sessions_expires_at", sessions.c.expires_at)
