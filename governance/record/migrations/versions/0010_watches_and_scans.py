"""Watched folders, and what was read of scanned pages."""

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Nothing yet."""
