"""One process asks the source, and others answer by what it publishes."""

import os

import pytest

from sirena.domain.errors import SirenaError, UsageError
from sirena.panel.compiled import Panel
from sirena.serving import publishing
from sirena.serving.alarms import SourceAlarm
from sirena.serving.publishing import Publication, PublishedSource, PublishingSource, Standing
from sirena.serving.shared_panel import share, take_up
from tests.panels import small_panel
from tests.serving_client import Given


class Follower:
    """A source that takes each publication as a worker does: by copies of its descriptors."""

    def __init__(self) -> None:
        """Know of none."""
        self.source = PublishedSource(Publication.of(Standing()))
        self.publications = 0

    def publish(self, publication: Publication) -> None:
        """Take a publication."""
        self.publications += 1
        self.source.take(Publication.from_files([os.dup(file) for file in publication.files]))


def categories(panel: Panel) -> list[str | None]:
    """Return what a panel answers to every dilution, known and unknown organisms."""
    mics = [f"{sign}{2.0**power:g}" for power in range(-6, 9) for sign in ("", "<=", ">")]
    answers = [panel.answer_one("AMK_NM", name, mic) for name in ("eco", "pae", "xyz", None) for mic in mics]
    return [f"{answer.category} {answer.reason}" if answer else None for answer in answers]


def test_a_shared_panel_answers_as_the_one_it_was_made_of_and_cannot_be_changed() -> None:
    """Same answers, grounds and provenance; its memory is sealed, and its arrays are not to be written to."""
    panel = small_panel("shared")
    file = share(panel)
    taken = take_up(file)
    assert categories(taken) == categories(panel)
    assert (taken.grounds, taken.provenance, taken.release) == (panel.grounds, panel.provenance, panel.release)
    with pytest.raises(PermissionError):
        os.ftruncate(file, 0)
    with pytest.raises(PermissionError):
        os.pwrite(file, b"x", 0)
    os.close(file)
    with pytest.raises(ValueError, match="read-only"):
        taken.tables["AMK_NM"].cells[0, 0] = 1
    assert categories(taken) == categories(panel)


def test_who_answers_finds_the_panel_the_failure_and_the_alarms() -> None:
    """What is published is what the source says; nothing is published where nothing changed."""
    asked, follower = Given(small_panel("first")), Follower()
    publisher = PublishingSource(asked, follower.publish, Publication.of(Standing()))
    own = publisher.fetch(None)
    assert own is not None
    assert (own.mark, dict(own.panel.tables)) == ("first", {})
    found = follower.source.fetch(None)
    assert found is not None
    assert categories(found.panel) == categories(small_panel("first"))
    assert not follower.source.has_news()
    publisher.fetch("first")
    assert (follower.publications, follower.source.has_news()) == (1, False)

    asked.panel, asked.alarms = None, (SourceAlarm("alias", "moved"),)
    with pytest.raises(SirenaError):
        publisher.fetch("first")
    assert follower.source.has_news()
    with pytest.raises(SirenaError, match="nothing to give"):
        follower.source.fetch("first")
    assert list(follower.source.alarms) == [SourceAlarm("alias", "moved")]
    # who begins now gets the panel first, and asks again for the failure
    assert follower.source.fetch(None) is not None
    assert follower.source.has_news()

    asked.panel, asked.alarms = small_panel("second"), ()
    publisher.fetch("first")
    found = follower.source.fetch("first")
    assert found is not None
    assert (found.panel.release, follower.source.standing.loads) == ("second", 2)


def test_whoever_asks_the_source_next_publishes_the_same_panel_once() -> None:
    """A process that takes over from one that ended does not lay out anew what is published."""
    follower = Follower()
    first = PublishingSource(Given(small_panel("first")), follower.publish, Publication.of(Standing()))
    first.fetch(None)
    before = Publication.from_files([os.dup(file) for file in follower.source._publication.files])
    PublishingSource(Given(small_panel("first")), follower.publish, before).fetch(None)
    assert (follower.publications, follower.source.standing.loads) == (1, 1)


def test_a_wrong_use_stays_one_and_an_error_nobody_foresaw_shows_no_more_than_its_kind() -> None:
    """A worker's readiness tells the same cause as a process that asks for itself."""

    class Failing(Given):
        def __init__(self, error: Exception) -> None:
            super().__init__(None)
            self.error = error

        def fetch(self, known_mark: str | None) -> None:  # noqa: ARG002 - as sources are asked
            raise self.error

    follower = Follower()
    for error, kind, text in (
        (UsageError("none is activated"), UsageError, "none is activated"),
        (RuntimeError("mic of a patient"), SirenaError, r"the source of the panel failed \(RuntimeError\)"),
    ):
        with pytest.raises(type(error)):
            PublishingSource(Failing(error), follower.publish, Publication.of(Standing())).fetch(None)
        with pytest.raises(kind, match=f"^{text}$"):
            follower.source.fetch(None)


def test_a_shadow_is_published_and_ends() -> None:
    """Those who answer ask the same shadow, mapped once for all."""
    asked, follower = Given(small_panel("first"), small_panel("unseen", shift=2)), Follower()
    publisher = PublishingSource(asked, follower.publish, Publication.of(Standing()))
    publisher.fetch(None)
    assert follower.source.shadow_mark == "unseen"
    assert categories(follower.source.load_shadow()) == categories(small_panel("unseen", shift=2))
    asked.shadow = None
    publisher.fetch("first")
    assert follower.source.shadow_mark is None


def test_a_shadow_that_cannot_be_loaded_is_told() -> None:
    """Its text comes through, and the panel is published all the same."""

    class WithoutShadow(Given):
        def load_shadow(self) -> Panel:
            raise SirenaError("its file is another")

    follower = Follower()
    asked = WithoutShadow(small_panel("first"), small_panel("unseen"))
    PublishingSource(asked, follower.publish, Publication.of(Standing())).fetch(None)
    assert follower.source.fetch(None) is not None
    with pytest.raises(SirenaError, match="its file is another"):
        follower.source.load_shadow()


def test_a_panel_that_cannot_be_laid_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when memory is full: the panel in use stays, and the next attempt publishes."""

    def refuse(_: Panel) -> int:
        raise OSError("no memory")

    asked, follower = Given(small_panel("first")), Follower()
    source = PublishingSource(asked, follower.publish, Publication.of(Standing()))
    source.fetch(None)
    asked.panel = small_panel("second")
    with monkeypatch.context() as patched:
        patched.setattr(publishing, "share", refuse)
        with pytest.raises(OSError, match="no memory"):
            source.fetch("first")
    assert follower.source.standing.mark == "first"
    with pytest.raises(SirenaError, match=r"the source of the panel failed \(OSError\)"):
        follower.source.fetch("first")
    source.fetch("first")
    found = follower.source.fetch("first")
    assert found is not None
    assert (found.panel.release, follower.source.standing.failure) == ("second", None)
