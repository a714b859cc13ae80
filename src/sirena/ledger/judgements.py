"""Which release may answer, by the ledger alone; MLflow's alias, tags and files do not decide it.

Rules, each with a test of like name:

- the release that was activated last, or rolled back to, is the active one, whatever MLflow says;
- an activation or rollback that was allowed and whose outcome is not recorded yet may have taken effect: MLflow's alias
tells; - an activation or rollback that was refused or that failed changes nothing; - a rollback returns to the release
that the active one replaced; - a release whose stage was taken away does not answer any more; - the shadow, which
answers unseen, is the release named last as such, until it is ended or becomes the active one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from sirena.ledger.entry import LedgerEntry
from sirena.ledger.event import ActOutcome

SWITCHES: Final = ("activated", "rolled_back")
SHADOWED: Final = "shadowed"
DECIDING: Final = (*SWITCHES, "activation_refused", "promoted", SHADOWED)
"""Kinds of event that decide which release may answer."""
_ENDED: Final = (ActOutcome.DONE, ActOutcome.UNCHANGED)
_FULL_DIGEST: Final = 64


@dataclass(frozen=True)
class Judgement:
    """The gate's judgement of a release, as a ledger entry records it."""

    release: str
    """``panel_SIR/3``."""
    digest: str
    """Digest of the release, over its members with their tables."""
    content: str
    """SHA-256 of the release's file."""
    files: tuple[str, ...]
    """Every file of the release, each as the text ``SHA-256 path``."""
    entry: int
    """Number of the ledger entry."""
    at: str
    """UTC, ISO 8601."""
    who: str
    action: str
    """``activated``, ``rolled_back`` or ``shadowed``."""
    act: str
    """Act of the entry, shared with the entries that belong to it."""

    @classmethod
    def of(cls, entry: LedgerEntry) -> "Judgement":
        """Create the judgement from a ledger entry."""
        facts = entry.facts()
        files = facts.get("files", ())
        return cls(
            release=str(facts.get("release", "")),
            digest=str(facts.get("digest", "")),
            content=str(facts.get("content", "")),
            files=tuple(map(str, files)) if isinstance(files, list) else (),
            entry=entry.seq,
            at=entry.at,
            who=entry.who,
            action=entry.event,
            act=entry.act,
        )

    @property
    def is_whole(self) -> bool:
        """True if the judgement names the release and its file's full digest; otherwise the judgement has no effect."""
        return bool(self.release) and len(self.content) == _FULL_DIGEST


@dataclass(frozen=True)
class ActivePeriod:
    """A period in which one release was the active one."""

    judgement: Judgement
    """Judgement by which the release first answered in this time."""
    until: str | None = None
    """End, UTC, ISO 8601; None while the release is still the active one."""


@dataclass(frozen=True)
class Judgements:
    """The releases that the ledger records as active, replaced, announced and shadow."""

    active: Judgement | None = None
    """The release that may answer; None if no release was judged, or its stage was taken away."""
    under_way: tuple[Judgement, ...] = ()
    """Later activations and rollbacks that were allowed and whose outcome is not recorded."""
    periods: tuple[ActivePeriod, ...] = ()
    """Which release answered when, oldest first."""
    former_releases: Mapping[str, Judgement] = field(default_factory=dict)
    """By release, the release that was active before this one was last activated."""
    shadow: Judgement | None = None
    """The shadow, which answers the same requests unseen; None if there is no shadow."""

    @property
    def rollback(self) -> Judgement | None:
        """The release to which a rollback returns; None if there is no such release."""
        return self.former_releases.get(self.active.release) if self.active else None

    def at(self, moment: str) -> ActivePeriod | None:
        """Return the period that contains a moment (UTC, ISO 8601); None if no release was active then."""
        earlier_periods = (candidate for candidate in reversed(self.periods) if candidate.judgement.at <= moment)
        period = next(earlier_periods, None)
        return period if period is not None and (period.until is None or moment < period.until) else None


def read_judgements(entries: Iterable[LedgerEntry]) -> Judgements:
    """Find which releases are active, replaced, announced and shadow, from the deciding ledger entries in order."""
    active: Judgement | None = None
    periods: list[ActivePeriod] = []
    before: dict[str, Judgement] = {}
    announcements: dict[str, Judgement] = {}
    shadow: Judgement | None = None
    for entry in entries:
        if entry.event == "promoted":
            facts = entry.facts()
            reference = f"{facts.get('model')}/{facts.get('version')}"
            if active is not None and entry.outcome in _ENDED and reference == active.release:
                active = None
                periods[-1] = replace(periods[-1], until=entry.at)
            continue
        judgement = Judgement.of(entry)
        if entry.event == SHADOWED:
            if entry.outcome in _ENDED and (judgement.is_whole or not judgement.release):
                shadow = judgement if judgement.release else None
            continue
        if entry.event in SWITCHES and entry.outcome == ActOutcome.INTENDED:
            if judgement.content:  # the intention before the gate was asked says nothing of the content
                announcements[entry.act] = judgement
            continue
        announcements.pop(entry.act, None)
        if entry.event not in SWITCHES or entry.outcome not in _ENDED or not judgement.is_whole:
            continue
        if entry.event == SWITCHES[0] and (active is None or active.release != judgement.release):
            before.pop(judgement.release, None)
            if active is not None:
                before[judgement.release] = active
        if active is None or active.release != judgement.release:
            if active is not None:
                periods[-1] = replace(periods[-1], until=judgement.at)
            periods.append(ActivePeriod(judgement))
        active = judgement
        if shadow is not None and shadow.release == active.release:
            shadow = None
    under_way = tuple(
        announcement for announcement in announcements.values() if active is None or announcement.entry > active.entry
    )
    return Judgements(active, under_way, tuple(periods), before, shadow)
