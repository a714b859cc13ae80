"""What gives the answers on the web pages: the active release, or guideline editions until a release is active."""

import math
import time
from collections.abc import Collection, Sequence
from threading import Lock
from typing import Final

from sirena.acts.local_rules import LocalRules
from sirena.acts.rules_in_force import overlay_in_force
from sirena.domain.rule_kind import RuleKind
from sirena.guidelines.choice import choose_editions
from sirena.guidelines.editions import Editions
from sirena.guidelines.written_rules import RulesSource
from sirena.panel.compiled import Panel
from sirena.panel.provenance import stamp_of
from sirena.serving.holder import PanelHolder
from sirena.settings.catalogue import Settings, load_settings
from sirena.stewardship.drift_populations import TrainingCounts
from sirena.web.answers import NamedPanel, answers_of_editions
from sirena.web.audited_labels import AuditedLabels
from sirena.whonet.file import WhonetFile

_SECONDS: Final = 1.0
"""Seconds for which the rules in force are not read again."""


class AnswersNow:
    """Callable that returns the panel that answers now."""

    def __init__(self, holder: PanelHolder, editions: "EditionsNow") -> None:
        """Create the callable; nothing is read yet.

        Args:
            holder: holder of the active release's panel.
            editions: guideline editions that answer until there is an active release.
        """
        self._holder = holder
        self._editions = editions
        self._last: NamedPanel | None = None

    def __call__(self) -> NamedPanel:
        """Return the panel that answers now."""
        marked_panel = self._holder.loaded_panel
        if marked_panel is None:
            return self._editions()
        last = self._last
        if last is None or last.panel is not marked_panel.panel:
            last = self._last = answers_of_release(marked_panel.panel)
        return last


class EditionsNow:
    """Callable that returns the guideline editions, with the hospital's own rules in force now, as a panel."""

    def __init__(self, settings: Settings, rules: LocalRules, guideline: Sequence[str] = ()) -> None:
        """Create the callable; nothing is read yet.

        Args:
            settings: settings that name the folder of guideline editions.
            rules: the hospital's own rules.
            guideline: names of guideline editions; empty means the newest in force.
        """
        self._settings = settings
        self._rules = rules
        self._guideline = guideline
        self._read_time = -math.inf
        self._last: tuple[RulesSource | None, NamedPanel] | None = None
        self._one_at_a_time = Lock()

    def overlay(self) -> RulesSource | None:
        """Return the hospital's rules in force on top of guideline editions; None if there are none.

        Raises:
            SirenaError: the ledger cannot be read, or is not as it was written.
        """
        return self._rules.in_force(RuleKind.OVERLAY).source

    def __call__(self) -> NamedPanel:
        """Return the editions compiled to a panel; the rules in force are read at most once a second.

        Raises:
            SirenaError: the ledger cannot be read, or is not as it was written.
        """
        with self._one_at_a_time:
            if self._last is None or time.monotonic() >= self._read_time + _SECONDS:
                overlay = self.overlay()
                if self._last is None or self._last[0] != overlay:
                    self._last = overlay, _by_editions(self._settings, self._guideline, overlay)
                self._read_time = time.monotonic()
            return self._last[1]


def answers_of_release(panel: Panel) -> NamedPanel:
    """Return the panel of a release, with its name for the pages."""
    return NamedPanel(
        panel, stamp_of(panel, panel.tables), by_models=True, source_of=lambda columns: stamp_of(panel, columns)
    )


def answers_for(release: str | None, guideline: Sequence[str], columns: Collection[str] | None = None) -> NamedPanel:
    """Return the panel that answers a file on the command line, or on the pages of one's own machine.

    Args:
        release: name of a release, ``active`` or ``latest``; None lets the guideline editions answer.
        guideline: names of guideline editions, if no release answers; empty means the newest in force.
        columns: model columns that the editions are to answer; all by default.

    Raises:
        SirenaError: there is no such release or edition.
    """
    if release is None:
        settings = load_settings()
        return _by_editions(settings, guideline, overlay_in_force(settings), columns)
    from sirena.acts.answering_release import load_for_answers

    return answers_of_release(load_for_answers(release).panel)


def _by_editions(
    settings: Settings,
    guideline: Sequence[str],
    overlay: RulesSource | None,
    columns: Collection[str] | None = None,
) -> NamedPanel:
    editions = choose_editions(Editions(settings.editions_folder), guideline, in_force=overlay)
    return answers_of_editions(editions, columns)


def evidence_of_models(panel: Panel, columns: Collection[str]) -> TrainingCounts:
    """Return the counts of the training evidence of a panel's models; MLflow's client is imported only here.

    Args:
        panel: panel of a release.
        columns: model columns to read.

    Raises:
        SirenaError: MLflow does not answer, or does not have the counts.
    """
    from sirena.acts.training_evidence import evidence_of

    return evidence_of(panel, columns)


def audit_labels_of(file: WhonetFile) -> AuditedLabels | None:
    """Audit the labels of a file for the pages, like `sirena inspect`, by the newest editions in force.

    Args:
        file: the file that was read.
    """
    from sirena.acts.label_auditing import audit_file

    audit = audit_file(file, choose_editions(Editions(load_settings().editions_folder)))
    return None if audit is None else AuditedLabels(audit.cells, audit.edition, audit.isolates)
