"""Who answers on the pages of a server: the active release, and the guideline editions until there is one."""

from functools import cached_property

from sirena.cli.interpret import stamp_of
from sirena.guidelines.choice import choose_editions
from sirena.guidelines.editions import Editions
from sirena.panel.compiled import Panel
from sirena.serving.holder import PanelHolder
from sirena.settings.catalogue import Settings
from sirena.web.answers import NamedPanel, answers_of_editions


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
        settings = self._settings
        return answers_of_editions(choose_editions(Editions(settings.editions_folder), [], in_force=settings.overlay))


def answers_of_release(panel: Panel) -> NamedPanel:
    """Return a release as the pages have it."""
    return NamedPanel(
        panel, stamp_of(panel, panel.tables), by_models=True, source_of=lambda columns: stamp_of(panel, columns)
    )
