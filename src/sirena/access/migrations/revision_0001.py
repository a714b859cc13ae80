"""The tables of accounts as Sirena 0.1.0 made them.

`access_schema` is what 0.1.0 looks at: every later revision that 0.1.0 cannot work with raises its number, so that a
package put back without its backup refuses instead of writing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
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
    schema = op.create_table("access_schema", sa.Column("version", sa.Integer, primary_key=True))
    op.bulk_insert(schema, [{"version": 1}])
