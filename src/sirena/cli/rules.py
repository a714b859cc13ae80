"""``sirena rules``: saving, approving and showing versions of the hospital's own rules, like the pages."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sirena.cli.json_document import AsJson, print_json
from sirena.cli.sections import Section, print_sections
from sirena.cli.voice import say
from sirena.domain.rule_kind import RuleKind

if TYPE_CHECKING:
    from sirena.acts.local_rules import LocalRules
    from sirena.acts.rules_look import RulesLook
    from sirena.settings.catalogue import Settings

Kind = Annotated[
    RuleKind, typer.Argument(help="Kind of rules: overlay (breakpoints) or expert (expert rules).", show_choices=False)
]
Number = Annotated[int, typer.Argument(help="Number of the version.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands ``sirena rules`` to the command line."""
    text = "The hospital's own rules: list, save, approve."
    commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=text)
    commands.command("list")(list_versions)
    commands.command("show")(show)
    commands.command("save")(save)
    commands.command("approve")(approve)
    app.add_typer(commands, name="rules")


def list_versions(as_json: AsJson = False) -> None:
    """List the versions of the hospital's own rules.

    Each is shown with author, reason and approval, and whether it is in force.

    Example: sirena rules list
    """
    from sirena.acts.rules_look import look_at_rules

    _, rules = _open_rules()
    looks = [look_at_rules(rules, kind) for kind in RuleKind]
    if as_json:
        print_json([facts for look in looks for facts in _facts(look)])
        return
    if not any(look.versions for look in looks):
        say("no version was saved yet; write one on the pages, or with `sirena rules save`", err=True)
    for look in looks:
        rows = [tuple(map(str, facts.values()))[1:7] for facts in _facts(look)]
        columns = ("version", "state", "written by", "reason given", "approved by", "in force from")
        print_sections([Section(look.kind.value, rows, columns=columns, words=(1,))])


def show(
    kind: Kind,
    version: Annotated[int, typer.Option(min=0, help="Number of the version; 0 shows the rules in force.")] = 0,
) -> None:
    """Print rules as CSV.

    Use it to read or edit them, or for --overlay and --rules on another machine.

    Example: sirena rules show overlay > overlay.csv
    """
    from sirena.guidelines.written_rules import rules_content

    _, rules = _open_rules()
    source = rules.version(kind, version).content if version else None
    in_force = None if version else rules.in_force(kind).source
    if source is None and in_force is None:
        say("no rules are in force", err=True)
        return
    content = source if in_force is None else rules_content(in_force)
    assert content is not None  # one of both is there
    typer.echo(content.decode("utf-8", errors="replace"), nl=False)


def save(
    kind: Kind,
    file: Annotated[Path, typer.Argument(help="File with the whole table of rules (CSV).")],
    reason: Annotated[str, typer.Option(help="Why the rules change; do not name any patient.")],
) -> None:
    """Save a table of rules as a new version.

    It has no effect until another person approves it.

    Example: sirena rules save overlay hospital.csv --reason "dosing of 2026"
    """
    from sirena.acts.recording import actor
    from sirena.guidelines.written_rules import WrittenRules, rules_content

    settings, rules = _open_rules()
    base_version = rules.in_force(kind).version
    table = WrittenRules(file.name, rules_content(file))
    version = rules.save(kind, table, reason, actor(settings), base_version.number if base_version else None)
    say(
        f"version {version.number} is saved; another person approves it: `sirena rules approve {kind} {version.number}`"
    )


def approve(
    kind: Kind,
    version: Number,
    day: Annotated[
        str,
        typer.Option("--from", help="Day from which the version is in force, such as 2026-01-31; by default today."),
    ] = "",
) -> None:
    """Approve a version of the rules, which puts it in force.

    Its author may not do so, except on one person's machine.

    Example: sirena rules approve overlay 3
    """
    from sirena.acts.recording import actor
    from sirena.acts.rules_forms import read_day

    settings, rules = _open_rules()
    approval = rules.approve(kind, version, actor(settings), since=read_day(day)).approval
    assert approval is not None  # it was approved just now
    say(f"version {version} is in force from {approval.since.isoformat()}")
    if approval.alone:
        say("its author approved it: this machine has nobody else, and the audit ledger says so")


def _open_rules() -> "tuple[Settings, LocalRules]":
    from sirena.acts.local_rules import local_rules_of
    from sirena.settings.catalogue import load_settings

    settings = load_settings()
    return settings, local_rules_of(settings)


def _facts(look: "RulesLook") -> list[dict[str, Any]]:
    return [
        {
            "kind": look.kind.value,
            "version": version.number,
            "state": look.standing(version).value,
            "author": version.author,
            "reason": version.reason,
            "approved_by": version.approval.who if version.approval else "",
            "from": version.approval.since.isoformat() if version.approval else "",
            "alone": bool(version.approval and version.approval.alone),
            "saved": version.at,
            "rules": len(version.lines) - 1,
            "sha256": version.digest,
        }
        for version in look.versions
    ]
