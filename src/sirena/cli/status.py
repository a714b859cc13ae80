"""``sirena status``: showing the health of an installation, for people and for monitors."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena.cli.json_document import AsJson, print_json
from sirena.cli.sections import Section, print_sections
from sirena.cli.up import Profile
from sirena.domain.errors import SirenaError
from sirena.server.checks.finding import CheckFinding, CheckVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sirena.server.supervision.health_report import PartHealth

_STATES: Final = {CheckVerdict.WELL: "well", CheckVerdict.WARNING: "warning", CheckVerdict.WRONG: "critical"}
_FOR_MONITORS: Final = {
    CheckVerdict.WELL: (0, "OK"),
    CheckVerdict.WARNING: (1, "WARNING"),
    CheckVerdict.WRONG: (2, "CRITICAL"),
}
"""Exit code and word of Nagios and similar systems."""


def register(app: typer.Typer) -> None:
    """Add ``sirena status`` to the command line."""
    app.command(name="status", epilog="Example: sirena status --monitor")(status)


def status(
    profile: Profile = "",
    monitor: Annotated[
        bool,
        typer.Option(
            "--monitor",
            help="Print one line, with the exit codes of Nagios and similar systems: 0 OK, 1 WARNING, 2 CRITICAL.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the state of all parts and of what they need.

    This includes disk, certificate, backup, restore drill, guideline, audit ledger and release. Exit code 0 if every
    part is ready and nothing is critical, otherwise 1. A service that waits for the first release counts as ready. The
    whole audit ledger is read, and the active release in MLflow is compared with what the ledger says was approved.
    """
    from sirena.acts.stack_look import look_at_stack
    from sirena.cli.parts_table import print_parts

    try:
        look = look_at_stack(profile)
    except (SirenaError, OSError) as error:
        if not monitor:
            raise
        # to a monitor 1 would be a warning, and it reads standard output
        code, word = _FOR_MONITORS[CheckVerdict.WRONG]
        typer.echo(f"SIRENA {word}: {error.text if isinstance(error, SirenaError) else error.strerror}")
        raise typer.Exit(code) from None
    parts, conditions, worst = look.parts, look.conditions, look.worst
    if monitor:
        unwell = [f"{part.name} {part.state}" for part in parts if not part.well]
        unwell += [f"{each.name} {each.told}" for each in conditions if each.verdict is not CheckVerdict.WELL]
        code, word = _FOR_MONITORS[worst]
        typer.echo(f"SIRENA {word}: {'; '.join(unwell) or f'{len(parts)} parts well'}")
        raise typer.Exit(code)
    if as_json:
        print_json(_document(parts, conditions, _STATES[worst]))
    else:
        print_parts(parts)
        _print_conditions(conditions)
    if worst is CheckVerdict.WRONG:
        raise typer.Exit(1)


def _document(parts: "Sequence[PartHealth]", conditions: "Sequence[CheckFinding]", worst: str) -> dict[str, object]:
    return {
        "state": worst,
        "parts": [{"name": part.name, "state": part.state, "well": part.well} for part in parts],
        "conditions": [
            {"of": condition.name, "state": _STATES[condition.verdict], "how": condition.told}
            for condition in conditions
        ],
    }


def _print_conditions(conditions: "Sequence[CheckFinding]") -> None:
    rows = [(condition.name, _STATES[condition.verdict], condition.told) for condition in conditions]
    print_sections([Section("Conditions", rows, ("of", "state", "how it is"), words=(0, 1, 2))])
