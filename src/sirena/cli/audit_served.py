"""What answered at a moment: the registry's history held against the audit ledger."""

import csv
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import typer

from sirena.cli.audit_formats import Format, harmless
from sirena.cli.sections import Section, print_sections
from sirena.cli.shown import in_one_line
from sirena.domain.errors import SirenaError
from sirena.ledger.entry import Entry
from sirena.ledger.event import Outcome
from sirena.ledger.store import Ledger, moment
from sirena.registry.activation import ServedPeriod, served_periods
from sirena.registry.connection import Registry
from sirena.registry.history import Entry as Decision
from sirena.registry.releases import Release, find_release, list_releases, release_members
from sirena.registry.stages import promotions
from sirena.registry.versions import Stage, find_version

_SWITCHES: Final = ("activated", "rolled_back")


@dataclass(frozen=True)
class ServedVersion:
    """One version that answered, and the decision that let it."""

    column: str
    version: str
    """``modelo_AMK_NM/3``."""
    edition: str
    approved_by: str
    """Empty when the version itself was never promoted; then the activation of the release approved it."""
    approved_at: str
    """UTC, ISO 8601."""
    evidence: str
    """SHA-256 of the certificate that was judged."""
    criteria: str
    """What the gate said: ``6 passed``, ``1 failed``, ``1 waived``."""
    override: str
    """Reason, when somebody decided against the gate."""
    ledger_entry: int | None
    """Place of the approval in the ledger; None when the ledger does not know it."""


@dataclass(frozen=True)
class Served:
    """The release that answered at a moment."""

    release: str
    digest: str
    since: str
    until: str | None
    activated_by: str
    action: str
    """``activate`` or ``rollback``."""
    override: str
    ledger_entry: int | None
    """Place of the activation in the ledger; None when the ledger does not know it."""
    contradicted_by: int | None
    """Place of a later switch to another release that the registry does not tell of; None when there is none."""
    versions: tuple[ServedVersion, ...]


def served_at(registry: Registry, ledger: Ledger, when: datetime) -> Served | None:
    """Return what answered at a moment, or None when nothing did.

    Args:
        registry: holds releases, their periods and the verdicts.
        ledger: confirms who decided.
        when: the moment, with zone.

    Raises:
        RegistryError: MLflow does not answer.
        LedgerError: the ledger does not answer.
        SirenaError: by the registry nothing answered, by the ledger something did: the registry's history is gone.
    """
    known = list(ledger.read(events=("promoted", *_SWITCHES)))
    switches = [one for one in known if one.event in _SWITCHES and one.outcome == Outcome.DONE]
    switches = [one for one in switches if one.at <= moment(when)]
    period = _period(registry, moment(when))
    if period is None:
        if switches:
            raise SirenaError(
                f"MLflow's history knows no active release at {moment(when)[:19]} UTC, but entry {switches[-1].seq} of "
                f"the audit ledger switched to {_subject(switches[-1])}: "
                "that history was altered, or is another MLflow's",
                hint="see MLFLOW_TRACKING_URI, or compare with a backup of MLflow's database",
            )
        return None
    release = find_release(registry, str(period.release))
    entry = _confirming(known, period.by, period.since, _SWITCHES, release.name)
    later = [one.seq for one in switches if one.seq > (entry or 0) and _subject(one) != release.name]
    return Served(
        release=release.name,
        digest=release.digest,
        since=period.since,
        until=period.until,
        activated_by=period.by,
        action=period.action,
        override=period.override,
        ledger_entry=entry,
        contradicted_by=later[-1] if later else None,
        versions=tuple(_versions(registry, release, known, moment(when))),
    )


def print_served(served: Served | None, when: datetime, form: Format) -> None:
    """Print it for a person, or as one line per version."""
    if form is Format.JSONL:
        for row in _rows(served):
            typer.echo(json.dumps(row, ensure_ascii=False))
    elif form is Format.CSV:
        rows = _rows(served)
        if rows:
            writer = csv.DictWriter(sys.stdout, list(rows[0]))
            writer.writeheader()
            writer.writerows(
                {name: harmless("" if cell is None else str(cell)) for name, cell in row.items()} for row in rows
            )
    elif served is None:
        typer.echo(f"no release was active at {moment(when)[:19]} UTC")
    else:
        _print_table(served, when)


def _print_table(served: Served, when: datetime) -> None:
    said = f", overriding the gate: {served.override}" if served.override else ""
    typer.echo(f"At {moment(when)[:19]} UTC {served.release} ({served.digest[:12]}) answered,")
    between = f"since {served.since[:19]} until {(served.until or 'now')[:19]}"
    typer.echo(in_one_line(f"{between}, {served.action} by {served.activated_by}{said}"))
    typer.echo(f"audit ledger: {_in_ledger(served.ledger_entry)}")
    if served.contradicted_by is not None:
        typer.echo(
            f"BUT entry {served.contradicted_by} of the audit ledger switched to another release before that moment"
        )
    typer.echo("")
    rows = [
        (
            one.column,
            one.version,
            one.edition,
            one.approved_by or "with the release",
            one.approved_at[:19],
            one.evidence[:12],
            one.criteria + (f"; overridden: {one.override}" if one.override else ""),
            _in_ledger(one.ledger_entry) if one.approved_by else "",
        )
        for one in served.versions
    ]
    headings = ("column", "version", "edition", "approved by", "at (UTC)", "certificate", "gate", "ledger")
    print_sections([Section("Versions", rows, headings)])


def _in_ledger(entry: int | None) -> str:
    return f"entry {entry}" if entry else "NOT IN THE LEDGER"


def _rows(served: Served | None) -> list[dict[str, object]]:
    if served is None:
        return []
    release = {
        f"release_{name}": value for name, value in asdict(served).items() if name not in ("versions", "release")
    }
    return [{"release": served.release, **release, **asdict(one)} for one in served.versions]


def _period(registry: Registry, when: str) -> ServedPeriod | None:
    if not list_releases(registry):
        return None
    for period in served_periods(registry):
        if period.since <= when and (period.until is None or when < period.until):
            return period
    return None


def _versions(registry: Registry, release: Release, known: list[Entry], when: str) -> Iterable[ServedVersion]:
    for member in release_members(registry, release):
        approvals = [
            decision
            for decision in promotions(find_version(registry, member.reference))
            if decision.stage == Stage.PRODUCTION.value and decision.at <= when
        ]
        decision = approvals[-1] if approvals else None
        yield ServedVersion(
            column=member.column,
            version=member.reference,
            edition=member.edition,
            approved_by=decision.by if decision else "",
            approved_at=decision.at if decision else "",
            evidence=decision.evidence if decision else "",
            criteria=_criteria(decision) if decision else "",
            override=decision.override if decision else "",
            ledger_entry=_confirming(known, decision.by, decision.at, ("promoted",), member.reference)
            if decision
            else None,
        )


def _criteria(decision: Decision) -> str:
    counts: dict[str, int] = {}
    for finding in decision.verdict.get("findings", ()):
        counts[finding["outcome"]] = counts.get(finding["outcome"], 0) + 1
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())


def _confirming(known: list[Entry], by: str, at: str, events: tuple[str, ...], subject: str) -> int | None:
    """Return the entry that tells the outcome of a decision, or its intention when the process died over it."""
    alike = [one for one in known if one.event in events and one.who == by and _subject(one) == subject]
    ended = (one.seq for one in alike if one.at >= at and one.outcome in (Outcome.DONE, Outcome.UNCHANGED))
    intended = (one.seq for one in reversed(alike) if one.at <= at and one.outcome == Outcome.INTENDED)
    return next(ended, None) or next(intended, None)


def _subject(entry: Entry) -> str:
    facts = entry.facts()
    return str(facts.get("release") or f"{facts.get('model')}/{facts.get('version')}")
