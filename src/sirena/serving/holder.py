"""The panel of models in use: loaded in the background, replaced as a whole, and kept if its source fails.

Rules, each with a test of like name:

- until a panel is loaded the service is alive and not ready;
- a newly activated release is taken up within `poll_seconds`, or at once when woken (SIGHUP);
- a source that can cheaply check for a newer panel is read within a second of one;
- a request is answered by one panel from start to end, even if the panel is replaced meanwhile;
- if a source fails or gives a damaged panel, the panel in use stays, and the source is read again later;
- an alarm of the source is reported once, and stays until the source no longer finds its cause.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sirena.domain.errors import SirenaError, UsageError
from sirena.panel.compiled import Panel
from sirena.panel.lookup import resolve_text
from sirena.serving.alarms import SourceAlarm
from sirena.serving.errors import NoPanelError, NoReleaseError
from sirena.serving.prepared import PreparedRelease
from sirena.serving.source import PanelSource

PANEL_LOADED: Final = "panel_loaded"
"""Event: another panel is in use."""
SOURCE_EVENTS: Final = ("panel_source_failed", "alarm", "alarm_over")
"""Events of the source; only the process that asks the source logs them."""
_NEWS_SECONDS: Final = 1.0


@dataclass(frozen=True)
class LoadedPanel:
    """A panel in use, with its mark and time of loading."""

    release: PreparedRelease
    """The panel, with everything that is encoded once."""
    mark: str
    """Mark by which the source recognises the panel."""
    loaded_at: float
    """Time of loading, in seconds since the epoch."""

    @property
    def panel(self) -> Panel:
        """The panel itself."""
        return self.release.panel


@dataclass(frozen=True)
class SourceFailure:
    """The last failure of the source, as long as it lasts."""

    code: str
    text: str
    since: float
    """Time of the first failure, in seconds since the epoch."""


class PanelHolder:
    """Keeps the newest panel of a source loaded, by polling the source in the background."""

    def __init__(
        self,
        source: PanelSource,
        *,
        poll_seconds: float = 5.0,
        notify: Callable[[str, dict[str, str]], None] | None = None,
    ) -> None:
        """Start without a panel; `start` or `refresh` loads one.

        Args:
            source: source of the panel.
            poll_seconds: seconds between two questions to the source whether there is another panel.
            notify: called with an event's name and facts when a panel was loaded or the source failed.
        """
        self._source = source
        self._poll_seconds = poll_seconds
        self._notify = notify
        self._loaded_panel: LoadedPanel | None = None
        self._failure: SourceFailure | None = None
        self._alarms: tuple[SourceAlarm, ...] = ()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._refreshing = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def loaded_panel(self) -> LoadedPanel | None:
        """The panel in use; None until the first panel is loaded."""
        return self._loaded_panel

    @property
    def failure(self) -> SourceFailure | None:
        """The source's current failure; None if the source works."""
        return self._failure

    @property
    def alarms(self) -> tuple[SourceAlarm, ...]:
        """The alarms of the source: differences from what was judged."""
        return self._alarms

    def require(self) -> Panel:
        """Return the panel in use; raises the errors of `require_release`."""
        return self.require_release().panel

    def require_release(self) -> PreparedRelease:
        """Return the active release, prepared for answering.

        Raises:
            NotReadyError: no release is loaded yet; `NoReleaseError` if there is no release to load.
        """
        loaded_panel = self._loaded_panel
        if loaded_panel is None:
            failure = self._failure
            kind = NoReleaseError if failure and failure.code == UsageError.code else NoPanelError
            raise kind("no panel is loaded yet", hint=failure.text if failure else "ask again in a few seconds")
        return loaded_panel.release

    def refresh(self) -> bool:
        """Poll the source, and load and use its panel if that is new. Returns True if the panel in use was replaced.

        Raises:
            SirenaError: the source failed; the panel in use stays.
        """
        with self._refreshing:
            began = time.perf_counter()
            try:
                marked_panel = self._source.fetch(self._loaded_panel.mark if self._loaded_panel else None)
            except SirenaError as error:
                self._fail(error.code, error.text)
                raise
            finally:
                self._hear(tuple(self._source.alarms))
            self._failure = None
            if marked_panel is None:
                return False
            panel = marked_panel.panel
            _warm(panel)
            self._loaded_panel = LoadedPanel(PreparedRelease(panel), marked_panel.mark, time.time())
            milliseconds = f"{(time.perf_counter() - began) * 1000:.0f}"
            facts = {"release": panel.release, "models": str(len(panel.tables)), "milliseconds": milliseconds}
            self._tell(PANEL_LOADED, facts)
            return True

    def start(self) -> None:
        """Begin to poll the source in the background."""
        self._thread = threading.Thread(target=self._poll, name="sirena-panel", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Poll the source now instead of at the next interval."""
        self._wake.set()

    def stop(self) -> None:
        """Stop polling. A load in progress is not waited for, so an unreachable registry cannot delay the exit."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def _poll(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self.refresh()
            except SirenaError:
                pass  # reported by refresh
            except Exception as error:  # noqa: BLE001 - whatever a registry's client raises, answering goes on
                code, text, _ = failure_of(error)
                self._fail(code, text)
            self._wait()

    def _wait(self) -> None:
        """Wait until the source must be asked: it has news, `wake` was called, or `poll_seconds` are over."""
        end = time.monotonic() + self._poll_seconds
        while (seconds_left := end - time.monotonic()) > 0:
            if self._wake.wait(min(seconds_left, _NEWS_SECONDS)) or self._source.has_news():
                return

    def _fail(self, code: str, text: str) -> None:
        is_new = self._failure is None or self._failure.code != code
        if is_new:
            self._failure = SourceFailure(code, text, time.time())
            self._tell("panel_source_failed", {"code": code, "text": text})

    def _hear(self, alarms: tuple[SourceAlarm, ...]) -> None:
        former, self._alarms = self._alarms, alarms
        for alarm in alarms:
            if alarm not in former:
                self._tell("alarm", {"store": alarm.store, "text": alarm.text})
        if former and not alarms:
            self._tell("alarm_over", {})

    def _tell(self, event: str, facts: dict[str, str]) -> None:
        if self._notify is not None:
            self._notify(event, facts)


def failure_of(error: Exception) -> tuple[str, str, str]:
    """Return code, text and hint of a source's error; for an unexpected error, its type instead of its text."""
    if isinstance(error, SirenaError):
        return error.code, error.text, error.hint
    return "source_failed", f"the source of the panel failed ({type(error).__name__})", ""


def _warm(panel: Panel) -> None:
    """Use every table once, so that no client waits while organism names or a table's index are built."""
    organism = resolve_text("Escherichia coli")
    for column in panel.tables:
        panel.answer_resolved(column, organism, "1")
