"""``sirena rules``: what the pages do, by command, on one machine."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import Ended, run_command

TABLE = (
    "who;when;why;edition;action;drug;rank;group;site;S;R;middle\n"
    "PROA;2026-03-01;local dosing;CLSI 2026;breakpoint;TZP;order;Enterobacterales;;4;8;\n"
)


Run = Callable[..., Ended]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command as a user does."""
    return lambda *arguments: run_command(capfd, arguments)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that nobody used."""
    monkeypatch.setenv("SIRENA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SIRENA_USER", "ana")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_version_is_saved_approved_shown_and_answers_the_next_command(home: Path, run: Run) -> None:
    """From then on `sirena reference` answers by it, without being told."""
    (home / "propio.csv").write_text(TABLE)
    (home / "isolates.csv").write_text("ORGANISM,TZP_NM\neco,8\n")
    assert "no version was saved yet" in run("rules", "list").errors
    assert "version 1 is saved" in run("rules", "save", "overlay", "propio.csv", "--reason", "dosing").output
    assert "no rules are in force" in run("rules", "show", "overlay").errors
    approved = run("rules", "approve", "overlay", "1").output
    assert "version 1 is in force from" in approved
    assert "its author approved it" in approved
    (facts,) = json.loads(run("rules", "list", "--json").output)
    assert (facts["state"], facts["author"], facts["alone"], facts["rules"]) == ("in force", "ana", True, 1)
    shown = run("rules", "show", "overlay").output
    assert shown == run("rules", "show", "overlay", "--version", "1").output
    assert "PROA,2026-03-01,local dosing,CLSI 2026,breakpoint,TZP" in shown
    answered = run("reference", "isolates.csv", "--output", "-").output
    assert "CLSI 2026 + overlay-1.csv" in answered
    assert "eco,8,R" in answered


def test_what_cannot_be_done_is_said_with_a_remedy_and_its_exit_code(home: Path, run: Run) -> None:
    """Row and column of the file, a version that is not there, a day that is none."""
    (home / "wrong.csv").write_text(TABLE.replace("TZP", "nothing"))
    refused = run("rules", "save", "overlay", "wrong.csv", "--reason", "x")
    assert refused.code == 1
    assert "wrong.csv, row 2, column drug" in refused.errors
    unknown = run("rules", "approve", "overlay", "7")
    assert (unknown.code, "there is no version 7" in unknown.errors) == (2, True)
    assert "the day is no date" in run("rules", "approve", "overlay", "7", "--from", "soon").errors
