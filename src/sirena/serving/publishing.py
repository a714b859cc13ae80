"""A source of panels whose findings are published: one process asks the source, and several answer by what it found.

Rules, each with a test of like name:

- what is published is the panel, in memory that all map, and what the source says of itself: failure, alarms, shadow;
- it is published when something of it changed, and a panel is laid out once for all who answer by it;
- who answers finds in it a source like any other: the same panel, failure and alarms.
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
"""How long until a shadow that could not be loaded is tried again."""


class PassedOnError(SirenaError):
    """What the source said to the process that asked it."""

    def __init__(self, code: str, text: str, hint: str) -> None:
        """Pass on a failure under its own code."""
        super().__init__(text, hint=hint)
        self.code = code


@dataclass(frozen=True)
class Failure:
    """Why a source cannot be asked."""

    code: str
    text: str
    hint: str = ""

    def error(self) -> SirenaError:
        """Return it as an error; a wrong use of the command line as such."""
        if self.code == UsageError.code:
            return UsageError(self.text, hint=self.hint)
        return PassedOnError(self.code, self.text, self.hint)


@dataclass(frozen=True)
class Standing:
    """What a source said last."""

    mark: str | None = None
    """Of the panel that answers; None until there is one."""
    release: str | None = None
    """Its name."""
    loads: int = 0
    """How many panels were published so far, this one among them."""
    failure: Failure | None = None
    is_askable: bool = True
    """False when there is nothing to ask: settings or options name no source."""
    alarms: tuple[SourceAlarm, ...] = ()
    shadow_mark: str | None = None
    shadow_failure: str = ""
    """Why the shadow of this mark could not be loaded."""


@dataclass(frozen=True)
class Publication:
    """A standing and the panels it speaks of, as files in memory."""

    standing: Standing
    files: Sequence[int]
    """Descriptors: of the standing, of the panel where there is one, and of the shadow where there is one."""

    @classmethod
    def of(cls, standing: Standing, panel: int | None = None, shadow: int | None = None) -> "Publication":
        """Return a publication; it takes over descriptors of files that `share` wrote."""
        return cls(standing, [dump(standing), *(file for file in (panel, shadow) if file is not None)])

    @classmethod
    def received(cls, files: Sequence[int]) -> "Publication":
        """Return the publication of which these are the files; it takes them over."""
        return cls(load(files[0]), files)

    def with_standing(self, standing: Standing) -> "Publication":
        """Return a publication of another standing and the same panels, with files of its own.

        Raises:
            OSError: no more files can be opened.
        """
        panels: list[int] = []
        try:
            panels.extend(map(os.dup, self.files[1:]))
            return Publication(standing, [dump(standing), *panels])
        except OSError:
            for file in panels:
                os.close(file)
            raise

    @property
    def panel(self) -> int | None:
        """The panel's file."""
        return None if self.standing.mark is None else self.files[1]

    @property
    def shadow(self) -> int | None:
        """The shadow's file."""
        rest = self.files[1 if self.standing.mark is None else 2 :]
        return rest[0] if rest else None

    def close(self) -> None:
        """Close the files."""
        for file in self.files:
            os.close(file)


class PublishingSource(PanelSource):
    """Asks a source and publishes what it says; whoever holds this itself gets panels without tables."""

    def __init__(self, source: PanelSource, publish: Callable[[Publication], None], before: Publication) -> None:
        """Publish nothing yet.

        Args:
            source: that is asked.
            publish: is given a publication, and leaves its files open.
            before: what was published last, maybe by a process that ended.
        """
        self._source = source
        self._publish = publish
        self._last = before
        self._next_try = 0.0

    @property
    def alarms(self) -> Sequence[SourceAlarm]:
        """What the last `fetch` found that is not what was judged."""
        return self._source.alarms

    def has_news(self) -> bool:
        """Tell at little cost whether another panel may be meant."""
        return self._source.has_news()

    def fetch(self, known: str | None) -> MarkedPanel | None:
        """Ask the source, and publish what has changed.

        Raises:
            SirenaError: the source failed.
            OSError: no memory is left to lay a panel out in.
        """
        standing, panel = replace(self._last.standing, failure=None), self._last.panel
        try:
            fetched = self._source.fetch(known)
            if fetched is not None and fetched.mark != standing.mark:
                panel = share(fetched.panel)
                standing = replace(standing, mark=fetched.mark, release=fetched.panel.release, loads=standing.loads + 1)
        except Exception as error:
            standing = replace(standing, failure=Failure(*failure_of(error)))
            raise
        finally:
            self._publish_changes(standing, panel)
        return fetched and MarkedPanel(Panel({}, {}, fetched.panel.release), fetched.mark)

    def _publish_changes(self, standing: Standing, panel: int | None) -> None:
        last = self._last
        shadow = last.shadow
        standing = replace(standing, is_askable=True, alarms=tuple(self._source.alarms))
        mark = self._source.shadow_mark
        is_due = standing.shadow_failure and time.monotonic() >= self._next_try
        if mark != standing.shadow_mark or is_due:
            shadow, text = self._load_shadow() if mark is not None else (None, "")
            standing = replace(standing, shadow_mark=mark, shadow_failure=text)
            self._next_try = time.monotonic() + _RETRY_SECONDS
        if standing == last.standing and last.standing != Standing():
            return
        self._last = Publication.of(standing, panel, shadow)
        self._publish(self._last)
        for file in {*last.files} - {*self._last.files}:
            os.close(file)

    def _load_shadow(self) -> tuple[int | None, str]:
        try:
            return share(self._source.load_shadow()), ""
        except SirenaError as error:
            return None, error.text
        except Exception as error:  # noqa: BLE001 - whatever a registry's client raises, it is tried again
            return None, f"the shadow cannot be loaded ({type(error).__name__})"


class PublishedSource(PanelSource):
    """The source of those who answer: what was published last."""

    def __init__(self, publication: Publication) -> None:
        """Give what was published last."""
        self._lock = threading.Lock()
        self._publication = publication
        self._asked: Standing | None = None

    @property
    def standing(self) -> Standing:
        """What the source said last."""
        return self._publication.standing

    @property
    def alarms(self) -> Sequence[SourceAlarm]:
        """What the source found that is not what was judged."""
        return self.standing.alarms

    @property
    def shadow_mark(self) -> str | None:
        """Mark of the release that answers unseen."""
        return self.standing.shadow_mark

    def take(self, publication: Publication) -> None:
        """Take what was published in place of what was before."""
        with self._lock:
            former, self._publication = self._publication, publication
            former.close()

    def has_news(self) -> bool:
        """Tell whether anything was published that was not asked for yet."""
        return self._asked is not self.standing

    def fetch(self, known: str | None) -> MarkedPanel | None:
        """Map the panel unless it is the known one.

        Raises:
            SirenaError: what the source said.
        """
        with self._lock:
            standing = self.standing
            is_new = standing.mark is not None and standing.mark != known
            file = os.dup(self._publication.panel) if is_new and self._publication.panel is not None else None
        if file is not None and standing.mark is not None:
            # a failure, if there is one as well, is asked for next
            self._asked = standing if standing.failure is None else None
            return MarkedPanel(_map(file), standing.mark)
        self._asked = standing
        if standing.failure is not None:
            raise standing.failure.error()
        return None

    def load_shadow(self) -> Panel:
        """Map the release that answers unseen.

        Raises:
            SirenaError: it could not be loaded.
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
