"""What the services behind the entry are given, tried as the account they run under."""

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from sirena.guidelines.editions import SHIPPED
from sirena.host.accounts import PreparationError
from sirena.ledger.store import open_ledger
from sirena.server.parts.part import Part
from sirena.server.parts.part_accounts import PartAccounts
from sirena.server.parts.postgresql import PostgreSql
from sirena.server.python_parts import PythonParts
from sirena.settings.catalogue import Settings
from tests.production_machine import private_home, production_settings

READ_EDITION = """
from sirena.guidelines.editions import Editions
from sirena.settings.catalogue import load_settings
print("AMK" in Editions(load_settings().editions_folder).load("CLSI 1998").drugs)
"""
NEEDS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="without root the services run as whoever starts them")


def python_parts(settings: Settings) -> PythonParts:
    """Describe the services as the stack does."""
    return PythonParts(settings, PartAccounts.of(settings).made(settings))


def parts_with_editions(parts: PythonParts) -> list[Part]:
    """Return the parts that read editions."""
    database = PostgreSql(parts.settings, parts.accounts.database, parts.accounts)
    return [parts.service(database), parts.pages(database), parts.access(database, parts.settings.home / "refused")]


def import_by_strict_umask(folder: Path) -> None:
    """Leave an edition that only its importer may read, as a restore or an older Sirena may have."""
    shutil.copytree(SHIPPED / "clsi_2025", folder / "clsi_1998")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_services_read_the_editions_of_the_stack(elsewhere: bool) -> None:
    """With the environment and as the account of each part; their own home holds none."""
    with private_home() as home:
        settings = production_settings(home, guidelines=home / "elsewhere" if elsewhere else None)
        import_by_strict_umask(settings.editions_folder)
        parts = python_parts(settings)
        parts.prepare()
        for part in parts_with_editions(parts):
            said = part.account.run([sys.executable, "-c", READ_EDITION], environment=part.environment)
            assert said.strip() == "True", part.name


def test_traces_are_asked_of_the_service_alone_and_only_on_wish() -> None:
    """What people type into the pages is in no span."""
    asked = "from sirena.serving.asked_traces import asks_for_traces; import os; print(asks_for_traces(os.environ))"
    for endpoint, expected in (("", ["False", "False", "False"]), ("http://[::1]:4318", ["True", "False", "False"])):
        with private_home() as home:
            parts = python_parts(production_settings(home, traces_endpoint=endpoint))
            parts.prepare()
            said = [
                part.account.run([sys.executable, "-c", asked], environment=part.environment).strip()
                for part in parts_with_editions(parts)
            ]
            assert said == expected


def test_service_and_pages_read_the_ledger_of_the_stack_and_may_read_nothing_else() -> None:
    """On a server as a role of its own, whose password is in a file of its own; else the file of the stack's home."""
    with private_home() as home:
        parts = python_parts(production_settings(home))
        service, pages, _ = (part.environment for part in parts_with_editions(parts))
        for given in (service, pages):
            assert given["SIRENA_DATABASE_URL"].startswith("postgresql://sirena_reader@127.0.0.1:")
        assert service["SIRENA_DATABASE_URL"].endswith("/secrets/pgpass_reader")
        assert pages["SIRENA_DATABASE_URL"].endswith("/secrets/pgpass_pages")
        # a trace may hold a cell of somebody's file
        assert pages["SIRENA_TRACE"] == "0"
        own = PythonParts(Settings(home=home), PartAccounts.all_of_this_process()).embedded_service().environment
        assert open_ledger(Settings(home=home)).store == own["SIRENA_DATABASE_URL"]


@NEEDS_ROOT
def test_an_unprivileged_account_may_read_editions_and_write_none() -> None:
    """By the modes of folder and files."""
    with private_home() as home:
        settings = production_settings(home, service_account="postgres")
        import_by_strict_umask(settings.editions_folder)
        table = settings.editions_folder / "clsi_1998" / "breakpoints.csv"
        parts = python_parts(settings)
        with pytest.raises(PreparationError):
            parts.accounts.service.run(["cat", str(table)])
        # an interpreter in root's home can be run by root alone, and that is found out last
        with suppress(PreparationError):
            parts.prepare()
        assert parts.accounts.service.run(["cat", str(table)]) == table.read_text(encoding="utf-8")
        for command in (["touch", str(table)], ["touch", str(table.with_name("new"))], ["rm", str(table)]):
            with pytest.raises(PreparationError):
                parts.accounts.service.run(command)


@NEEDS_ROOT
def test_a_folder_that_the_services_cannot_reach_is_named_before_anything_starts(tmp_path: Path) -> None:
    """Rather than refusing every promotion later."""
    tmp_path.chmod(0o700)
    with private_home() as home:
        settings = production_settings(home, guidelines=tmp_path / "editions", service_account="postgres")
        (tmp_path / "editions").mkdir()
        parts = python_parts(settings)
        with pytest.raises(PreparationError, match="cannot enter"):
            parts.prepare()


def test_no_editions_are_no_trouble() -> None:
    """A fresh server has imported none."""
    with private_home() as home:
        settings = production_settings(home)
        python_parts(settings).prepare()
        assert not settings.editions_folder.exists()
