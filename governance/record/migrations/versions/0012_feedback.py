"""What readers say of answers, gaps they report, abbreviations of a department."""

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Nothing yet."""
