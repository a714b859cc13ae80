"""Comparing the files of registered versions with what the ledger noted of them, and who wrote to them since."""

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
    """Compares the files of registered versions and releases with those that the ledger noted of them.

    The ledger notes a file as the text ``SHA-256 path``, when a version is registered and when it is judged. This
    object holds none of the notes: each method reads the ledger.
    """

    registry: Registry
    ledger: Ledger

    @classmethod
    def of_registry(cls, registry: Registry) -> "NotedFiles":
        """Create the object from a registry and the ledger of its installation."""
        return cls(registry, open_ledger(registry.settings))

    def require(self, version: ModelVersion) -> tuple[str, ...]:
        """Check that the files of a version are those noted, if any were noted, and return them.

        Raises:
            ChangedFilesError: some are not those noted; the error names them, and the accounts that wrote to them
                through the entry.
        """
        return self._compared_files(version, self.of(version))

    def to_note(self, version: ModelVersion) -> tuple[str, ...]:
        """Check the files of a version like `require`, and return those still to be noted: all of them, or none.

        Raises:
            ChangedFilesError: some files are not those noted.
        """
        noted_files = self.of(version)
        files = self._compared_files(version, noted_files)
        return () if noted_files else files

    def of(self, version: ModelVersion) -> tuple[str, ...]:
        """Return the files noted when the version was registered, else when last judged; empty if none were noted.

        Raises:
            LedgerTamperedError: the entry was altered.
        """
        return self.of_each([str(version)]).get(str(version), ())

    def of_each(self, versions: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Return the noted files of several versions, by name, in one reading; versions without any are left out.

        Raises:
            LedgerTamperedError: an entry was altered.
        """
        files_by_version: dict[str, tuple[str, ...]] = {}
        for events in (_MADE, _JUDGED):
            for entry in reversed(list(self.ledger.read(events=events))):
                facts = entry.facts()
                subject = str(facts.get("release") or f"{facts.get('model')}/{facts.get('version')}")
                files = facts.get("files")
                if entry.outcome != ActOutcome.DONE or subject not in versions or subject in files_by_version:
                    continue
                if isinstance(files, list) and files:
                    if entry.computed_hash != entry.hash:
                        raise LedgerTamperedError(f"entry {entry.seq} was altered", hint="see `sirena audit verify`")
                    files_by_version[subject] = tuple(map(str, files))
        return files_by_version

    def _compared_files(self, version: ModelVersion, noted_files: tuple[str, ...]) -> tuple[str, ...]:
        files = files_of(self.registry, version)
        require_unchanged(version, noted_files, files, lambda: self._writers(version))
        return files

    def _writers(self, version: ModelVersion) -> Iterable[str]:
        for identifier in sorted(identifiers_of(self.registry, version)):
            for entry in self.ledger.read(events=("uploaded",), act=identifier):
                yield f"{entry.who} (entry {entry.seq})"
