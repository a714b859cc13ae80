"""Proofs that the server makes itself before a version or a release may answer: see ADR 13.

A version has a table, which answers, and a network, which the table is claimed to equal. So the network is asked every
question again, in a separate process, and its answers must equal the table. A release consists of its members' tables,
so it is made again from them and must be equal too.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sirena.domain.category import Reason
from sirena.domain.test_column import parse_test_column
from sirena.domain.truth_table import TruthTable
from sirena.host.accounts import OsAccount
from sirena.host.secret_files import write_private
from sirena.registry.connection import Registry
from sirena.registry.digests import canonical_json, sha256
from sirena.registry.recertifying import ProofError
from sirena.registry.releases import (
    RELEASE_FILE,
    Release,
    read_release_document,
    release_document,
    release_members,
)
from sirena.registry.versions import TRUTH_TABLE, ModelVersion, find_version, load_table, read_file
from sirena.training.vetting import ForeignNetworkError

AskNetwork = Callable[[bytes, str, Sequence[str]], dict[str, list[str]]]
"""Function of the content of a ``.keras`` file, a test column and keys; `training.asking_apart.NetworkAsker.ask`."""
_SCHEMA: Final = "sirena-proof/1"


def require_tables_of_members(registry: Registry, release: Release, members: Mapping[str, ModelVersion]) -> None:
    """Check that a release has exactly its members' tables; their networks are not asked.

    Args:
        registry: where.
        release: the release.
        members: its versions, by the test column they answer in it.

    Raises:
        ProofError: one of its tables differs from a member's, or belongs to no member.
        IntegrityError: a file was changed after registration.
    """
    tables = {column: json.loads(read_file(registry, version, TRUTH_TABLE)) for column, version in members.items()}
    if tables != read_release_document(registry, release)["tables"]:
        raise _not_of_its_members(release)


def _not_of_its_members(release: Release) -> ProofError:
    return ProofError(
        f"{release.name} does not hold what its members answer",
        hint="make it again from its members: sirena release create MEMBER …",
    )


@dataclass(frozen=True)
class Prover:
    """Proves versions and releases, and remembers by content digest what it has proved."""

    registry: Registry
    ask: AskNetwork
    folder: Path
    """Folder with one small file for each earlier proof; nobody else may write there."""

    def prove_version(self, version: ModelVersion) -> None:
        """Check that a version's network gives the answers of its table.

        Raises:
            ProofError: the answers differ, or the version has no network to ask.
            IntegrityError: a file was changed after registration.
        """
        table = load_table(self.registry, version)
        test_column = parse_test_column(table.column)
        if (
            test_column is None
            or not test_column.is_mic
            or table.column != version.column
            or test_column.model_name != version.name
        ):
            raise ProofError(
                f"{version} answers another test column than its name says",
                hint=f"register it under the name of what it answers ({table.column})",
            )
        network = f"{test_column.model_name}.keras"
        hashes = [version.tags.get(f"sirena.sha256.{name}", "") for name in (TRUTH_TABLE, network)]
        if not hashes[1]:
            raise ProofError(f"{version} holds no network, so nothing shows where its table comes from")
        note = self.folder / f"{sha256(canonical_json([_SCHEMA, *hashes]))}.json"
        if note.exists():
            return
        start = time.monotonic()
        self._compare(version, table, read_file(self.registry, version, network))
        proof = {"schema": _SCHEMA, "version": str(version), "table": hashes[0], "network": hashes[1]}
        proof_json = canonical_json({**proof, "seconds": round(time.monotonic() - start, 3)})
        write_private(note, proof_json.decode(), OsAccount.of_this_process())

    def prove_release(self, release: Release) -> None:
        """Check that a release consists of its members' versions, and that each of these is proved.

        Raises:
            ProofError: the release differs from its members, or one of them is not proved.
            IntegrityError: a file was changed after registration.
        """
        stored_content = read_file(self.registry, release.source, RELEASE_FILE)
        members = release_members(self.registry, release)
        versions = [find_version(self.registry, member.reference) for member in members]
        document, digest = release_document(self.registry, versions)
        if canonical_json(document) != stored_content or digest != release.digest:
            raise _not_of_its_members(release)
        for version in versions:
            self.prove_version(version)

    def _compare(self, version: ModelVersion, table: TruthTable, network: bytes) -> None:
        try:
            network_answers = self.ask(network, table.column, table.keys)
        except ForeignNetworkError as error:
            raise ProofError(
                f"{version}: {error.text}", hint="train it with `sirena train`; other models cannot be proved"
            ) from error
        answers = table.to_json()["organisms"]
        differences = [organism for organism in answers if network_answers.get(organism) != answers[organism]]
        if differences or table.absent is not Reason.NOT_IN_VOCABULARY:
            raise ProofError(
                f"{version}: its table is not what its network says, "
                f"for {len(differences)} of {len(answers)} organisms",
                hint="do not use this version; train again",
            )
