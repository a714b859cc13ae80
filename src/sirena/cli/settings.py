"""``sirena settings``: listing and checking the settings."""

from dataclasses import asdict

import typer

from sirena.cli.json_document import AsJson, print_json
from sirena.cli.voice import say


def register(app: typer.Typer) -> None:
    """Add the group of commands ``sirena settings`` to the command line."""
    group = typer.Typer(no_args_is_help=True, help="Settings: what is in force, what it means, what is wrong.")
    group.command(name="list", epilog="Example: sirena settings list")(list_settings)
    group.command(name="check", epilog="Example: SIRENA_PROFILE=production sirena settings check")(check)
    app.add_typer(group, name="settings")


def list_settings(as_json: AsJson = False) -> None:
    """List every setting with its value, where that comes from, its meaning and an example; secrets are not shown."""
    from sirena.cli.sections import Section, print_sections
    from sirena.server.checks.settings_check import settings_in_force
    from sirena.settings.catalogue import load_settings, settings_file

    listed = list(settings_in_force(load_settings()))
    if as_json:
        print_json([{**asdict(item), "source": item.source.value} for item in listed])
        return
    rows = [(item.variable, item.value, item.source.value, item.meaning, item.example) for item in listed]
    note = f"The environment wins over {settings_file()}, that over the default."
    print_sections([Section("Settings", rows, ("variable", "value", "from", "meaning", "example"), note)])


def check() -> None:
    """Find wrong values, names nobody reads, ports used twice, keys others can read, mistakes in files they name.

    Those files are the hospital's own rules (by row and column), the gate and the policy. Exit code 1 when anything
    is found.
    """
    from sirena.acts.stack_choice import chosen_stack
    from sirena.cli.access_openid import openid_problems
    from sirena.cli.named_files import file_problems
    from sirena.server.checks.settings_check import problems

    settings = chosen_stack("").settings
    found = [*problems(settings), *openid_problems(settings), *file_problems(settings)]
    for problem in found:
        say(problem)
    if found:
        raise typer.Exit(1)
    say("the settings are in order")
