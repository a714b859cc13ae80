"""What `sirena doctor` says of accounts and what they can reach."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from sirena.host.accounts import OsAccount
from sirena.server.checks.accounts import barrier, look_at_accounts
from sirena.server.checks.finding import CheckReport, CheckVerdict
from tests.integration.server.checks.findings import FRESH, named
from tests.production_machine import private_home, production_settings

OF_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root starts parts under other accounts")


@OF_ROOT
def test_a_folder_that_bars_an_account_is_named(check_report: CheckReport) -> None:
    """The first on the way, however deep the home lies; an account that is not there is told with how to make it."""
    with private_home() as home:
        closed = home / "closed"
        closed.mkdir(mode=0o700)
        settings = production_settings(closed / "deep" / "home", service_account="root")
        assert barrier(OsAccount.named("postgres"), closed) == closed
        look_at_accounts(settings, check_report, FRESH)
        (found,) = named(check_report, "account postgres")
        assert (found.verdict, found.told) == (CheckVerdict.WRONG, f"cannot enter {closed}, which leads to SIRENA_HOME")
        assert f"chmod o+x {closed}" in found.remedy
        assert [one.verdict for one in named(check_report, "account root")] == [CheckVerdict.WELL]
        look_at_accounts(settings.model_copy(update={"home": closed}), check_report, FRESH)
        assert named(check_report, "account postgres")[-1].verdict is CheckVerdict.WELL, (
            "`sirena up` opens the home itself"
        )
        look_at_accounts(settings.model_copy(update={"service_account": "nobody-here"}), check_report, FRESH)
        (absent,) = named(check_report, "account nobody-here")
        assert "useradd --system nobody-here" in absent.remedy
        look_at_accounts(settings.model_copy(update={"account": "root"}), check_report, FRESH)
        assert "PostgreSQL refuses to run as root" in [one.told for one in named(check_report, "account root")]


@OF_ROOT
def test_files_that_the_services_cannot_read_are_named_with_their_setting(check_report: CheckReport) -> None:
    """Closed by their own rights, by a folder above, or not there; readable ones are not spoken of."""
    with private_home() as home:
        closed = home / "closed"
        closed.mkdir(mode=0o700)
        files: dict[str, Any] = {
            "gate": closed / "gate.toml",
            "overlay": home / "rules.csv",
            "policy": home / "gone.toml",
        }
        files["gate"].touch()
        files["overlay"].touch(mode=0o600)
        # an interpreter in root's home can be run by root alone; the finding about it is another test's
        settings = production_settings(home / "home", service_account="nobody", **files)
        look_at_accounts(settings, check_report, FRESH)
        told = [one.told for one in named(check_report, "account nobody")]
        assert f"cannot enter {closed}, which leads to SIRENA_GATE" in told
        assert f"cannot read {files['overlay']}, which SIRENA_OVERLAY names" in told
        assert f"SIRENA_POLICY names {files['policy']}, which does not exist" in told
        again = CheckReport()
        files["overlay"].chmod(0o644)
        look_at_accounts(settings, again, FRESH)
        assert not [one for one in again.findings if "SIRENA_OVERLAY" in one.told]


@OF_ROOT
def test_an_interpreter_that_an_account_cannot_reach_is_told(
    check_report: CheckReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a checkout in root's home."""
    with private_home() as home:
        closed = home / "closed"
        closed.mkdir(mode=0o700)
        program = closed / "python"
        program.symlink_to("/usr/bin/true")
        (closed / "copy").write_bytes(Path("/usr/bin/true").read_bytes())
        monkeypatch.setattr(sys, "executable", str(closed / "copy"))
        look_at_accounts(production_settings(home / "home", service_account="postgres"), check_report, FRESH)
        assert f"cannot enter {closed}, where Sirena or its Python lies" in [one.told for one in check_report.findings]
