"""The panel of the release that the ledger holds as judged and activated, wherever its file is still what was judged.

Rules, each with a test of like name:

- a file is believed when its digest is the judged one: from the copy on this machine, else from the artifact store;
- what somebody changed, in the copy too, is an alarm, which stands until a look finds nothing;
- while ledger or MLflow are away, or the ledger is damaged, the release judged last goes on answering.
"""

import json

from sirena.acts.answering_release import AnsweringRelease
from sirena.acts.judged import is_behind_an_entry
from sirena.acts.judged_watch import Findings, JudgedWatch
from sirena.domain.errors import SirenaError, UsageError
from sirena.ledger.store import Ledger, open_ledger
from sirena.panel.compiled import ACTIVE, Panel
from sirena.registry.digests import sha256
from sirena.registry.judged_copy import JudgedCopy, KeptJudgement
from sirena.registry.judged_releases import Discrepancy, Judged, UnjudgedReleaseError
from sirena.registry.panel_cache import load_release
from sirena.serving.alarms import SourceAlarm
from sirena.serving.source import MarkedPanel, PanelSource
from sirena.settings.catalogue import Settings


class JudgedPanelSource(PanelSource):
    """A `PanelSource` that believes the ledger alone."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        """Look at nothing yet."""
        self._watch = JudgedWatch(settings, ledger)
        self._copy = JudgedCopy(settings.home)
        self._written: KeptJudgement | None = None
        self._judged: Judged | None = None
        self._standing: tuple[Discrepancy, ...] = ()
        self.is_kept_copy = False
        """True when MLflow or the ledger did not answer the last look, so that a newer switch may be unknown."""

    @property
    def alarms(self) -> tuple[SourceAlarm, ...]:
        """What the last look found that is not what was judged."""
        return tuple(SourceAlarm(one.store.value, one.text) for one in self._standing)

    def has_news(self) -> bool:
        """Tell whether the ledger decided something since the last look."""
        return self._watch.has_news()

    def fetch(self, known: str | None) -> MarkedPanel | None:
        """Look, and return the judged panel unless it is the known one.

        Raises:
            UsageError: no release was ever judged and activated.
            UnjudgedReleaseError: the ledger's release is nowhere as it was judged, and none is known.
            LedgerError: the ledger cannot be read; what is in use stays.
            RegistryUnavailableError: MLflow does not answer; what is in use stays.
        """
        found = self._watch.look(self._judged or self._copy.note())
        content = self._content(found)
        self._watch.record(found)
        self._standing = tuple(found.discrepancies)
        self.is_kept_copy = bool(found.failures)
        if content is None or found.judged is None:
            raise found.failures[0] if found.failures else _refusal(found)
        mark = f"{found.judged.release} {sha256(content)}"
        if mark != known:
            return MarkedPanel(Panel.of_release(json.loads(content), found.judged.release), mark)
        if found.failures:
            raise found.failures[0]
        return None

    def _content(self, found: Findings) -> bytes | None:
        """Return the judged file, from the copy or the artifact store, and keep copy and note as they should be."""
        if found.judged is None:
            return None
        kept, changed = self._copy.read(found.judged, self._written)
        found.discrepancies += changed
        content = kept if kept is not None else found.content
        if content is not None:
            self._judged = found.judged
            self._written = self._copy.keep(found.judged, content)
        return content


def _refusal(found: Findings) -> SirenaError:
    if found.judged is not None:
        return UnjudgedReleaseError(
            f"{found.judged.release} is nowhere as it was judged",
            hint="restore the artifact store from a backup, or make and activate a new release",
        )
    if found.discrepancies:
        return UnjudgedReleaseError(
            found.discrepancies[0].text, hint="look at it, then activate it: sirena release activate NAME"
        )
    return UsageError(
        "the audit ledger knows no release that was judged and activated",
        hint="activate one with `sirena release activate NAME`",
    )


def look_for_release(settings: Settings, release: str) -> AnsweringRelease:
    """Look at MLflow, and return a release for a file's answers: the active one as it was judged, or another.

    Raises:
        SirenaError: it is not there, or nowhere as it was judged.
    """
    if release.strip().lower() != ACTIVE or is_behind_an_entry(settings):
        loaded = load_release(release, settings=settings)
        return AnsweringRelease(loaded.panel, loaded.from_cache_only)
    return look_for_active(settings)


def look_for_active(settings: Settings) -> AnsweringRelease:
    """Look at MLflow and the ledger of this installation, and return the active release as it was judged.

    Raises:
        SirenaError: there is none, or it is nowhere as it was judged.
    """
    source = JudgedPanelSource(settings, open_ledger(settings))
    fetched = source.fetch(None)
    assert fetched is not None  # none is known, so one is fetched or an error is raised
    return AnsweringRelease(fetched.panel, source.is_kept_copy, tuple(alarm.text for alarm in source.alarms))
