"""Two versions of PostgreSQL on one server: the databases are opened by the one that made them."""

import shutil
from pathlib import Path

import pytest

from sirena.host.accounts import OsAccount, PreparationError
from sirena.server.checks.finding import CheckReport, CheckVerdict
from sirena.server.checks.programs import look_at_programs
from sirena.server.parts import postgresql
from sirena.server.parts.part_accounts import PartAccounts
from sirena.server.parts.postgresql import PostgreSql
from sirena.settings.catalogue import Settings

PROGRAM = "#!/bin/sh\necho 'postgres (PostgreSQL) {major}.4'\n"


@pytest.fixture
def debians(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server that another program gave PostgreSQL 17, beside 15."""
    for major in ("15", "17"):
        folder = tmp_path / "postgresql" / major / "bin"
        folder.mkdir(parents=True)
        for name in ("postgres", "pg_isready", "pg_ctl", "initdb", "pg_dump", "pg_restore"):
            (folder / name).write_text(PROGRAM.format(major=major))
            (folder / name).chmod(0o755)
    monkeypatch.setattr(postgresql, "DEBIANS", tmp_path / "postgresql")
    return tmp_path / "postgresql"


@pytest.fixture
def cluster(tmp_path: Path) -> PostgreSql:
    """A home whose databases do not exist yet."""
    own = OsAccount.of_this_process()
    return PostgreSql(Settings(home=tmp_path / "home", profile="production"), own, PartAccounts.all_of_this_process())


def made_by(cluster: PostgreSql, major: str) -> None:
    """Note as PostgreSQL does which version made the databases."""
    cluster.data.mkdir(parents=True)
    (cluster.data / "PG_VERSION").write_text(f"{major}\n")


def test_new_databases_are_made_by_the_newest(debians: Path, cluster: PostgreSql) -> None:
    """There are none yet that an older one would have to open."""
    assert cluster.part().command[0] == str(debians / "17" / "bin" / "postgres")


def test_databases_are_opened_by_the_version_that_made_them(debians: Path, cluster: PostgreSql) -> None:
    """A newer one beside it refuses them; the stack would not come up after the next `sirena up`."""
    made_by(cluster, "15")
    part = cluster.part()
    assert (part.command[0], part.version) == (str(debians / "15" / "bin" / "postgres"), "15.4")


def test_a_version_that_was_removed_is_told_with_both_ways_on(debians: Path, cluster: PostgreSql) -> None:
    """By `up` and by the doctor: install it again, or let a restore make new databases."""
    made_by(cluster, "15")
    shutil.rmtree(debians / "15")
    with pytest.raises(PreparationError, match="made by PostgreSQL 15, which is not installed") as refused:
        cluster.part()
    assert "apt-get install postgresql-15" in refused.value.hint
    assert "PostgreSQL 17 makes new ones" in refused.value.hint
    check_report = CheckReport()
    look_at_programs(cluster.settings, check_report)
    told = next(one for one in check_report.findings if one.name == "postgresql")
    assert (told.verdict, "postgresql-15" in told.remedy) == (CheckVerdict.WRONG, True)
