"""Which release was serving at a moment, by the audit ledger; MLflow's data are used only if they agree."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sirena.acts.judged import ACTIONS
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


def served_at(registry: Registry, ledger: Ledger, instant: datetime) -> Served | None:
    """Return the release that was serving at a moment, by the ledger's record; None if none was.

    Args:
        registry: registry that holds the release's file; its content is used only if it is the file that was judged.
        ledger: the ledger, which records each change of the serving release, and who decided it.
        instant: the moment, with time zone.

    Raises:
        RegistryError: MLflow does not answer.
        LedgerError: the ledger does not answer, or is not as it was written.
        UnjudgedReleaseError: the ledger records no serving release for that moment, but MLflow's history does.
    """
    period = TrustedReading(ledger).read().at(moment(instant))
    if period is None:
        _require_nothing_served(registry, moment(instant))
        return None
    judgement = period.judgement
    decisions = list(ledger.read(events=("promoted", "overridden")))
    look = look_at(registry, judgement)
    aliases = () if period.until else (Store.ALIAS,)
    return Served(
        release=judgement.release,
        digest=judgement.digest,
        since=judgement.at,
        until=period.until,
        activated_by=judgement.who,
        action=ACTIONS[judgement.action],
        override=_reason(decisions, judgement.act),
        ledger_entry=judgement.entry,
        remarks=tuple(
            discrepancy.text
            for discrepancy in look.discrepancies
            if discrepancy.store in (Store.ROW, Store.ARTIFACT, *aliases)
        ),
        versions=tuple(_versions(registry, look.content, decisions, moment(instant)))
        if look.content is not None
        else (),
    )


def _require_nothing_served(registry: Registry, time_text: str) -> None:
    for period in served_periods(registry) if list_releases(registry) else ():
        if period.since <= time_text and (period.until is None or time_text < period.until):
            raise UnjudgedReleaseError(
                f"MLflow's history says that {RELEASE_MODEL}/{period.release} answered at {time_text[:19]} UTC, and "
                "the audit ledger holds no entry of it: it was not approved here, or that history was altered",
                hint="see SIRENA_HOME and MLFLOW_TRACKING_URI, or compare with a backup",
            )


def _versions(
    registry: Registry, content: bytes, decisions: list[LedgerEntry], time_text: str
) -> Iterable[ServedVersion]:
    for facts in json.loads(content)["members"].values():
        member = Member(**facts)
        approvals = [
            entry
            for entry in decisions
            if entry.event == "promoted" and entry.outcome in _ENDED and entry.at <= time_text
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
            override=_reason(decisions, entry.act) if entry else "",
            ledger_entry=entry.seq if entry else None,
        )


def _reason(decisions: list[LedgerEntry], act: str) -> str:
    return next(
        (
            str(entry.facts().get("reason", ""))
            for entry in decisions
            if (entry.event, entry.act) == ("overridden", act)
        ),
        "",
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
                return _counts_text(decision)
    criteria_by_outcome = {"failed": facts.get("criteria", ()), "waived": facts.get("waived", ())}
    return ", ".join(f"{len(criteria)} {outcome}" for outcome, criteria in criteria_by_outcome.items() if criteria)


def _counts_text(decision: Decision) -> str:
    counts: dict[str, int] = {}
    for finding in decision.verdict.get("findings", ()):
        counts[finding["outcome"]] = counts.get(finding["outcome"], 0) + 1
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())


def _subject(entry: LedgerEntry) -> str:
    facts = entry.facts()
    return f"{facts.get('model')}/{facts.get('version')}"
