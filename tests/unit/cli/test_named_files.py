"""Files that settings name: what is wrong in them is found by `sirena settings check`, not by the first promotion."""

from pathlib import Path

import pytest

from tests.command_line import run_command

HEADER = "who,when,why,edition,action,drug,rank,group,site,S,R,middle\n"
RULE = "PROA,2026-03-01,local dosing,CLSI 2025,breakpoint,{drug},order,Enterobacterales,,8,16,\n"

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hospital's own rules, one that is good."""
    file = tmp_path / "hospital.csv"
    file.write_text(HEADER + RULE.format(drug="TZP"))
    monkeypatch.setenv("SIRENA_HOME", str(tmp_path))
    monkeypatch.setenv("SIRENA_OVERLAY", str(file))
    return file


@pytest.mark.parametrize("command", ["settings check", "doctor"])
def test_a_wrong_cell_of_the_hospitals_rules_is_named_by_file_row_and_column(
    overlay: Path, capsys: Capture, command: str
) -> None:
    """And never by what stands in it."""
    overlay.write_text(HEADER + RULE.format(drug="TZP") + RULE.format(drug="PIPTAZX"))
    told = run_command(capsys, command.split())
    assert told.code == 1
    assert "SIRENA_OVERLAY: hospital.csv, row 3, column drug: " in " ".join(told.output.split())
    assert "PIPTAZX" not in told.output + told.errors


def test_rules_that_contradict_each_other_or_are_none_are_found(overlay: Path, capsys: Capture) -> None:
    """Only laid over the edition they show it."""
    for content, word in (
        (HEADER + 2 * RULE.format(drug="TZP"), "row 3: the rule of row 2 is stated again"),
        (HEADER, "the overlay has no rows"),
        ("who,when\n", "column why is missing"),
    ):
        overlay.write_text(content)
        told = run_command(capsys, ["settings", "check"])
        assert (told.code, word in told.output) == (1, True)
    overlay.unlink()
    assert "no such overlay file" in run_command(capsys, ["settings", "check"]).output


def test_good_rules_and_none_are_in_order(overlay: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 0."""
    assert overlay.is_file()
    assert run_command(capsys, ["settings", "check"]).code == 0
    monkeypatch.delenv("SIRENA_OVERLAY")
    assert run_command(capsys, ["settings", "check"]).code == 0


@pytest.mark.parametrize("variable", ["SIRENA_GATE", "SIRENA_POLICY"])
def test_a_gate_or_policy_that_is_none_is_found(
    overlay: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Both decide on others, and are read by services that would not start."""
    wrong = overlay.with_name("wrong.toml")
    wrong.write_text("x = 1\n")
    monkeypatch.setenv(variable, str(wrong))
    told = run_command(capsys, ["settings", "check"])
    assert (told.code, f"{variable}: {wrong}" in told.output) == (1, True)
