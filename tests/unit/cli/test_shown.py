"""What others wrote reaches no terminal as commands, and no spreadsheet as a formula."""

import csv
import io
from datetime import UTC, datetime

import pytest
import typer

from sirena import cli
from sirena.acts.served_release import Served, ServedVersion
from sirena.cli.audit_formats import AuditFormat
from sirena.cli.audit_served import print_served
from sirena.cli.sections import Section, print_sections
from sirena.domain.errors import UsageError
from tests.command_line import run_command

HOSTILE = "evil\x1b[2J\x1b]0;owned\x07 [red]x[/red]\u202e"
SHOWN = r"evil\u001b[2J\u001b]0;owned\u0007 [red]x[/red]\u202e"


def test_a_cell_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal and in a pipe."""
    section = Section("Title", [(HOSTILE, "2")], ("of", "#number"), HOSTILE)
    for terminal in (False, True):
        monkeypatch.setattr("sys.stdout.isatty", lambda terminal=terminal: terminal)
        monkeypatch.setenv("COLUMNS", "200")
        print_sections([section])
        told = capsys.readouterr().out
        assert told.count(SHOWN) == 2
        assert "\x07" not in told
        assert "\x1b]" not in told


def test_an_error_is_shown_and_not_obeyed(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Text and remedy, each with the line ends it has."""

    def refused() -> None:
        raise UsageError(f"{HOSTILE}\nsecond line", hint=HOSTILE)

    app = typer.Typer()
    app.command()(refused)
    monkeypatch.setattr(cli, "build_app", lambda _modules: app)
    assert run_command(capfd, []).errors == f"sirena: {SHOWN}\nsecond line\n  remedy: {SHOWN}\n"


def test_a_reason_is_no_formula_in_a_spreadsheet(capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody who may override the gate writes it, an auditor opens it."""
    version = ServedVersion("AMK_NM", "modelo_AMK_NM/1", "CLSI 2025", "eva", "", "", "", "", None)
    served = Served("panel_SIR/1", "", "", None, "eva", "activate", "=cmd|' /C calc'!A0", 1, (), (version,))
    print_served(served, datetime.now(UTC), AuditFormat.CSV)
    [row] = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["release_override"] == "'=cmd|' /C calc'!A0"
    assert row["release_until"] == ""
