"""``sirena status``: showing the health of an installation, for people and for monitors."""

from typing import TYPE_CHECKING, Annotated

import typer

from sirena.cli.json_document import AsJson, print_json
from sirena.cli.sections import Section, print_sections
from sirena.cli.up import Profile
from sirena.domain.errors import SirenaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sirena.server.checks.conditions import Condition
    from sirena.server.supervision.health_report import PartHealth


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
    from sirena.server.checks.conditions import Urgency

    try:
        look = look_at_stack(profile)
    except (SirenaError, OSError) as error:
        if not monitor:
            raise
        # to a monitor 1 would be a warning, and it reads standard output
        typer.echo(f"SIRENA CRITICAL: {error.text if isinstance(error, SirenaError) else error.strerror}")
        raise typer.Exit(int(Urgency.CRITICAL)) from None
    parts, conditions, worst = look.parts, look.conditions, look.worst
    if monitor:
        unwell = [f"{part.name} {part.state}" for part in parts if not part.well]
        unwell += [f"{condition.name} {condition.state}" for condition in conditions if condition.urgency]
        typer.echo(f"SIRENA {worst.name}: {'; '.join(unwell) or f'{len(parts)} parts well'}")
        raise typer.Exit(int(worst))
    if as_json:
        print_json(_document(parts, conditions, worst.word))
    else:
        print_parts(parts)
        _print_conditions(conditions)
    if worst is Urgency.CRITICAL:
        raise typer.Exit(1)


def _document(parts: "Sequence[PartHealth]", conditions: "Sequence[Condition]", worst: str) -> dict[str, object]:
    return {
        "state": worst,
        "parts": [{"name": part.name, "state": part.state, "well": part.well} for part in parts],
        "conditions": [
            {"of": condition.name, "state": condition.urgency.word, "how": condition.state} for condition in conditions
        ],
    }


def _print_conditions(conditions: "Sequence[Condition]") -> None:
    rows = [(condition.name, condition.urgency.word, condition.state) for condition in conditions]
    print_sections([Section("Conditions", rows, ("of", "state", "how it is"), words=(0, 1, 2))])
