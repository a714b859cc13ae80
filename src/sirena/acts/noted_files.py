"""The files of registered versions held against what the ledger noted of them, and who wrote them since."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from sirena.ledger.errors import LedgerTamperedError
from sirena.ledger.event import ActOutcome
from sirena.ledger.store import Ledger, open_ledger
from sirena.registry.connection import Registry
from sirena.registry.model_files import files_of, require_unchanged
from sirena.registry.registered_artifacts import identifiers_of
from sirena.registry.versions import ModelVersion

_MADE: Final = ("registered", "release_created")
_JUDGED: Final = ("promoted", "activated", "rolled_back")


@dataclass(frozen=True)
class NotedFiles:
    """What the ledger of an installation noted of files."""

    registry: Registry
    ledger: Ledger

    @classmethod
    def of_registry(cls, registry: Registry) -> "NotedFiles":
        """Return what the ledger of this installation noted."""
        return cls(registry, open_ledger(registry.settings))

    def require(self, version: ModelVersion) -> tuple[str, ...]:
        """Return the files of a version when they are what was noted; also when nothing was noted yet.

        Raises:
            ChangedFilesError: some are not; they are named, with the accounts that wrote through the entry.
        """
        return self._compared(version, self.of(version))

    def to_note(self, version: ModelVersion) -> tuple[str, ...]:
        """Return the files of a version when they are what was noted, and none when they are on record already.

        Raises:
            ChangedFilesError: some are not what was noted.
        """
        noted = self.of(version)
        found = self._compared(version, noted)
        return () if noted else found

    def of(self, version: ModelVersion) -> tuple[str, ...]:
        """Return what was noted when the version was registered, else when it was judged last; empty for nothing.

        Raises:
            LedgerTamperedError: the entry is not as it was written.
        """
        return self.of_each([str(version)]).get(str(version), ())

    def of_each(self, versions: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Return the same of several versions by their names, read in one go; what is noted nowhere is left out.

        Raises:
            LedgerTamperedError: an entry is not as it was written.
        """
        noted: dict[str, tuple[str, ...]] = {}
        for events in (_MADE, _JUDGED):
            for entry in reversed(list(self.ledger.read(events=events))):
                facts = entry.facts()
                subject = str(facts.get("release") or f"{facts.get('model')}/{facts.get('version')}")
                files = facts.get("files")
                if entry.outcome != ActOutcome.DONE or subject not in versions or subject in noted:
                    continue
                if isinstance(files, list) and files:
                    if entry.computed_hash != entry.hash:
                        raise LedgerTamperedError(f"entry {entry.seq} was altered", hint="see `sirena audit verify`")
                    noted[subject] = tuple(map(str, files))
        return noted

    def _compared(self, version: ModelVersion, noted: tuple[str, ...]) -> tuple[str, ...]:
        found = files_of(self.registry, version)
        require_unchanged(version, noted, found, lambda: self._writers(version))
        return found

    def _writers(self, version: ModelVersion) -> Iterable[str]:
        for identifier in sorted(identifiers_of(self.registry, version)):
            for entry in self.ledger.read(events=("uploaded",), act=identifier):
                yield f"{entry.who} (entry {entry.seq})"
