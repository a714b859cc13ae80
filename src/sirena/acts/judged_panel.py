"""The panel of the active release, loaded from a stored file that the ledger proves to be the one judged.

Rules, each with a test of like name:

- a file is used if its digest is the judged one: the copy on this machine, else the one in the artifact store;
- a changed file, or a changed copy, raises an alarm, which stays until a comparison finds no difference;
- while ledger or MLflow do not answer, or the ledger is damaged, the release judged last goes on answering;
- a shadow is loaded if its file is still the one that was named; see `sirena.serving.shadow`.
"""

import json

from sirena.acts.answering_release import AnsweringRelease
from sirena.acts.judged import is_behind_an_entry
from sirena.acts.judged_watch import Findings, JudgedWatch
from sirena.domain.errors import SirenaError, UsageError
from sirena.ledger.store import Ledger, open_ledger
from sirena.panel.compiled import ACTIVE, Panel
from sirena.registry.connection import connect
from sirena.registry.digests import sha256
from sirena.registry.judged_copy import JudgedCopy, KeptJudgement
from sirena.registry.judged_releases import Discrepancy, ReleaseJudgement, UnjudgedReleaseError, read_judged
from sirena.registry.panel_cache import load_release
from sirena.serving.alarms import SourceAlarm
from sirena.serving.source import MarkedPanel, PanelSource
from sirena.settings.catalogue import Settings


class JudgedPanelSource(PanelSource):
    """A `PanelSource` that loads only releases that the ledger records as judged and activated."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        """Create the source; nothing is loaded yet."""
        self._settings = settings
        self._watch = JudgedWatch(settings, ledger)
        self._copy = JudgedCopy(settings.home)
        self._written_note: KeptJudgement | None = None
        self._judgement: ReleaseJudgement | None = None
        self._discrepancies: tuple[Discrepancy, ...] = ()
        self._shadow: ReleaseJudgement | None = None
        self.is_kept_copy = False
        """True when MLflow or the ledger did not answer at the last look, so that a newer switch may be unknown."""

    @property
    def alarms(self) -> tuple[SourceAlarm, ...]:
        """Differences between the stored release and the judged one, found by the last comparison."""
        return tuple(SourceAlarm(discrepancy.store.value, discrepancy.text) for discrepancy in self._discrepancies)

    @property
    def shadow_mark(self) -> str | None:
        """Release and file digest of the shadow, by the last reading of the ledger; None if there is no shadow."""
        return f"{self._shadow.release} {self._shadow.content}" if self._shadow else None

    def load_shadow(self) -> Panel:
        """Load the shadow from MLflow.

        Raises:
            UnjudgedReleaseError: there is no shadow, or its file was changed since it was named.
            RegistryUnavailableError: MLflow does not answer.
        """
        shadow = self._shadow
        if shadow is None:
            raise UnjudgedReleaseError("the audit ledger knows no release that answers unseen")
        content = read_judged(connect(self._settings), shadow, shadow.release)
        return Panel.of_release(json.loads(content), shadow.release)

    def has_news(self) -> bool:
        """Tell whether a decision was added to the ledger since it was last read."""
        return self._watch.has_news()

    def fetch(self, known_mark: str | None) -> MarkedPanel | None:
        """Compare ledger and MLflow, and return the judged panel; None if that is the panel already known.

        Raises:
            UsageError: the ledger records no release as judged and activated.
            UnjudgedReleaseError: no stored copy of the active release is as it was judged, or no release was judged.
            LedgerError: the ledger cannot be read; the panel in use stays.
            RegistryUnavailableError: MLflow does not answer; the panel in use stays.
        """
        findings = self._watch.look(self._judgement or self._copy.note())
        content = self._content(findings)
        if findings.is_read:
            self._shadow = findings.shadow
        self._watch.record(findings)
        self._discrepancies = tuple(findings.discrepancies)
        self.is_kept_copy = bool(findings.failures)
        if content is None or findings.judgement is None:
            raise findings.failures[0] if findings.failures else _refusal(findings)
        mark = f"{findings.judgement.release} {sha256(content)}"
        if mark != known_mark:
            return MarkedPanel(Panel.of_release(json.loads(content), findings.judgement.release), mark)
        if findings.failures:
            raise findings.failures[0]
        return None

    def _content(self, findings: Findings) -> bytes | None:
        """Return the judged file, from the copy or the artifact store, and write copy and note anew if they differ."""
        if findings.judgement is None:
            return None
        copy, discrepancies = self._copy.read(findings.judgement, self._written_note)
        findings.discrepancies += discrepancies
        content = copy if copy is not None else findings.content
        if content is not None:
            self._judgement = findings.judgement
            self._written_note = self._copy.keep(findings.judgement, content)
        return content


def _refusal(findings: Findings) -> SirenaError:
    if findings.judgement is not None:
        return UnjudgedReleaseError(
            f"{findings.judgement.release} is nowhere as it was judged",
            hint="restore the artifact store from a backup, or make and activate a new release",
        )
    if findings.discrepancies:
        return UnjudgedReleaseError(
            findings.discrepancies[0].text, hint="look at it, then activate it: sirena release activate NAME"
        )
    return UsageError(
        "the audit ledger knows no release that was judged and activated",
        hint="activate one with `sirena release activate NAME`",
    )


def look_for_release(settings: Settings, release: str) -> AnsweringRelease:
    """Return the active release as it was judged, or another release by its name, after comparison with MLflow.

    Raises:
        SirenaError: there is no such release, or no stored copy is as it was judged.
    """
    if release.strip().lower() != ACTIVE or is_behind_an_entry(settings):
        loaded_release = load_release(release, settings=settings)
        return AnsweringRelease(loaded_release.panel, loaded_release.from_cache_only)
    return look_for_active(settings)


def look_for_active(settings: Settings) -> AnsweringRelease:
    """Return the active release as it was judged, after comparing MLflow with this installation's ledger.

    Raises:
        SirenaError: no release is active, or no stored copy is as it was judged.
    """
    source = JudgedPanelSource(settings, open_ledger(settings))
    panel = source.fetch(None)
    assert panel is not None  # none is known, so one is fetched or an error is raised
    return AnsweringRelease(panel.panel, source.is_kept_copy, tuple(alarm.text for alarm in source.alarms))
