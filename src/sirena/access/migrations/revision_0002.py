"""Accounts that an OpenID provider vouches for, by issuer and subject."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "access_external_identities",
        sa.Column("issuer", sa.String(512), primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        sa.Column("account", sa.String(128), sa.ForeignKey("access_accounts.name"), nullable=False, unique=True),
        sa.Column("created", sa.Double, nullable=False),
    )
    op.execute("UPDATE access_schema SET version = 2")
