"""Printing which release was serving at a moment, and the decisions that approved its versions."""

import csv
import json
import sys
from dataclasses import asdict
from datetime import datetime

import typer

from sirena.acts.served_release import Served, ServedVersion
from sirena.cli.audit_formats import AuditFormat, harmless
from sirena.cli.sections import Section, print_sections
from sirena.cli.shown import in_one_line
from sirena.cli.voice import in_words, say
from sirena.ledger.store import moment


def print_served(served_release: Served | None, instant: datetime, form: AuditFormat) -> None:
    """Print a served release as a table for people, or as JSON lines or CSV with a line for each version."""
    if form is AuditFormat.JSONL:
        for row in _rows(served_release):
            typer.echo(json.dumps(row, ensure_ascii=False))
    elif form is AuditFormat.CSV:
        rows = _rows(served_release)
        if rows:
            writer = csv.DictWriter(sys.stdout, list(rows[0]))
            writer.writeheader()
            writer.writerows(
                {name: harmless("" if cell is None else str(cell)) for name, cell in row.items()} for row in rows
            )
    elif served_release is None:
        say(f"no release was active at {moment(instant)[:19]} UTC")
    else:
        _print_table(served_release, instant)


def _print_table(served_release: Served, instant: datetime) -> None:
    override_text = f", overriding the gate: {served_release.override}" if served_release.override else ""
    say(f"At {moment(instant)[:19]} UTC {served_release.release} ({served_release.digest[:12]}) answered,")
    period_text = (
        f"since {served_release.since[:19]} until {served_release.until[:19] if served_release.until else 'now'}"
    )
    say(in_one_line(f"{period_text}, {served_release.action} by {served_release.activated_by}{override_text}"))
    say(f"audit ledger: entry {served_release.ledger_entry}")
    for remark in served_release.remarks:
        say(in_one_line(f"BUT now {remark}"))
    say("")
    rows = [
        (
            version.column,
            version.version,
            version.edition,
            version.approved_by or in_words("with the release"),
            version.approved_at[:19],
            version.evidence[:12],
            version.criteria + (f"; overridden: {version.override}" if version.override else ""),
            f"{in_words('entry')} {version.ledger_entry}" if version.ledger_entry else "",
        )
        for version in served_release.versions
    ]
    headings = ("column", "version", "edition", "approved by", "at (UTC)", "certificate", "gate", "ledger")
    print_sections([Section("Versions", rows, headings)])


def _rows(served_release: Served | None) -> list[dict[str, object]]:
    if served_release is None:
        return []
    facts = asdict(served_release) | {"remarks": "; ".join(served_release.remarks)}
    release = {f"release_{name}": value for name, value in facts.items() if name not in ("versions", "release")}
    # a release whose file is nowhere as it was judged still is the one that answered
    versions = served_release.versions or (ServedVersion("", "", "", "", "", "", "", "", None),)
    return [{"release": served_release.release, **release, **asdict(version)} for version in versions]
