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
        self._judged: ReleaseJudgement | None = None
        self._known: Mapping[str, tuple[str, ...]] = {}
        """Noted files by version, ``SHA-256 path``."""
        self._turns: Iterator[str] = iter(())
        self._standing: dict[str, Discrepancy] = {}

    def look(self, registry: Registry, judged: ReleaseJudgement, content: bytes) -> tuple[Discrepancy, ...]:
        """Compare the files whose turn it is, and return the versions that differ from what the ledger noted.

        Args:
            registry: registry of the release.
            judged: the release, as the ledger holds it.
            content: content of its `release.json`, as it was judged.

        Raises:
            LedgerError: the ledger does not answer, or an entry was altered.
            RegistryUnavailableError: MLflow does not answer.
        """
        if judged == self._judged:
            due = {next(self._turns), *self._standing}
            known = self._known
        else:
            known = self._files_known(registry, judged, content)
            due = set(known)
            self._standing = {}

        def compare(version: str) -> str:
            return _changes(registry, version, known[version], is_release=version == judged.release)

        with ThreadPoolExecutor(MODELS_AT_ONCE) as pool:
            texts = dict(zip(due, pool.map(compare, due), strict=True))
        if judged != self._judged:
            self._judged, self._known, self._turns = judged, known, cycle(known)
        self._standing = {version: Discrepancy(Store.ARTIFACT, text) for version, text in sorted(texts.items()) if text}
        return tuple(self._standing.values())

    def _files_known(self, registry: Registry, judged: ReleaseJudgement, content: bytes) -> dict[str, tuple[str, ...]]:
        members: dict[str, dict[str, Any]] = json.loads(content)["members"]
        tables = {f"{one['model']}/{one['version']}": str(one["table_sha256"]) for one in members.values()}
        noted = NotedFiles(registry, self._ledger).of_each(tables.keys())
        known = {judged.release: tuple(judged.files)}
        for member, table in tables.items():
            lines = [line for line in noted.get(member, ()) if line.partition(" ")[2] in _OF_MEMBERS[1:]]
            known[member] = (f"{table} {_TABLE}", *lines)
        return known


def _changes(registry: Registry, version: str, known: tuple[str, ...], *, is_release: bool) -> str:
    """Return a text on which files of a version are not those noted; empty when all are.

    A member that was removed does not count as changed: its removal is recorded in the ledger.
    """
    present: tuple[str, ...] | None = known
    if is_release and known:
        present = files_of(registry, find_version(registry, version))
    elif not is_release:
        present = some_files_of(registry, version, [line.partition(" ")[2] for line in known])
    try:
        require_unchanged(version, known, known if present is None else present)
    except ChangedFilesError as error:
        return error.text
    return ""
