"""``sirena up``, ``down``, ``status``, ``logs``: the whole stack."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from sirena.operations.health_report import PartHealth

_MINUTE: Final = 60


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(name="up", epilog="Example: SIRENA_HOME=/var/lib/sirena sirena up --profile production")(up)
    app.command(name="down", epilog="Example: SIRENA_HOME=/var/lib/sirena sirena down")(down)
    app.command(name="status", epilog="Example: sirena status --profile production")(status)
    app.command(name="logs", epilog="Example: sirena logs mlflow --lines 50 --follow")(logs)


Profile = Annotated[
    str,
    typer.Option(
        help="embedded (one machine, loopback, no root) or production (PostgreSQL, S3, NGINX with TLS); "
        "by default the one brought up last, or SIRENA_PROFILE.",
        show_default=False,
    ),
]


def up(profile: Profile = "") -> None:
    """Start every part, wait until all are well, and leave them running under a supervisor.

    Repeating it is harmless: what runs goes on, what is missing is started, changed settings are taken up.
    """
    from sirena.cli.progress import told
    from sirena.cli.stack_choice import chosen_stack, remember

    stack = chosen_stack(profile)
    remember(stack)
    with told() as tell:
        stack.bring_up(tell)
    _print_health(stack.health())
    for line in stack.places():
        typer.echo(line)


def down(profile: Profile = "") -> None:
    """End every part in order: requests under way are answered first."""
    from sirena.cli.stack_choice import chosen_stack

    stopped = chosen_stack(profile).take_down()
    typer.echo("everything has ended" if stopped else "nothing was running")


def status(profile: Profile = "") -> None:
    """Tell of each part whether it is well, its version, port, memory and for how long it has been running.

    Exit code 0 when every part is well, 1 otherwise.
    """
    from sirena.cli.stack_choice import chosen_stack

    found = chosen_stack(profile).health()
    _print_health(found)
    if not all(part.well for part in found):
        raise typer.Exit(1)


def logs(
    part: Annotated[str, typer.Argument(help="Part, as `sirena status` names it; all when left out.")] = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Lines from the end of each log.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print the logs of the parts."""
    import subprocess

    from sirena.domain.errors import UsageError
    from sirena.operations.settings import load_settings

    folder = load_settings().home / "logs"
    known = sorted(path for path in folder.glob("*") if path.suffix in (".log", ".jsonl"))
    wanted = [path for path in known if not part or path.stem == part]
    if not wanted:
        names = ", ".join(sorted({path.stem for path in known})) or "none yet"
        raise UsageError(
            f"no log of {part!r} below {folder}" if part else f"no logs below {folder}", hint=f"parts: {names}"
        )
    command = ["tail", "-n", str(lines), *(["-F"] if follow else []), *map(str, wanted)]
    subprocess.run(command, check=False)  # noqa: S603 - tail reads only what we name


def _print_health(found: "Sequence[PartHealth]") -> None:
    from sirena.cli.sections import Section, print_sections

    rows = [
        (
            part.name,
            part.state,
            part.version,
            str(part.port or ""),
            f"{part.memory_mib} MiB" if part.memory else "",
            _duration(part.seconds) if part.seconds else "",
        )
        for part in found
    ]
    total = sum(part.memory_mib for part in found)
    columns = ("part", "state", "version", "#port", "#memory", "#running")
    print_sections([Section("Parts", rows, columns, f"{total} MiB in all")])


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}"
