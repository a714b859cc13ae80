"""The panel in use survives its source."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sirena.domain.errors import SirenaError
from sirena.panel.compiled import Panel
from sirena.serving.alarms import SourceAlarm
from sirena.serving.errors import NoPanelError
from sirena.serving.holder import PanelHolder
from sirena.serving.source import FilePanelSource, MarkedPanel, PanelFileError, RegistryPanelSource
from tests.panels import small_panel


class Shelf:
    """A source that a test fills, empties and breaks."""

    def __init__(self) -> None:
        """Hold nothing."""
        self.panel: Panel | None = None
        self.error: Exception | None = None
        self.alarms: tuple[SourceAlarm, ...] = ()
        self.news = False
        self.shadow_mark: str | None = None

    def load_shadow(self) -> Panel:
        """Give none."""
        raise AssertionError

    def has_news(self) -> bool:
        """Tell what the test says."""
        return self.news

    def fetch(self, known_mark: str | None) -> MarkedPanel | None:
        """Give what the test put here."""
        if self.error is not None:
            raise self.error
        if self.panel is None:
            raise SirenaError("the shelf is empty")
        return None if known_mark == self.panel.release else MarkedPanel(self.panel, self.panel.release)


@contextmanager
def running(holder: PanelHolder) -> Iterator[None]:
    """Have a holder ask in the background for the length of a block."""
    holder.start()
    try:
        yield
    finally:
        holder.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait a little for another thread."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


def write_panel(path: Path, panel: Panel) -> None:
    """Put a panel's file in its place as one step."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(panel.to_json()), encoding="utf-8")
    beside.replace(path)


def test_until_a_panel_is_loaded_nothing_is_answered() -> None:
    """Not ready is an error of its own, not an empty answer."""
    holder = PanelHolder(Shelf())
    with pytest.raises(NoPanelError):
        holder.require()


def test_a_newly_activated_release_is_taken_up_in_the_background() -> None:
    """Within the polling interval, without a restart."""
    shelf = Shelf()
    events: list[str] = []
    holder = PanelHolder(shelf, poll_seconds=0.02, notify=lambda event, _facts: events.append(event))
    with running(holder):
        wait_for(lambda: holder.failure is not None)
        shelf.panel = small_panel("first")
        wait_for(lambda: holder.loaded_panel is not None)
        shelf.panel = small_panel("second")
        wait_for(lambda: holder.require().release == "second")
    assert holder.failure is None
    assert events == ["panel_source_failed", "panel_loaded", "panel_loaded"]


def test_waking_asks_at_once() -> None:
    """SIGHUP need not wait for the next poll."""
    shelf = Shelf()
    shelf.panel = small_panel("first")
    holder = PanelHolder(shelf, poll_seconds=3600)
    with running(holder):
        wait_for(lambda: holder.loaded_panel is not None)
        shelf.panel = small_panel("second")
        holder.wake()
        wait_for(lambda: holder.require().release == "second")


def test_a_source_with_news_is_asked_long_before_the_next_poll() -> None:
    """A release that was just activated answers within a second or two."""
    shelf = Shelf()
    shelf.panel = small_panel("first")
    holder = PanelHolder(shelf, poll_seconds=3600)
    with running(holder):
        wait_for(lambda: holder.loaded_panel is not None)
        shelf.panel, shelf.news = small_panel("second"), True
        wait_for(lambda: holder.require().release == "second")


@pytest.mark.parametrize("error", [SirenaError("registry down"), RuntimeError("a client's own error")])
def test_a_source_that_fails_leaves_the_panel_in_use(error: Exception) -> None:
    """The registry may die, and even raise what nobody foresaw; answering goes on and recovers."""
    shelf = Shelf()
    shelf.panel = small_panel("first")
    holder = PanelHolder(shelf, poll_seconds=0.02)
    with running(holder):
        wait_for(lambda: holder.loaded_panel is not None)
        shelf.error = error
        wait_for(lambda: holder.failure is not None)
        assert holder.require().release == "first"
        shelf.error, shelf.panel = None, small_panel("second")
        wait_for(lambda: holder.require().release == "second")
        assert holder.failure is None


def test_one_failure_is_told_once() -> None:
    """A registry that is away for a night does not fill the log."""
    told: list[str] = []
    holder = PanelHolder(Shelf(), notify=lambda event, _facts: told.append(event))
    for _ in range(3):
        with pytest.raises(SirenaError):
            holder.refresh()
    assert told == ["panel_source_failed"]


def test_a_file_put_in_place_is_taken_up_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    """Air-gapped sites replace a file; half a file changes nothing."""
    path = tmp_path / "panel.json"
    write_panel(path, small_panel("first"))
    holder = PanelHolder(FilePanelSource(path))
    assert holder.refresh()
    assert not holder.refresh()
    path.write_text('{"format": "sirena-panel/1", "tab', encoding="utf-8")
    with pytest.raises(PanelFileError, match="not a panel"):
        holder.refresh()
    assert holder.require().release == "first"
    write_panel(path, small_panel("second"))
    assert holder.refresh()
    assert holder.require().release == "second"


def test_the_first_panel_may_come_from_a_copy_while_the_registry_is_away() -> None:
    """A service that restarts during an outage answers from the last known release and says the source fails."""

    def away() -> str:
        raise SirenaError("registry down")

    holder = PanelHolder(RegistryPanelSource(away, lambda: MarkedPanel(small_panel("kept"), "kept")))
    assert holder.refresh()
    with pytest.raises(SirenaError, match="registry down"):
        holder.refresh()
    assert holder.require().release == "kept"
    assert holder.failure is not None


def test_readers_never_see_half_a_swap() -> None:
    """Whoever asks gets one panel whole, old or new."""
    shelf = Shelf()
    shelf.panel = small_panel("r0")
    holder = PanelHolder(shelf)
    holder.refresh()
    stop = threading.Event()
    wrong: list[str] = []
    panels = [small_panel(f"r{number}") for number in range(5)]

    def read() -> None:
        while not stop.is_set():
            panel = holder.require()
            if {facts["release"] for facts in panel.provenance.values()} != {panel.release}:
                wrong.append(panel.release)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for panel in panels * 20:
        shelf.panel = panel
        holder.refresh()
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_an_alarm_is_told_once_and_stands_until_the_source_finds_nothing() -> None:
    """Whatever is found, the panel in use goes on answering; an alarm that lasts does not fill the log."""
    shelf = Shelf()
    shelf.panel = small_panel("first")
    told: list[str] = []
    holder = PanelHolder(shelf, notify=lambda event, facts: told.append(" ".join([event, *facts.values()])))
    holder.refresh()
    shelf.alarms = (SourceAlarm("alias", "panel_SIR/9 has the alias"),)
    for _ in range(3):
        assert not holder.refresh()
    assert holder.alarms == shelf.alarms
    assert holder.require().release == "first"
    shelf.alarms = ()
    holder.refresh()
    assert not holder.alarms
    assert told[1:] == ["alarm alias panel_SIR/9 has the alias", "alarm_over"]
