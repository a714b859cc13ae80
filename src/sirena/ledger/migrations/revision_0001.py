"""The ledger's table and the triggers that keep it append-only.

PostgreSQL and SQLite themselves refuse to change or remove an entry, and to add an entry that does not continue the
last one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_GUARDS = {
    "postgresql": {
        "ledger_keeps": """
            CREATE FUNCTION ledger_keep() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
            CREATE TRIGGER ledger_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_keep();
            ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER ledger_keeps""",
        "ledger_continues": """
            CREATE FUNCTION ledger_continue() RETURNS trigger LANGUAGE plpgsql AS
            $$ DECLARE final record;
            BEGIN
                SELECT seq, hash INTO final FROM ledger_entries ORDER BY seq DESC LIMIT 1;
                IF NEW.seq IS DISTINCT FROM coalesce(final.seq, 0) + 1
                   OR NEW.previous IS DISTINCT FROM coalesce(final.hash, repeat('0', 64)) THEN
                    RAISE EXCEPTION 'an entry continues the last one';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER ledger_continues BEFORE INSERT ON ledger_entries
            FOR EACH ROW EXECUTE FUNCTION ledger_continue();
            ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER ledger_continues""",
    },
    "sqlite": {
        "ledger_keeps_update": """
            CREATE TRIGGER ledger_keeps_update BEFORE UPDATE ON ledger_entries
            BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
        "ledger_keeps_delete": """
            CREATE TRIGGER ledger_keeps_delete BEFORE DELETE ON ledger_entries
            BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
        "ledger_continues": """
            CREATE TRIGGER ledger_continues BEFORE INSERT ON ledger_entries
            WHEN NEW.seq IS NOT coalesce((SELECT max(seq) FROM ledger_entries), 0) + 1
              OR NEW.previous IS NOT
                 coalesce((SELECT hash FROM ledger_entries ORDER BY seq DESC LIMIT 1), printf('%064d', 0))
            BEGIN SELECT RAISE(ABORT, 'an entry continues the last one'); END""",
    },
}
"""Statements that make each trigger, by database."""


def upgrade() -> None:
    """Make the table and its triggers."""
    op.create_table(
        "ledger_entries",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("at", "event", "outcome", "who", "origin", "request_id", "act", "details", "previous", "hash")
        ),
    )
    connection = op.get_bind()
    for statements in _GUARDS[connection.dialect.name].values():
        connection.exec_driver_sql(statements)
