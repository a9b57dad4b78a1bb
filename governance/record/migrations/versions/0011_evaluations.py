"""Gold questions of departments, runs over them, and the gate."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Nothing yet."""
