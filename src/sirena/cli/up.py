"""``sirena up``, ``down``, ``logs``: starting and stopping the whole stack, and showing its logs."""

import subprocess
from typing import Annotated

import typer

from sirena.cli.progress import step_reporter
from sirena.cli.voice import say
from sirena.domain.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add ``sirena up``, ``sirena down`` and ``sirena logs`` to the command line."""
    app.command(name="up", epilog="Example: SIRENA_HOME=/var/lib/sirena sirena up --profile production")(up)
    app.command(name="down", epilog="Example: SIRENA_HOME=/var/lib/sirena sirena down")(down)
    app.command(name="logs", epilog="Example: sirena logs mlflow --lines 50 --follow")(logs)


Profile = Annotated[
    str,
    typer.Option(
        help="Profile: embedded (one machine, loopback, no root) or production (PostgreSQL, S3, NGINX with "
        "TLS); by default the one last started, or SIRENA_PROFILE.",
        show_default=False,
    ),
]


def up(profile: Profile = "") -> None:
    """Start all parts of Sirena.

    The command waits until they are ready, and leaves them running under a supervisor. Repeating the command is safe:
    running parts continue, missing parts are started, and changed settings are applied.
    """
    from sirena.acts.stack_choice import chosen_stack, note_release, remember
    from sirena.acts.stack_records import record_start
    from sirena.cli.parts_table import print_parts
    from sirena.server.checks.settings_check import require_plain_paths

    stack = chosen_stack(profile)
    require_plain_paths(stack.settings)
    remember(stack)
    was_running = stack.supervisor.is_running()
    with step_reporter() as report_step:
        stack.bring_up(report_step)
        # read anew: a first start has made the database they name
        record_start(chosen_stack(profile), was_running=was_running)
    note_release(stack)
    print_parts(stack.health())
    for line in stack.places():
        say(line)


def down(profile: Profile = "") -> None:
    """Stop all parts of Sirena, in order.

    Requests that are being answered are completed first.
    """
    from sirena.acts.stack_choice import chosen_stack
    from sirena.acts.stack_records import record_stop

    stack = chosen_stack(profile)
    if stack.supervisor.is_running():
        record_stop(stack)
    was_running = stack.take_down()
    say("everything has ended" if was_running else "nothing was running")


def logs(
    part: Annotated[str, typer.Argument(help="Part, as `sirena status` names it; by default all parts.")] = "",
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="How many of the last lines of each log to print.")
    ] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing new lines until Ctrl-C.")] = False,
) -> None:
    """Print the logs of Sirena's parts."""
    from sirena.settings.catalogue import load_settings

    folder = load_settings().home / "logs"
    log_files = sorted(path for path in folder.glob("*") if path.suffix in (".log", ".jsonl"))
    part_logs = [path for path in log_files if not part or path.stem == part]
    if not part_logs:
        names = ", ".join(sorted({path.stem for path in log_files})) or "none yet"
        raise UsageError(
            f"no log of {part!r} below {folder}" if part else f"no logs below {folder}", hint=f"parts: {names}"
        )
    command = ["tail", "-n", str(lines), *(["-F"] if follow else []), *map(str, part_logs)]
    subprocess.run(command, check=False)  # noqa: S603 - tail reads only what we name
