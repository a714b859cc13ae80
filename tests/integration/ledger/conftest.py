"""Ledgers on both databases."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from pydantic import SecretStr

from sirena.ledger.store import Ledger, open_ledger
from sirena.settings.catalogue import Settings
from tests.integration.ledger.tampering import PostgresqlIntruder, SqliteIntruder
from tests.postgresql import Cluster, private_cluster


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL cluster of this test run."""
    with private_cluster() as running:
        yield running


@dataclass(frozen=True)
class Bench:
    """A fresh ledger and somebody with every right on its database."""

    settings: Settings
    ledger: Ledger
    intruder: SqliteIntruder | PostgresqlIntruder


def _bench(settings: Settings, intruder: SqliteIntruder | PostgresqlIntruder) -> Bench:
    return Bench(settings, open_ledger(settings), intruder)


@pytest.fixture
def sqlite_bench(tmp_path: Path) -> Bench:
    """A ledger in a SQLite file."""
    settings = Settings(home=tmp_path / "home")
    return _bench(settings, SqliteIntruder(settings.home / "ledger" / "ledger.db"))


@pytest.fixture
def postgresql_bench(cluster: Cluster, tmp_path: Path) -> Iterator[Bench]:
    """A ledger in a PostgreSQL database of its own."""
    name = f"ledger_{uuid4().hex[:8]}"
    cluster.execute(f"CREATE DATABASE {name}")
    settings = Settings(home=tmp_path / "home", database_url=SecretStr(cluster.url(name)))
    with psycopg.connect(cluster.url(name), autocommit=True) as connection:
        bench = _bench(settings, PostgresqlIntruder(connection))
        yield bench
        bench.ledger.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """A ledger on each database in turn."""
    found: Bench = request.getfixturevalue(f"{request.param}_bench")
    return found
