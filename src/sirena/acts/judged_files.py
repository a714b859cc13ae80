"""Comparing a release's files other than `release.json`, and its members' files, with what the ledger noted.

The service answers from `release.json` alone, which is compared every time. The other files are those that MLflow's own
model server would run, and from which the next release would be made: some twenty of the release, and three of each
member.

Rules, each with a test of like name:

- the first comparison of a release covers all these files, every later one those of one version, in turn;
- a version that differed is compared every time until it does not differ any more;
- the digest of a file is in the ledger; that of a member's truth table is in `release.json`, whose own digest is in the
ledger.
"""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any, Final

from sirena.acts.noted_files import NotedFiles
from sirena.ledger.store import Ledger
from sirena.registry.certificates import LOGGED_CERTIFICATE
from sirena.registry.connection import MODELS_AT_ONCE, Registry
from sirena.registry.judged_releases import Discrepancy, ReleaseJudgement, Store
from sirena.registry.model_files import ChangedFilesError, files_of, require_unchanged, some_files_of
from sirena.registry.versions import REPORT, TRUTH_TABLE, find_version

_TABLE: Final = f"artifacts/{TRUTH_TABLE}"
_OF_MEMBERS: Final = (_TABLE, f"artifacts/{LOGGED_CERTIFICATE}", f"artifacts/{REPORT}")
"""Files of a member from which a release is made."""


class JudgedFiles:
    """Comparison of one release's files with those noted in the ledger, some files at a time; used by one thread."""

    def __init__(self, ledger: Ledger) -> None:
        """Create the comparison; nothing is compared yet."""
        self._ledger = ledger
        self._judgement: ReleaseJudgement | None = None
        self._noted_files: Mapping[str, tuple[str, ...]] = {}
        """Noted files by version, ``SHA-256 path``."""
        self._turns: Iterator[str] = iter(())
        self._differences: dict[str, Discrepancy] = {}

    def look(self, registry: Registry, judgement: ReleaseJudgement, content: bytes) -> tuple[Discrepancy, ...]:
        """Compare the files whose turn it is, and return the versions that differ from what the ledger noted.

        Args:
            registry: registry of the release.
            judgement: the release, as the ledger holds it.
            content: content of its `release.json`, as it was judged.

        Raises:
            LedgerError: the ledger does not answer, or an entry was altered.
            RegistryUnavailableError: MLflow does not answer.
        """
        if judgement == self._judgement:
            versions = {next(self._turns), *self._differences}
            noted_files = self._noted_files
        else:
            noted_files = self._read_noted_files(registry, judgement, content)
            versions = set(noted_files)
            self._differences = {}

        def compare(version: str) -> str:
            return _changes(registry, version, noted_files[version], is_release=version == judgement.release)

        with ThreadPoolExecutor(MODELS_AT_ONCE) as pool:
            texts = dict(zip(versions, pool.map(compare, versions), strict=True))
        if judgement != self._judgement:
            self._judgement, self._noted_files, self._turns = judgement, noted_files, cycle(noted_files)
        self._differences = {
            version: Discrepancy(Store.ARTIFACT, text) for version, text in sorted(texts.items()) if text
        }
        return tuple(self._differences.values())

    def _read_noted_files(
        self, registry: Registry, judgement: ReleaseJudgement, content: bytes
    ) -> dict[str, tuple[str, ...]]:
        members: dict[str, dict[str, Any]] = json.loads(content)["members"]
        tables = {f"{facts['model']}/{facts['version']}": str(facts["table_sha256"]) for facts in members.values()}
        lines_by_version = NotedFiles(registry, self._ledger).of_each(tables.keys())
        noted_files = {judgement.release: tuple(judgement.files)}
        for member, table in tables.items():
            lines = [line for line in lines_by_version.get(member, ()) if line.partition(" ")[2] in _OF_MEMBERS[1:]]
            noted_files[member] = (f"{table} {_TABLE}", *lines)
        return noted_files


def _changes(registry: Registry, version: str, noted_files: tuple[str, ...], *, is_release: bool) -> str:
    """Return a text on which files of a version are not those noted; empty when all are.

    A member that was removed does not count as changed: its removal is recorded in the ledger.
    """
    present_files: tuple[str, ...] | None = noted_files
    if is_release and noted_files:
        present_files = files_of(registry, find_version(registry, version))
    elif not is_release:
        present_files = some_files_of(registry, version, [line.partition(" ")[2] for line in noted_files])
    try:
        require_unchanged(version, noted_files, noted_files if present_files is None else present_files)
    except ChangedFilesError as error:
        return error.text
    return ""
