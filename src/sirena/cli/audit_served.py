"""Which release was serving at a moment, by the audit ledger; MLflow's data are used only if they agree."""

import csv
import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import typer

from sirena.acts.judged import ACTIONS
from sirena.cli.audit_formats import AuditFormat, harmless
from sirena.cli.sections import Section, print_sections
from sirena.cli.shown import in_one_line
from sirena.cli.voice import in_words, say
from sirena.domain.errors import UsageError
from sirena.ledger.entry import LedgerEntry
from sirena.ledger.event import ActOutcome
from sirena.ledger.store import Ledger, moment
from sirena.ledger.trusted_reading import TrustedReading
from sirena.registry.activation import served_periods
from sirena.registry.connection import Registry
from sirena.registry.history import RecordedDecision as Decision
from sirena.registry.judged_releases import Store, UnjudgedReleaseError, look_at
from sirena.registry.releases import RELEASE_MODEL, Member, list_releases
from sirena.registry.stages import promotions
from sirena.registry.versions import Stage, find_version

_ENDED: Final = (ActOutcome.DONE, ActOutcome.UNCHANGED)


@dataclass(frozen=True)
class ServedVersion:
    """A model version that was serving, and the decision that approved it."""

    column: str
    version: str
    """``modelo_AMK_NM/3``."""
    edition: str
    approved_by: str
    """Account that promoted the version; empty if it was never promoted, and only the release's activation approved
    it."""
    approved_at: str
    """Time of the promotion, UTC, ISO 8601."""
    evidence: str
    """SHA-256 of the certificate that was judged."""
    criteria: str
    """Numbers of the gate's criteria by outcome: ``6 passed, 1 failed``."""
    override: str
    """Reason for overriding the gate; empty if it agreed."""
    ledger_entry: int | None
    """Number of the promotion's entry in the ledger; None if the ledger holds no such entry."""


@dataclass(frozen=True)
class Served:
    """The release that was serving at a given moment."""

    release: str
    digest: str
    since: str
    until: str | None
    activated_by: str
    action: str
    """``activate`` or ``rollback``."""
    override: str
    ledger_entry: int
    """Number of the activation's entry in the ledger."""
    remarks: tuple[str, ...]
    """Differences between what MLflow and the artifact store hold now and what was judged."""
    versions: tuple[ServedVersion, ...]
    """Model versions in the release; empty when no stored copy of its file is as it was judged."""


def served_at(registry: Registry, ledger: Ledger, when: datetime) -> Served | None:
    """Return the release that was serving at a moment, by the ledger's record; None if none was.

    Args:
        registry: registry that holds the release's file; its content is used only if it is the file that was judged.
        ledger: the ledger, which records each change of the serving release, and who decided it.
        when: the moment, with time zone.

    Raises:
        RegistryError: MLflow does not answer.
        LedgerError: the ledger does not answer, or is not as it was written.
        UnjudgedReleaseError: the ledger records no serving release for that moment, but MLflow's history does.
    """
    period = TrustedReading(ledger).read().at(moment(when))
    if period is None:
        _require_nothing_served(registry, moment(when))
        return None
    judged = period.judgement
    known = list(ledger.read(events=("promoted", "overridden")))
    look = look_at(registry, judged)
    aliases = () if period.until else (Store.ALIAS,)
    return Served(
        release=judged.release,
        digest=judged.digest,
        since=judged.at,
        until=period.until,
        activated_by=judged.who,
        action=ACTIONS[judged.action],
        override=_reason(known, judged.act),
        ledger_entry=judged.entry,
        remarks=tuple(one.text for one in look.discrepancies if one.store in (Store.ROW, Store.ARTIFACT, *aliases)),
        versions=tuple(_versions(registry, look.content, known, moment(when))) if look.content is not None else (),
    )


def print_served(served: Served | None, when: datetime, form: AuditFormat) -> None:
    """Print a served release as a table for people, or as JSON lines or CSV with a line for each version."""
    if form is AuditFormat.JSONL:
        for row in _rows(served):
            typer.echo(json.dumps(row, ensure_ascii=False))
    elif form is AuditFormat.CSV:
        rows = _rows(served)
        if rows:
            writer = csv.DictWriter(sys.stdout, list(rows[0]))
            writer.writeheader()
            writer.writerows(
                {name: harmless("" if cell is None else str(cell)) for name, cell in row.items()} for row in rows
            )
    elif served is None:
        say(f"no release was active at {moment(when)[:19]} UTC")
    else:
        _print_table(served, when)


def _print_table(served: Served, when: datetime) -> None:
    said = f", overriding the gate: {served.override}" if served.override else ""
    say(f"At {moment(when)[:19]} UTC {served.release} ({served.digest[:12]}) answered,")
    between = f"since {served.since[:19]} until {served.until[:19] if served.until else 'now'}"
    say(in_one_line(f"{between}, {served.action} by {served.activated_by}{said}"))
    say(f"audit ledger: entry {served.ledger_entry}")
    for remark in served.remarks:
        say(in_one_line(f"BUT now {remark}"))
    say("")
    rows = [
        (
            one.column,
            one.version,
            one.edition,
            one.approved_by or in_words("with the release"),
            one.approved_at[:19],
            one.evidence[:12],
            one.criteria + (f"; overridden: {one.override}" if one.override else ""),
            f"{in_words('entry')} {one.ledger_entry}" if one.ledger_entry else "",
        )
        for one in served.versions
    ]
    headings = ("column", "version", "edition", "approved by", "at (UTC)", "certificate", "gate", "ledger")
    print_sections([Section("Versions", rows, headings)])


def _rows(served: Served | None) -> list[dict[str, object]]:
    if served is None:
        return []
    facts = asdict(served) | {"remarks": "; ".join(served.remarks)}
    release = {f"release_{name}": value for name, value in facts.items() if name not in ("versions", "release")}
    # a release whose file is nowhere as it was judged still is the one that answered
    versions = served.versions or (ServedVersion("", "", "", "", "", "", "", "", None),)
    return [{"release": served.release, **release, **asdict(one)} for one in versions]


def _require_nothing_served(registry: Registry, when: str) -> None:
    for period in served_periods(registry) if list_releases(registry) else ():
        if period.since <= when and (period.until is None or when < period.until):
            raise UnjudgedReleaseError(
                f"MLflow's history says that {RELEASE_MODEL}/{period.release} answered at {when[:19]} UTC, and the "
                "audit ledger knows nothing of it: nobody judged it here, or the history was altered",
                hint="see SIRENA_HOME and MLFLOW_TRACKING_URI, or compare with a backup",
            )


def _versions(registry: Registry, content: bytes, known: list[LedgerEntry], when: str) -> Iterable[ServedVersion]:
    for facts in json.loads(content)["members"].values():
        member = Member(**facts)
        approvals = [
            entry
            for entry in known
            if entry.event == "promoted" and entry.outcome in _ENDED and entry.at <= when
            and _subject(entry) == member.reference and entry.facts().get("stage") == Stage.PRODUCTION.value
        ]  # fmt: skip
        entry = approvals[-1] if approvals else None
        yield ServedVersion(
            column=member.column,
            version=member.reference,
            edition=member.edition,
            approved_by=entry.who if entry else "",
            approved_at=entry.at if entry else "",
            evidence=str(entry.facts().get("evidence", "")) if entry else "",
            criteria=_criteria(registry, member, entry) if entry else "",
            override=_reason(known, entry.act) if entry else "",
            ledger_entry=entry.seq if entry else None,
        )


def _reason(known: list[LedgerEntry], act: str) -> str:
    return next(
        (str(one.facts().get("reason", "")) for one in known if (one.event, one.act) == ("overridden", act)), ""
    )


def _criteria(registry: Registry, member: Member, approval: LedgerEntry) -> str:
    """Return the numbers of criteria by outcome, from MLflow's verdict of this approval or else from the ledger."""
    facts = approval.facts()
    with suppress(UsageError):  # a version that is gone has no verdict any more
        for decision in promotions(find_version(registry, member.reference)):
            if (decision.by, decision.evidence, decision.stage) == (
                approval.who,
                facts.get("evidence"),
                facts["stage"],
            ):
                return _counted(decision)
    named = {"failed": facts.get("criteria", ()), "waived": facts.get("waived", ())}
    return ", ".join(f"{len(criteria)} {outcome}" for outcome, criteria in named.items() if criteria)


def _counted(decision: Decision) -> str:
    counts: dict[str, int] = {}
    for finding in decision.verdict.get("findings", ()):
        counts[finding["outcome"]] = counts.get(finding["outcome"], 0) + 1
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())


def _subject(entry: LedgerEntry) -> str:
    facts = entry.facts()
    return f"{facts.get('model')}/{facts.get('version')}"
