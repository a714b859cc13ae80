"""The tables of accounts, external identities, tokens and sessions.

This is the first revision that is kept. It replaces earlier ones and has the number of the last of them, so that
databases made by those need no change; see ADR 35.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "access_accounts",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("roles", sa.String(256), nullable=False),
        sa.Column("password_hash", sa.String(512)),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("failed_attempts", sa.Integer, nullable=False),
        sa.Column("locked_until", sa.Double, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
    )
    op.create_table(
        "access_tokens",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("account", sa.String(128), sa.ForeignKey("access_accounts.name"), nullable=False, index=True),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("scopes", sa.String(512), nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("revoked", sa.Double),
        sa.Column("last_used", sa.Double),
    )
    op.create_table(
        "access_sessions",
        sa.Column("secret_sha256", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(128), sa.ForeignKey("access_accounts.name"), nullable=False, index=True),
        sa.Column("csrf_sha256", sa.String(64), nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("revoked", sa.Double),
    )
    op.create_table(
        "access_external_identities",
        sa.Column("issuer", sa.String(512), primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        sa.Column("account", sa.String(128), sa.ForeignKey("access_accounts.name"), nullable=False, unique=True),
        sa.Column("created", sa.Double, nullable=False),
    )
