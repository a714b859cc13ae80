"""``sirena doctor``: checking machine and stack without changing anything, with remedies for what is wrong."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from sirena import __version__
from sirena.cli.sections import Section, print_sections
from sirena.cli.up import Profile
from sirena.cli.voice import in_words
from sirena.server.checks.finding import Area, CheckFinding, CheckReport, CheckVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence


def register(app: typer.Typer) -> None:
    """Add ``sirena doctor`` to the command line."""
    app.command(name="doctor", epilog="Example: SIRENA_PROFILE=production sirena doctor")(doctor)


def doctor(
    profile: Profile = "",
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document, for programs, instead of tables.")
    ] = False,
) -> None:
    """Check the machine and name remedies; change nothing.

    Settings, programs, accounts, folders, ports, names, other servers, databases and parts are checked. Run it on a
    server before its first `sirena up`, and whenever something does not work. Each problem is printed with its remedy.
    Exit code 0 if nothing has to be repaired, even with warnings; otherwise 1. A check that this account may not make
    is reported and is not a failure. No check of the network takes longer than five seconds.
    """
    from sirena.acts.doctor_looks import examine_installation

    check_report = CheckReport()
    place = examine_installation(profile, check_report)
    findings = check_report.findings
    worst = CheckVerdict.worst(finding.verdict for finding in findings)
    if json:
        _print_json(findings, worst, place)
    else:
        _print(findings, place)
    if worst is CheckVerdict.WRONG:
        raise typer.Exit(1)


def _print_json(findings: "Sequence[CheckFinding]", worst: CheckVerdict, place: dict[str, str]) -> None:
    document = {
        "sirena": __version__,
        **place,
        "verdict": worst,
        "findings": [asdict(finding) for finding in findings],
    }
    typer.echo(json.dumps(document, indent=1, ensure_ascii=False))


def _print(findings: "Sequence[CheckFinding]", place: dict[str, str]) -> None:
    sections = []
    for area in Area:
        rows = [(finding.name, finding.verdict.value, finding.told) for finding in findings if finding.area is area]
        sections.append(Section(area.value, rows, ("of", "state", "how it is"), words=(0, 1, 2)))
    remedies: dict[str, list[str]] = {}
    for finding in findings:
        if finding.verdict is not CheckVerdict.WELL and finding.remedy:
            remedies.setdefault(finding.remedy, []).append(finding.name)
    to_do = [(", ".join(dict.fromkeys(names)), remedy) for remedy, names in remedies.items()]
    sections.append(Section("What to do", to_do, ("for", "remedy"), words=(0, 1)))
    print_sections(sections)
    counts = {verdict: sum(finding.verdict is verdict for finding in findings) for verdict in CheckVerdict}
    in_all = ", ".join(f"{number} {in_words(verdict.value)}" for verdict, number in counts.items() if number)
    stack_text = f" ({place['profile']}, {place['home']})" if place else ""
    typer.echo(f"{in_all}{stack_text}")
