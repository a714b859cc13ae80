"""What whoever reads the ledger again and again takes for the ledger, after a loss too."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from sirena.ledger.catalogue import Activated
from sirena.ledger.errors import LedgerTamperedError
from sirena.ledger.store import Ledger, open_ledger
from sirena.ledger.trusted_reading import TrustedReading
from sirena.settings.catalogue import Settings


@dataclass
class Bench:
    """A server's ledger in one file, and the part that only reads it."""

    settings: Settings
    ledger: Ledger
    reader: Ledger
    """As a part that answers has it, which has noted nothing itself."""
    reading: TrustedReading

    @property
    def database(self) -> Path:
        """The ledger's own file."""
        return self.settings.home / "ledger" / "ledger.db"

    def activate(self, release: str) -> None:
        """Put an activation on record."""
        self.ledger.append(Activated(who="eva", origin="cli", release=release, digest="1" * 64, content="2" * 64))

    @property
    def active(self) -> str:
        """The release that may answer."""
        active = self.reading.read().active
        return active.release if active else ""

    def put_back(self, copy: Path) -> None:
        """Put an older copy of the database in place."""
        self._close()
        for file in self.database.parent.glob("ledger.db-*"):
            file.unlink()
        shutil.copy(copy, self.database)

    def copy(self) -> Path:
        """Return a copy of the database as it is now."""
        aside = self.database.with_suffix(f".{self.ledger.count()}")
        self._close()
        return Path(shutil.copy(self.database, aside))

    def _close(self) -> None:
        """Have all of it in the one file."""
        self.ledger.close()
        self.reader.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Two activations, read by the part that answers."""
    home = tmp_path / "home"
    settings = Settings.model_validate({"home": home, "database_url": f"sqlite:///{home}/ledger/ledger.db"})
    reader = open_ledger(settings.model_copy(update={"home": settings.answering_home}))
    found = Bench(settings, open_ledger(settings), reader, TrustedReading(reader))
    found.activate("panel_SIR/1")
    return found


def test_a_ledger_that_a_person_let_go_on_is_read_anew(bench: Bench) -> None:
    """By the part that only reads: the command notes the new end for it, and nothing has to be started again."""
    older = bench.copy()
    bench.activate("panel_SIR/2")
    assert bench.active == "panel_SIR/2"
    bench.put_back(older)
    for _ in range(2):
        with pytest.raises(LedgerTamperedError):
            bench.reading.read()
    bench.ledger.resume(who="eva", origin="cli", reason="backup put back")
    assert bench.active == "panel_SIR/1"
    bench.activate("panel_SIR/3")
    assert bench.active == "panel_SIR/3"


def test_an_entry_that_says_so_is_not_believed_without_a_noted_end(bench: Bench) -> None:
    """Whoever rules the database can write that entry, and cannot write what was noted apart from it."""
    older = bench.copy()
    bench.activate("panel_SIR/2")
    assert bench.active == "panel_SIR/2"
    bench.put_back(older)
    bench.ledger.resume(who="eva", origin="cli", reason="forged")
    [noted] = (bench.settings.answering_home / "ledger").glob("head-*.json")
    noted.unlink()
    with pytest.raises(LedgerTamperedError, match="not the one that was read before"):
        bench.reading.read()


def test_a_later_loss_is_found_as_the_first_was(bench: Bench) -> None:
    """What was let go on once vouches for nothing that is written over it afterwards."""
    older = bench.copy()
    bench.activate("panel_SIR/2")
    assert bench.active == "panel_SIR/2"
    bench.put_back(older)
    bench.ledger.resume(who="eva", origin="cli", reason="backup put back")
    resumed = bench.copy()
    bench.activate("panel_SIR/3")
    assert bench.active == "panel_SIR/3"
    bench.put_back(resumed)
    with pytest.raises(LedgerTamperedError):
        bench.reading.read()
    bench.put_back(older)
    with pytest.raises(LedgerTamperedError):
        bench.reading.read()
