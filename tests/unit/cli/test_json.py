"""What commands report, as JSON for programs."""

import json
import re

import pytest
import typer

from sirena.cli import build_app
from tests.command_line import run_command

REPORTING = (
    *("inspect", "ask", "train", "certify", "status", "doctor", "guideline list", "guideline show", "guideline diff"),
    *("guideline check", "release list", "release show", "release diff", "user list", "token list", "settings list"),
)


@pytest.mark.parametrize("command", REPORTING)
def test_every_command_that_reports_takes_json(command: str) -> None:
    """By one name; `alerts` and `audit` have --format, because they also write CSV."""
    found = typer.main.get_command(build_app())
    for word in command.split():
        found = found.commands[word]  # type: ignore[attr-defined]
    assert any("--json" in parameter.opts for parameter in found.params)


def test_editions_and_settings_are_told_in_numbers_and_whole(capfd: pytest.CaptureFixture[str]) -> None:
    """Counts are numbers, digests are whole, and the table shows the same."""
    table = run_command(capfd, ["guideline", "list"]).output
    editions = json.loads(run_command(capfd, ["guideline", "list", "--json"]).output)
    for edition in editions:
        assert len(edition["digest"]) == 64
        assert re.search(rf"{edition['edition']} .* {edition['rows']} .* {edition['digest'][:12]}", table)
    settings = json.loads(run_command(capfd, ["settings", "list", "--json"]).output)
    assert {"variable", "value", "source", "meaning", "example"} == set(settings[0])


def test_accounts_and_tokens_of_nobody_are_empty_lists(capfd: pytest.CaptureFixture[str]) -> None:
    """And nothing else stands on standard output."""
    for command in ("user", "token"):
        assert json.loads(run_command(capfd, [command, "list", "--json"]).output) == []
