"""``sirena settings``: listing and checking the settings."""

from dataclasses import asdict

import typer

from sirena.cli.json_document import AsJson, print_json
from sirena.cli.sections import Section, print_sections
from sirena.cli.voice import say
from sirena.server.checks.finding import CheckReport, CheckVerdict


def register(app: typer.Typer) -> None:
    """Add the group of commands ``sirena settings`` to the command line."""
    group = typer.Typer(no_args_is_help=True, help="Settings: list and check them.")
    group.command(name="list", epilog="Example: sirena settings list")(list_settings)
    group.command(name="check", epilog="Example: SIRENA_PROFILE=production sirena settings check")(check)
    app.add_typer(group, name="settings")


def list_settings(as_json: AsJson = False) -> None:
    """List all settings with their values.

    For each, the source of the value, its meaning and an example are shown; secrets are not shown.
    """
    from sirena.server.checks.settings_check import settings_in_force
    from sirena.settings.catalogue import load_settings, settings_file

    setting_values = list(settings_in_force(load_settings()))
    if as_json:
        print_json([{**asdict(item), "source": item.source.value} for item in setting_values])
        return
    rows = [(item.variable, item.value, item.source.value, item.meaning, item.example) for item in setting_values]
    note = f"The environment wins over {settings_file()}, that over the default."
    print_sections([Section("Settings", rows, ("variable", "value", "from", "meaning", "example"), note)])


def check() -> None:
    """Check the settings.

    Problems are invalid values, unknown names, ports used twice, keys that other accounts can read, and errors in the
    files that settings name. Checked files are the hospital's own rules (by row and column), the criteria of the
    promotion gate and the access policy. Exit code 1 if a problem is found.
    """
    from sirena.acts.settings_look import look_at_settings
    from sirena.acts.stack_choice import chosen_stack

    check_report = CheckReport()
    look_at_settings(chosen_stack("").settings, check_report)
    mistakes = [finding for finding in check_report.findings if finding.verdict is CheckVerdict.WRONG]
    for mistake in mistakes:
        say(mistake.told)
    if mistakes:
        raise typer.Exit(1)
    say("the settings are in order")
