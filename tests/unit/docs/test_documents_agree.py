"""Documents and program say the same."""

import re
from pathlib import Path

import pytest
import typer

from sirena.cli import build_app
from sirena.settings.catalogue import Settings
from tests.unit.docs.scripts import script

REPOSITORY = Path(__file__).resolve().parents[3]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
SETTINGS = (REPOSITORY / "docs/reference/settings.md").read_text(encoding="utf-8")


def _commands() -> set[str]:
    return set(typer.main.get_command(build_app()).commands)  # type: ignore[attr-defined]


def test_command_reference_is_what_help_prints() -> None:
    """docs/reference/commands.md is the output of --help; scripts/write_command_reference.py writes it anew."""
    written = script("write_command_reference").command_reference()
    assert (REPOSITORY / "docs/reference/commands.md").read_text(encoding="utf-8") == written


def test_audit_events_are_the_catalogue() -> None:
    """docs/reference/audit-events.md names every event; scripts/write_audit_events.py writes it anew."""
    written = script("write_audit_events").audit_events()
    assert (REPOSITORY / "docs/reference/audit-events.md").read_text(encoding="utf-8") == written


def test_every_command_the_readme_shows_exists() -> None:
    """No command of the README is a wish."""
    shown = set(re.findall(r"^\.venv/bin/sirena (\w+)", README, re.MULTILINE))
    assert shown
    assert shown <= _commands()


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_stands_in_the_reference(name: str) -> None:
    """Each environment variable has a row with its meaning."""
    alias = Settings.model_fields[name].validation_alias
    variable = alias if isinstance(alias, str) else f"SIRENA_{name.upper()}"
    assert f"| `{variable}` |" in SETTINGS


def test_every_relative_link_leads_somewhere() -> None:
    """Links between documents are not broken."""
    broken = [
        f"{document.relative_to(REPOSITORY)}: {target}"
        for document in [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]
    assert broken == []


def test_the_index_of_decisions_is_complete() -> None:
    """Each page of docs/adr stands in its README, by number and title."""
    folder = REPOSITORY / "docs/adr"
    rows = []
    for page in sorted(folder.glob("0*.md")):
        number, _, title = page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").partition(". ")
        rows.append(f"| {number} | [{title}]({page.name}) |")
        assert page.name.startswith(f"{int(number):04}-")
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert [line for line in index.splitlines() if line.startswith("| ") and "[" in line] == rows


def test_the_journeys_name_modules_that_there_are() -> None:
    """Each `package.module` of the architecture's journeys is a file."""
    page = (REPOSITORY / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    journeys = page.partition("## Five journeys")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([a-z]+(?:\.[a-z_]+)+)`", journeys))
    assert len(named) > 30
    source = REPOSITORY / "src/sirena"
    assert [name for name in sorted(named) if not (source / f"{name.replace('.', '/')}.py").is_file()] == []
