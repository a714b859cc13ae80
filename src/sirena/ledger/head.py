"""The head: how many entries there were and the hash of the last, kept in files apart from the database.

A chain shows what was altered in its middle; that its end was cut off, or that all of it was written anew, only
shows against something kept elsewhere. The file is written after each entry is committed, so a crash in between
leaves it behind the database by some entries, never ahead: ahead means that entries were lost.

Each account that writes keeps a file of its own, which the others' accounts cannot change: the commands of the server
one, the access service another. The ledger must hold the end that each of them notes.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sirena.ledger.entry import LedgerEntry
from sirena.ledger.errors import LedgerError, LedgerTamperedError


@dataclass(frozen=True)
class Head:
    """The end of the ledger as it was noted."""

    entries: int
    """Number of entries, which is the last one's place."""
    hash: str
    """The last one's hash."""

    @classmethod
    def at(cls, last: LedgerEntry) -> Self:
        """Return the end of a ledger of which this is the last entry."""
        return cls(last.seq, last.hash)


@dataclass(frozen=True)
class HeadFile:
    """Where the head of one database is kept."""

    path: Path

    @classmethod
    def of(cls, folder: Path, store: str) -> "HeadFile":
        """Return the head file for a database.

        Args:
            folder: below `SIRENA_HOME`.
            store: what the database is called, without credentials.
        """
        return cls(folder / f"head-{hashlib.sha256(store.encode()).hexdigest()[:16]}.json")

    def read(self) -> Head | None:
        """Return the head, or None when none was noted yet.

        Raises:
            LedgerTamperedError: the file is there and says nothing readable.
            LedgerError: the file may not be read by this account.
        """
        try:
            noted = json.loads(self.path.read_text(encoding="utf-8"))
            return Head(int(noted["entries"]), str(noted["hash"]))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LedgerError(
                f"the ledger's head file {self.path} cannot be read", hint="see to its rights and its owner"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise LedgerTamperedError(
                f"the ledger's head file {self.path} is damaged",
                hint="put it back from a backup, or write down why and go on: `sirena audit resume --reason …`",
            ) from error

    def note(self, end: Head) -> None:
        """Note the end of the ledger, unless a later one is noted already."""
        with self._alone():
            noted = self.read()
            if noted is None or noted.entries < end.entries:
                self._write(end)

    def replace(self, end: Head) -> None:
        """Note the end of the ledger whatever was noted before."""
        with self._alone():
            self._write(end)

    def _write(self, end: Head) -> None:
        beside = self.path.with_suffix(f".{os.getpid()}.new")
        beside.unlink(missing_ok=True)
        with os.fdopen(self._open(beside, os.O_WRONLY | os.O_EXCL), "w", encoding="utf-8") as file:
            json.dump({"entries": end.entries, "hash": end.hash}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with os.fdopen(self._open(self.path.with_suffix(".lock"), os.O_RDWR), "r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _open(self, file: Path, flags: int) -> int:
        """Open a file beside the head, which belongs to the owner of the folder; make it where it is missing.

        Root works in folders of other accounts: a link that one of them laid is not followed, or root would write, or
        give away, a file somewhere else.
        """
        descriptor = os.open(file, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        if os.geteuid() == 0:
            folder = file.parent.stat()
            os.fchown(descriptor, folder.st_uid, folder.st_gid)
        return descriptor


def keep_owner(file: Path) -> None:
    """Give a file that root made to the owner of its folder, whose programs must go on reading and writing it."""
    if os.geteuid() == 0:
        folder = file.parent.stat()
        os.chown(file, folder.st_uid, folder.st_gid, follow_symlinks=False)
