"""The panel of the release that the ledger holds as judged and activated, wherever its file is still what was judged.

Rules, each with a test of like name:

- the ledger says which release answers; MLflow's alias only says whether a switch under way was made;
- a file is believed when its digest is the judged one: from the copy on this machine, else from the artifact store;
- every look compares alias, row, artifact, copy and ledger with the judgement, and what differs is an alarm;
- an alarm is on record in the ledger once, and stands until a look finds nothing;
- while ledger or MLflow are away, or the ledger is damaged, the release judged last goes on answering.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sirena.cli.judged import is_behind_an_entry
from sirena.cli.recording import actor
from sirena.domain.errors import SirenaError, UsageError
from sirena.ledger.catalogue import Alarm
from sirena.ledger.errors import LedgerError, LedgerTamperedError
from sirena.ledger.store import Ledger, open_ledger
from sirena.ledger.trusted_reading import TrustedReading
from sirena.operations.settings import Settings, load_settings
from sirena.panel.compiled import Panel
from sirena.registry.connection import connect
from sirena.registry.digests import sha256
from sirena.registry.judged_copy import JudgedCopy, KeptJudgement
from sirena.registry.judged_releases import (
    Discrepancy,
    Judged,
    Look,
    Store,
    UnjudgedReleaseError,
    look_at,
    look_for_unjudged,
)
from sirena.registry.panel_cache import load_release
from sirena.registry.releases import ACTIVE, panel_of
from sirena.serving.alarms import SourceAlarm
from sirena.serving.source import MarkedPanel, PanelSource


@dataclass
class _Findings:
    """What one look found."""

    discrepancies: list[Discrepancy] = field(default_factory=list)
    failures: list[SirenaError] = field(default_factory=list)


class JudgedPanelSource(PanelSource):
    """A `PanelSource` that believes the ledger alone."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        """Look at nothing yet."""
        self._settings = settings
        self._ledger = ledger
        self._reading = TrustedReading(ledger)
        self._copy = JudgedCopy(settings.home)
        self._written: KeptJudgement | None = None
        self._judged: Judged | None = None
        self._standing: tuple[Discrepancy, ...] = ()
        self._on_record: frozenset[Discrepancy] = frozenset()
        self.is_kept_copy = False
        """True when MLflow or the ledger did not answer the last look, so that a newer switch may be unknown."""

    @property
    def alarms(self) -> tuple[SourceAlarm, ...]:
        """What the last look found that is not what was judged."""
        return tuple(SourceAlarm(one.store.value, one.text) for one in self._standing)

    def fetch(self, known: str | None) -> MarkedPanel | None:
        """Look, and return the judged panel unless it is the known one.

        Raises:
            UsageError: no release was ever judged and activated.
            UnjudgedReleaseError: the ledger's release is nowhere as it was judged, and none is known.
            LedgerError: the ledger cannot be read; what is in use stays.
            RegistryUnavailableError: MLflow does not answer; what is in use stays.
        """
        found = _Findings()
        active, others = self._judgements(found)
        look = self._look(active, others, found)
        if look is not None and look.discrepancies:
            # a switch may have been announced, and made, between the reading of the ledger and the look
            found = _Findings()
            active, others = self._judgements(found)
            look = self._look(active, others, found)
        if look is not None:
            found.discrepancies += look.discrepancies
        if active is None:
            self._settle(found, "")
            raise found.failures[0] if found.failures else self._nothing_judged(found)
        judged, content = self._content(look, active, found)
        if content is not None:
            self._judged = judged
            self._written = self._copy.keep(judged, content)
        self._settle(found, judged.release)
        if content is None:
            text = f"{judged.release} is nowhere as it was judged"
            hint = "restore the artifact store from a backup, or make and activate a new release"
            raise found.failures[0] if found.failures else UnjudgedReleaseError(text, hint=hint)
        self.is_kept_copy = bool(found.failures)
        mark = f"{judged.release} {sha256(content)}"
        if mark != known:
            return MarkedPanel(panel_of(json.loads(content), judged.release), mark)
        if found.failures:
            raise found.failures[0]
        return None

    def _judgements(self, found: _Findings) -> tuple[Judged | None, Sequence[Judged]]:
        try:
            judgements = self._reading.read()
        except LedgerTamperedError as error:
            found.discrepancies.append(Discrepancy(Store.LEDGER, error.text))
        except LedgerError as error:
            found.failures.append(error)
        else:
            return judgements.active, judgements.under_way
        return self._judged or self._copy.note(), ()

    def _look(self, active: Judged | None, others: Sequence[Judged], found: _Findings) -> Look | None:
        try:
            registry = connect(self._settings)
            if active is None:
                return Look(None, None, look_for_unjudged(registry))
            return look_at(registry, active, others)
        except SirenaError as error:
            found.failures.append(error)
            return None

    def _content(self, look: Look | None, active: Judged, found: _Findings) -> tuple[Judged, bytes | None]:
        judged = look.judged if look is not None and look.judged is not None else active
        kept, changed = self._copy.read(judged, self._written)
        found.discrepancies += changed
        return judged, look.content if kept is None and look is not None else kept

    def _settle(self, found: _Findings, release: str) -> None:
        """Let what was found stand, and put on record what is not yet."""
        self._standing = tuple(found.discrepancies)
        new = [one for one in self._standing if one not in self._on_record]
        self._on_record = self._on_record.intersection(self._standing)
        facts = actor(self._settings) | {"who": ""}
        with suppress(LedgerError):  # a ledger that is away or damaged: the alarm stands, and is tried again
            self._ledger.append(
                *(Alarm(**facts, store=one.store.value, release=release, finding=one.text) for one in new)
            )
            self._on_record = self._on_record.union(new)

    def _nothing_judged(self, found: _Findings) -> SirenaError:
        if found.discrepancies:
            return UnjudgedReleaseError(
                found.discrepancies[0].text, hint="look at it, then activate it: sirena release activate NAME"
            )
        return UsageError(
            "the audit ledger knows no release that was judged and activated",
            hint="activate one with `sirena release activate NAME`",
        )


@dataclass(frozen=True)
class AnsweringRelease:
    """A release compiled for a file's answers."""

    panel: Panel
    name: str
    """``panel_SIR/3``."""
    from_cache_only: bool
    """True when MLflow did not answer."""
    alarms: tuple[str, ...] = ()
    """What was found that is not what was judged."""


def load_for_answers(release: str) -> AnsweringRelease:
    """Return a release for a file's answers: the active one as it was judged, or another that is named.

    Raises:
        SirenaError: it is not there, or nowhere as it was judged.
    """
    settings = load_settings()
    if release.strip().lower() != ACTIVE or is_behind_an_entry(settings):
        loaded = load_release(release, settings=settings)
        return AnsweringRelease(loaded.panel, loaded.name, loaded.from_cache_only)
    source = JudgedPanelSource(settings, open_ledger(settings))
    fetched = source.fetch(None)
    assert fetched is not None  # none is known, so one is fetched or an error is raised
    alarms = tuple(alarm.text for alarm in source.alarms)
    return AnsweringRelease(fetched.panel, fetched.panel.release, source.is_kept_copy, alarms)
