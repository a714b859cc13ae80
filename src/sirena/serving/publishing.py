"""Publishing what a source of panels says: one process asks the source, and several others answer by it.

Rules, each with a test of like name:

- a publication contains the panel, in memory that all processes map, and the source's state: failure, alarms, shadow;
- a publication is made when something changed, and a panel is laid out once for all processes;
- in the answering processes it acts as a source like any other, with the same panel, failure and alarms.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sirena.domain.errors import SirenaError, UsageError
from sirena.panel.compiled import Panel
from sirena.serving.alarms import SourceAlarm
from sirena.serving.channel import dump, load
from sirena.serving.holder import failure_of
from sirena.serving.shared_panel import share, take_up
from sirena.serving.source import MarkedPanel, PanelSource

_RETRY_SECONDS: Final = 30.0
"""Seconds until loading a shadow is tried again after a failure."""


class PassedOnError(SirenaError):
    """An error that the source raised in the process that asked it."""

    def __init__(self, code: str, text: str, hint: str) -> None:
        """Pass on a failure under its own code."""
        super().__init__(text, hint=hint)
        self.code = code


@dataclass(frozen=True)
class Failure:
    """Why a source failed."""

    code: str
    text: str
    hint: str = ""

    def error(self) -> SirenaError:
        """Return the failure as an error: a `UsageError` if the source raised one, else a `PassedOnError`."""
        if self.code == UsageError.code:
            return UsageError(self.text, hint=self.hint)
        return PassedOnError(self.code, self.text, self.hint)


@dataclass(frozen=True)
class Standing:
    """The last known state of a source."""

    mark: str | None = None
    """Mark of the panel that answers; None if there is none yet."""
    release: str | None = None
    """Name of the release that answers."""
    loads: int = 0
    """Number of panels published so far, including this one."""
    failure: Failure | None = None
    is_askable: bool = True
    """False if no source is configured, so that there is nothing to ask."""
    alarms: tuple[SourceAlarm, ...] = ()
    shadow_mark: str | None = None
    shadow_failure: str = ""
    """Why the shadow of this mark could not be loaded; empty if it was."""


@dataclass(frozen=True)
class Publication:
    """A source's state and its panels, as files in memory."""

    standing: Standing
    files: Sequence[int]
    """File descriptors: of the state, of the panel if there is one, and of the shadow if there is one."""

    @classmethod
    def of(cls, standing: Standing, panel: int | None = None, shadow: int | None = None) -> "Publication":
        """Return a publication of a state and of files that `share` wrote; it takes over their descriptors."""
        return cls(standing, [dump(standing), *(file for file in (panel, shadow) if file is not None)])

    @classmethod
    def from_files(cls, files: Sequence[int]) -> "Publication":
        """Return the publication that consists of these files; it takes over their descriptors."""
        return cls(load(files[0]), files)

    def with_standing(self, standing: Standing) -> "Publication":
        """Return a publication of another standing and the same panels, with files of its own.

        Raises:
            OSError: no more files can be opened.
        """
        panels: list[int] = []
        try:
            panels.extend(map(os.dup, self.files[1:]))
            return Publication.of(standing, *panels)
        except OSError:
            for file in panels:
                os.close(file)
            raise

    @property
    def panel(self) -> int | None:
        """File descriptor of the panel; None if there is none."""
        return None if self.standing.mark is None else self.files[1]

    @property
    def shadow(self) -> int | None:
        """File descriptor of the shadow; None if there is none."""
        shadow_files = self.files[1 if self.standing.mark is None else 2 :]
        return shadow_files[0] if shadow_files else None

    def close(self) -> None:
        """Close the files."""
        for file in self.files:
            os.close(file)


class PublishingSource(PanelSource):
    """Asks a source and publishes its answers; its own `fetch` returns panels without tables."""

    def __init__(
        self, source: PanelSource, publish: Callable[[Publication], None], last_publication: Publication
    ) -> None:
        """Set the source and how to publish.

        Args:
            source: the source to ask.
            publish: called with each publication; it must leave the files open.
            last_publication: the last publication, perhaps of a process that ended.
        """
        self._source = source
        self._publish = publish
        self._last_publication = last_publication
        self._next_try = 0.0

    @property
    def alarms(self) -> Sequence[SourceAlarm]:
        """The alarms that the last `fetch` found."""
        return self._source.alarms

    def has_news(self) -> bool:
        """Tell cheaply whether there may be another panel."""
        return self._source.has_news()

    def fetch(self, known_mark: str | None) -> MarkedPanel | None:
        """Ask the source, and publish what has changed.

        Raises:
            SirenaError: the source failed.
            OSError: there is no memory left for a panel.
        """
        standing, panel = replace(self._last_publication.standing, failure=None), self._last_publication.panel
        try:
            marked_panel = self._source.fetch(known_mark)
            if marked_panel is not None and marked_panel.mark != standing.mark:
                panel = share(marked_panel.panel)
                standing = replace(
                    standing, mark=marked_panel.mark, release=marked_panel.panel.release, loads=standing.loads + 1
                )
        except Exception as error:
            standing = replace(standing, failure=Failure(*failure_of(error)))
            raise
        finally:
            self._publish_changes(standing, panel)
        return marked_panel and MarkedPanel(Panel({}, {}, marked_panel.panel.release), marked_panel.mark)

    def _publish_changes(self, standing: Standing, panel: int | None) -> None:
        last_publication = self._last_publication
        shadow = last_publication.shadow
        standing = replace(standing, is_askable=True, alarms=tuple(self._source.alarms))
        mark = self._source.shadow_mark
        is_due = standing.shadow_failure and time.monotonic() >= self._next_try
        if mark != standing.shadow_mark or is_due:
            shadow, text = self._load_shadow() if mark is not None else (None, "")
            standing = replace(standing, shadow_mark=mark, shadow_failure=text)
            self._next_try = time.monotonic() + _RETRY_SECONDS
        if standing == last_publication.standing and last_publication.standing != Standing():
            return
        self._last_publication = Publication.of(standing, panel, shadow)
        self._publish(self._last_publication)
        for file in {*last_publication.files} - {*self._last_publication.files}:
            os.close(file)

    def _load_shadow(self) -> tuple[int | None, str]:
        try:
            return share(self._source.load_shadow()), ""
        except SirenaError as error:
            return None, error.text
        except Exception as error:  # noqa: BLE001 - whatever a registry's client raises, it is tried again
            return None, f"the shadow cannot be loaded ({type(error).__name__})"


class PublishedSource(PanelSource):
    """The source of the processes that answer: the last publication."""

    def __init__(self, publication: Publication) -> None:
        """Start with a publication."""
        self._lock = threading.Lock()
        self._publication = publication
        self._fetched_standing: Standing | None = None

    @property
    def standing(self) -> Standing:
        """The last known state of the source."""
        return self._publication.standing

    @property
    def alarms(self) -> Sequence[SourceAlarm]:
        """Differences between the stored release and the judged one, as the parent found them last."""
        return self.standing.alarms

    @property
    def shadow_mark(self) -> str | None:
        """Mark of the shadow, the release that answers unseen; None if there is none."""
        return self.standing.shadow_mark

    def take(self, publication: Publication) -> None:
        """Replace the publication by a newer one."""
        with self._lock:
            former, self._publication = self._publication, publication
            former.close()

    def has_news(self) -> bool:
        """Tell whether there is a publication that `fetch` has not returned yet."""
        return self._fetched_standing is not self.standing

    def fetch(self, known_mark: str | None) -> MarkedPanel | None:
        """Return the published panel, mapped from shared memory; None if it is the known one.

        Raises:
            SirenaError: the source failed, with its error.
        """
        with self._lock:
            standing = self.standing
            is_new = standing.mark is not None and standing.mark != known_mark
            file = os.dup(self._publication.panel) if is_new and self._publication.panel is not None else None
        if file is not None and standing.mark is not None:
            # a failure, if there is one as well, is asked for next
            self._fetched_standing = standing if standing.failure is None else None
            return MarkedPanel(_map(file), standing.mark)
        self._fetched_standing = standing
        if standing.failure is not None:
            raise standing.failure.error()
        return None

    def load_shadow(self) -> Panel:
        """Return the published shadow (the release that answers unseen), mapped from shared memory.

        Raises:
            SirenaError: the shadow could not be loaded.
        """
        with self._lock:
            if self._publication.shadow is None:
                raise SirenaError(self.standing.shadow_failure)
            file = os.dup(self._publication.shadow)
        return _map(file)


def _map(file: int) -> Panel:
    try:
        return take_up(file)
    finally:
        os.close(file)
