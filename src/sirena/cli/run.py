"""``sirena run``: running the stack in the foreground, for containers."""

from typing import Annotated

import typer

from sirena.cli.up import down, up


def register(app: typer.Typer) -> None:
    """Add ``sirena run`` to the command line."""
    app.command(name="run", epilog="Example: SIRENA_HOME=/var/lib/sirena sirena run --profile production")(run)


def run(
    profile: Annotated[
        str, typer.Option(help="Profile, as for `sirena up`; by default the one last started, or SIRENA_PROFILE.")
    ] = "",
) -> None:
    """Run all parts in the foreground, for containers.

    They start as with `sirena up`, and stop in order on SIGTERM or Ctrl-C. On a server, use `sirena up` and the systemd
    unit of `sirena units`.
    """
    from sirena.acts.stack_choice import chosen_stack
    from sirena.server.production_stack import ProductionStack
    from sirena.server.supervision.foreground import alone, ended_by_signal, forget_earlier_container, stay

    stack = chosen_stack(profile)
    with alone(stack.settings.home):
        try:
            with ended_by_signal():
                if isinstance(stack, ProductionStack):
                    forget_earlier_container(stack.database().data)
                up(profile)
                typer.echo("running until SIGTERM or Ctrl-C")
                stay(stack.supervisor)
        finally:
            down(profile)
