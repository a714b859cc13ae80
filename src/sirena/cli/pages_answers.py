"""Who answers on the pages of a server: the active release, and the guideline editions until there is one."""

from collections.abc import Collection, Sequence
from functools import cached_property

from sirena.cli.interpret import stamp_of
from sirena.guidelines.choice import choose_editions
from sirena.guidelines.editions import Editions
from sirena.panel.compiled import Panel
from sirena.serving.holder import PanelHolder
from sirena.settings.catalogue import Settings, load_settings
from sirena.stewardship.drift_populations import TrainingCounts
from sirena.web.answers import NamedPanel, answers_of_editions
from sirena.web.audited_labels import AuditedLabels
from sirena.whonet.file import WhonetFile


class AnswersNow:
    """Says who answers now; callable, as the pages want it."""

    def __init__(self, holder: PanelHolder, settings: Settings) -> None:
        """Ask nobody yet.

        Args:
            holder: of the active release.
            settings: say which editions are in force.
        """
        self._holder = holder
        self._settings = settings
        self._last: NamedPanel | None = None

    def __call__(self) -> NamedPanel:
        """Return who answers."""
        loaded = self._holder.loaded
        if loaded is None:
            return self._by_editions
        last = self._last
        if last is None or last.panel is not loaded.panel:
            last = self._last = answers_of_release(loaded.panel)
        return last

    @cached_property
    def _by_editions(self) -> NamedPanel:
        return _by_editions(self._settings, [])


def answers_of_release(panel: Panel) -> NamedPanel:
    """Return a release as the pages have it."""
    return NamedPanel(
        panel, stamp_of(panel, panel.tables), by_models=True, source_of=lambda columns: stamp_of(panel, columns)
    )


def answers_for(release: str | None, guideline: Sequence[str]) -> NamedPanel:
    """Return who answers a file on the command line and on one's own pages.

    Args:
        release: name of a release, ``active`` or ``latest``; None lets the guideline editions answer.
        guideline: editions, where no release answers; the newest in force by default.

    Raises:
        SirenaError: there is no such release or edition.
    """
    if release is None:
        return _by_editions(load_settings(), guideline)
    from sirena.acts.answering_release import load_for_answers

    return answers_of_release(load_for_answers(release).panel)


def _by_editions(settings: Settings, guideline: Sequence[str]) -> NamedPanel:
    chosen = choose_editions(Editions(settings.editions_folder), guideline, in_force=settings.overlay)
    return answers_of_editions(chosen)


def evidence_of_models(panel: Panel, columns: Collection[str]) -> TrainingCounts:
    """Return what the trainings of a panel's models kept; MLflow's client, which takes seconds to import, comes here.

    Args:
        panel: of a release.
        columns: model columns to ask for.

    Raises:
        SirenaError: MLflow does not say.
    """
    from sirena.acts.training_evidence import evidence_of

    return evidence_of(panel, columns)


def audit_labels_of(file: WhonetFile) -> AuditedLabels | None:
    """Audit the labels of a file for the pages as `sirena inspect` does: by the newest editions in force.

    Args:
        file: as read.
    """
    from sirena.acts.label_auditing import audit_file

    audit = audit_file(file, choose_editions(Editions(load_settings().editions_folder)))
    return None if audit is None else AuditedLabels(audit.cells, audit.edition, audit.isolates)
