"""Which editions there are and which is in force: each rule of `sirena.guidelines.editions` in a test of like name."""

import datetime
from pathlib import Path

import pytest

from sirena.domain.errors import UsageError
from sirena.guidelines.edition_file import EditionRecord, edition_file_text, read_edition_file
from sirena.guidelines.editions import Edition, Editions, load_edition
from sirena.guidelines.rows import Guideline
from sirena.guidelines.storing import store_edition
from sirena.guidelines.tables import TableError

DAY = datetime.date(2026, 11, 28)


def imported(folder: Path, name: str, since: str = "") -> Editions:
    """Return editions with one more, imported with a date or without one."""
    day = datetime.date.fromisoformat(since) if since else None
    shipped = load_edition(f"{name.split()[0]} 2026")
    record = EditionRecord(in_force_since=day)
    store_edition(folder, Edition(name, shipped.guideline, shipped.breakpoints, (), record=record), {})
    return Editions(folder)


@pytest.mark.parametrize(
    ("guideline", "day", "expected"),
    [
        ("CLSI", DAY, "CLSI 2026"),
        ("N", DAY, "CLSI 2026"),
        ("eucast", DAY, "EUCAST 2026"),
        ("E", datetime.date(2025, 12, 31), "EUCAST 2025"),
        ("CLSI", datetime.date(2026, 1, 25), "CLSI 2025"),
        ("CLSI", datetime.date(2026, 1, 26), "CLSI 2026"),
    ],
)
def test_the_edition_with_the_newest_date_is_in_force(guideline: str, day: datetime.date, expected: str) -> None:
    """From its own day on, and by the guideline's name or its letter."""
    assert Editions().edition_in_force(guideline, day) == expected


def test_an_imported_edition_with_a_date_is_in_force_too(tmp_path: Path) -> None:
    """The yearly edition replaces the shipped one on the day it names."""
    editions = imported(tmp_path, "EUCAST 2027", "2026-11-01")
    assert editions.edition_in_force("E", DAY) == "EUCAST 2027"
    assert editions.editions_in_force(DAY) == {Guideline.CLSI: "CLSI 2026", Guideline.EUCAST: "EUCAST 2027"}
    assert not editions.is_in_force("EUCAST 2026", DAY)


def test_an_edition_dated_in_the_future_is_not_in_force_yet(tmp_path: Path) -> None:
    """Imported before the new year, it waits for it."""
    editions = imported(tmp_path, "EUCAST 2027", "2027-01-01")
    assert editions.edition_in_force("E", DAY) == "EUCAST 2026"
    assert editions.edition_in_force("E", datetime.date(2027, 1, 1)) == "EUCAST 2027"


def test_an_edition_without_a_date_is_used_only_by_its_name(tmp_path: Path) -> None:
    """What is not known to be in force is not in force."""
    editions = imported(tmp_path, "CLSI 2027")
    assert editions.edition_in_force("N", DAY) == "CLSI 2026"
    assert editions.load("clsi-2027").name == "CLSI 2027"


@pytest.mark.parametrize(
    ("text", "expected"), [("eucast", "EUCAST 2026"), ("CLSI", "CLSI 2026"), ("clsi 2025", "CLSI 2025")]
)
def test_a_guideline_alone_means_its_edition_in_force(text: str, expected: str) -> None:
    """A name with a year means that year."""
    assert Editions().resolve(text, DAY) == expected


def test_nothing_in_force_and_nothing_known_are_told() -> None:
    """Each with its remedy."""
    with pytest.raises(UsageError, match="no edition of CLSI was in force on 2001-01-01"):
        Editions().edition_in_force("N", datetime.date(2001, 1, 1))
    with pytest.raises(UsageError, match="that is no guideline"):
        Editions().edition_in_force("BSAC")
    with pytest.raises(UsageError, match="no such guideline edition"):
        Editions().resolve("CLSI 1066")


def test_a_lapsed_edition_is_named_with_the_one_in_force() -> None:
    """Once for all models that rest on it, whatever overlay lies on it; labels of a laboratory rest on none."""
    names = ["CLSI 2025", "CLSI 2025 + rules.csv", "EUCAST 2026", ""]
    assert Editions().lapses(names, DAY) == ["CLSI 2025 is not in force: CLSI 2026 is, since 2026-01-26"]
    assert Editions().is_in_force("EUCAST 2026 + rules.csv", DAY)


@pytest.mark.parametrize("name", Editions().names)
def test_every_shipped_edition_says_its_documents_date_reading_and_doubts(name: str) -> None:
    """So that nobody takes a table for surer than it is."""
    record = load_edition(name).record
    assert record.documents
    assert record.in_force_since is not None
    assert record.reading
    assert record.doubts


def test_the_edition_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    """With quotes, accents and without entries; an edition without one says nothing of itself."""
    path = tmp_path / "edition.toml"
    assert read_edition_file(path) == EditionRecord()
    for record in (
        EditionRecord(("M100-Ed36", 'a "b" \\ c'), DAY, "leído dos veces", ("one", "two")),
        EditionRecord(doubts=("only this",)),
        EditionRecord(),
    ):
        path.write_text(edition_file_text(record), encoding="utf-8")
        assert read_edition_file(path) == record


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("in_force_since = 2026", "entry in_force_since: is not a date"),
        ("in_force_since = 2026-01-01T00:00:00", "entry in_force_since: is not a date"),
        ('documents = "M100"', "entry documents: is not a list of texts"),
        ("doubts = [1]", "entry doubts: is not a list of texts"),
        ("reading = 2", "entry reading: is not a text"),
        ("documents = [", "this is no TOML"),
    ],
)
def test_a_damaged_edition_file_is_told(tmp_path: Path, text: str, complaint: str) -> None:
    """By file and entry."""
    path = tmp_path / "edition.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TableError, match=rf"^edition\.toml.*{complaint}"):
        read_edition_file(path)
