"""The head of the ledger: the number of entries and the hash of the last one, noted in files apart from the database.

The chain of hashes shows alterations in its middle. That the chain's end was cut off, or that all of it was written
anew, shows only by comparison with something kept elsewhere. The file is written after each entry is committed, so
after a crash it may be some entries behind the database, but never ahead: ahead means that entries were lost.

Each operating-system account that writes to the ledger keeps a separate head file, which other accounts cannot change:
the server's commands one, the access service another. The ledger must contain every noted head.
"""

import hashlib
import json
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sirena.host.one_at_a_time import one_at_a_time
from sirena.host.whole_files import ONLY_OWNER_READS, replace_whole
from sirena.ledger.entry import LedgerEntry
from sirena.ledger.errors import LedgerError, LedgerTamperedError


@dataclass(frozen=True)
class Head:
    """The end of the ledger at the time it was noted."""

    entries: int
    """Number of entries, which is also the number of the last one."""
    hash: str
    """Hash of the last entry."""

    @classmethod
    def at(cls, last: LedgerEntry) -> Self:
        """Create the head of a ledger from its last entry."""
        return cls(last.seq, last.hash)


@dataclass(frozen=True)
class HeadFile:
    """The file in which the head of one database is noted."""

    path: Path

    @classmethod
    def of(cls, folder: Path, store: str) -> "HeadFile":
        """Create the object for the head file of a database.

        Args:
            folder: folder of the ledger below `SIRENA_HOME`.
            store: name of the database, without credentials.
        """
        return cls(folder / f"head-{hashlib.sha256(store.encode()).hexdigest()[:16]}.json")

    def read(self) -> Head | None:
        """Return the head that the file holds; None if there is no file yet.

        Raises:
            LedgerTamperedError: the file exists but cannot be understood.
            LedgerError: this operating-system account may not read the file.
        """
        try:
            head = json.loads(self.path.read_text(encoding="utf-8"))
            return Head(int(head["entries"]), str(head["hash"]))
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
        """Write a head to the file, unless a later head is noted there."""
        with self._alone():
            head = self.read()
            if head is None or head.entries < end.entries:
                self._write(end)

    def replace(self, end: Head) -> None:
        """Write a head to the file, whatever was noted there before."""
        with self._alone():
            self._write(end)

    def _write(self, end: Head) -> None:
        content = json.dumps({"entries": end.entries, "hash": end.hash}).encode()
        replace_whole(self.path, content, mode=ONLY_OWNER_READS, own=self._give_to_folder_owner)

    def _alone(self) -> AbstractContextManager[int]:
        return one_at_a_time(self.path.with_suffix(".lock"), opener=self._open_lock)

    def _open_lock(self, file: Path, flags: int) -> int:
        """Open the file of the lock for the owner of the folder; make it if it is missing.

        Root works in folders of other accounts. A symbolic link that such an account placed is not followed; else root
        would make a file elsewhere, or give it away.
        """
        descriptor = os.open(file, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, ONLY_OWNER_READS)
        self._give_to_folder_owner(descriptor)
        return descriptor

    def _give_to_folder_owner(self, descriptor: int) -> None:
        if os.geteuid() == 0:
            folder = self.path.parent.stat()
            os.fchown(descriptor, folder.st_uid, folder.st_gid)


def keep_owner(file: Path) -> None:
    """Give a file that root made to the owner of its folder, so that the owner's programs can read and write it."""
    if os.geteuid() == 0:
        folder = file.parent.stat()
        os.chown(file, folder.st_uid, folder.st_gid, follow_symlinks=False)
