"""Of a sign-in at an identity provider, what it used up is kept instead of what is under way."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Drop the sign-ins under way, which begin again, and create the table `used_sign_ins`."""
    op.drop_table("oidc_flows")
    op.create_table(
        "used_sign_ins",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_used_sign_ins")),
    )
