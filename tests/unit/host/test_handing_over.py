"""Files go over to the account that a part runs under now."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from sirena.host.accounts import OsAccount, PreparationError
from sirena.host.handing_over import own_whole
from sirena.server.parts.part_accounts import PartAccounts
from sirena.server.python_parts import PythonParts
from tests.production_machine import private_home, production_settings

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")


def owners(folder: Path) -> set[int]:
    """Return who owns a folder and anything below it, links themselves and not what they lead to."""
    return {folder.stat().st_uid, *(path.lstat().st_uid for path in folder.rglob("*"))}


def test_everything_below_goes_over_and_nothing_a_link_leads_to(tmp_path: Path) -> None:
    """The folder itself last, so that a hand-over that was interrupted is repeated."""
    former, new = OsAccount.named("nobody"), OsAccount.named("postgres")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("root's")
    home = tmp_path / "home"
    (home / "deep" / "er").mkdir(parents=True)
    (home / "deep" / "er" / "file").write_text("of the part")
    (home / "link").symlink_to(elsewhere)
    (home / "folder").symlink_to(tmp_path)
    os.chown(home, former.uid, former.gid)
    own_whole(new, home)
    assert owners(home) == {new.uid}
    assert {elsewhere.stat().st_uid, tmp_path.stat().st_uid} == {0}


def test_the_homes_of_the_services_go_over_with_what_is_in_them() -> None:
    """What the former account has made there, the new one must be able to write."""
    with private_home() as home:
        settings = production_settings(home, service_account="nobody")
        for folder in (settings.mlflow_home, settings.answering_home, settings.service_home):
            (folder / "ledger").mkdir(parents=True)
            (folder / "ledger" / "head.json").write_text("{}")
            for path in (folder, *folder.rglob("*")):
                os.chown(path, OsAccount.named("nobody").uid, -1)
        later = settings.model_copy(update={"service_account": "postgres"})
        parts = PythonParts(later, PartAccounts.of(later).made(later))
        # an interpreter in root's home can be run by root alone, and that is found out last
        with suppress(PreparationError):
            parts.prepare()
        postgres = OsAccount.named("postgres").uid
        for folder in (later.mlflow_home, later.answering_home, later.service_home):
            assert owners(folder) == {postgres}
