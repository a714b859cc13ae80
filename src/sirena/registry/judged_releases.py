"""Comparing a release with its judgement: what the ledger recorded about it, and what MLflow and the files hold now.

The ledger decides. MLflow's database, the artifact store and the copy on this machine are trusted only as far as they
agree with the judgement; every difference is a `Discrepancy`, which names where it was found.
"""

import enum
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from mlflow.exceptions import MlflowException

from sirena.registry.artifact_store import try_artifact
from sirena.registry.connection import Registry, RegistryError, speaks_to_mlflow
from sirena.registry.digests import canonical_json, sha256
from sirena.registry.models import DIGEST_TAG
from sirena.registry.releases import MEMBERS_TAG, RELEASE_FILE, RELEASE_MODEL, Release
from sirena.registry.versions import Stage, read_file

_ABSENT: Final = "RESOURCE_DOES_NOT_EXIST"
_RESTORE: Final = "do not use it; restore the artifact store from a backup, or make and activate a new release"


class UnjudgedReleaseError(RegistryError):
    """What MLflow holds differs from what the ledger records as judged and activated."""

    code = "unjudged_release"
    status = 409


class Store(enum.StrEnum):
    """The place where a discrepancy was found."""

    ALIAS = "alias"
    """MLflow's database: which release is the active one."""
    ROW = "row"
    """MLflow's database: what it says of the release."""
    ARTIFACT = "artifact"
    """The artifact store, S3 or a folder."""
    CACHE = "cache"
    """The copy that is kept on this machine."""
    LEDGER = "ledger"
    """The audit ledger itself."""


@dataclass(frozen=True)
class Discrepancy:
    """One difference from what was judged."""

    store: Store
    text: str


class ReleaseJudgement(Protocol):
    """What the ledger records of a release; implemented by `sirena.ledger.judgements.Judgement`."""

    @property
    def release(self) -> str:
        """Name of the release, ``panel_SIR/3``."""

    @property
    def digest(self) -> str:
        """Digest of the release's members."""

    @property
    def content(self) -> str:
        """SHA-256 of the release's file."""

    @property
    def files(self) -> Sequence[str]:
        """The release's files, each as the text ``SHA-256 path``; empty if not known."""


@dataclass(frozen=True)
class Look:
    """What MLflow holds about the release that may answer."""

    judgement: ReleaseJudgement | None
    """The judgement that the alias agrees with, else the active release's; None if there is none."""
    content: bytes | None
    """Content of the release's file; None unless it is the judged one."""
    discrepancies: tuple[Discrepancy, ...]


def is_judged(judgement: ReleaseJudgement, content: bytes) -> bool:
    """Tell whether the content of a release's file is the judged one, by its SHA-256."""
    return sha256(content) == judgement.content


@speaks_to_mlflow
def look_at(registry: Registry, active: ReleaseJudgement, others: Sequence[ReleaseJudgement] = ()) -> Look:
    """Compare what MLflow holds now with the ledger.

    Args:
        registry: registry of the releases.
        active: the release that may answer.
        others: releases of unfinished activations and rollbacks; the alias may already point to one of them.

    Raises:
        RegistryUnavailableError: MLflow does not answer.
    """
    discrepancies: list[Discrepancy] = []
    number = _alias(registry)
    production_name = f"{RELEASE_MODEL}/{number}"
    judgement = next((candidate for candidate in (active, *others) if candidate.release == production_name), active)
    if judgement.release != production_name:
        has = f"{production_name} has" if number else "no release has"
        discrepancies.append(
            Discrepancy(Store.ALIAS, f"{has} the alias production; the ledger's release is {judgement.release}")
        )
    row = _row(registry, judgement.release)
    if row is None:
        discrepancies.append(Discrepancy(Store.ROW, f"{judgement.release} is gone from MLflow"))
        return Look(judgement, None, tuple(discrepancies))
    location = registry.models.get_model_version_download_uri(*_name_and_number(judgement.release))
    content, problem = try_artifact(registry, location, f"artifacts/{RELEASE_FILE}")
    if content is not None and not is_judged(judgement, content):
        content, problem = None, "is not what was judged"
    if content is None:
        discrepancies.append(Discrepancy(Store.ARTIFACT, f"{RELEASE_FILE} of {judgement.release} {problem}"))
    else:
        discrepancies += [Discrepancy(Store.ROW, text) for text in _row_differs(judgement, row, content)]
    return Look(judgement, content, tuple(discrepancies))


@speaks_to_mlflow
def look_for_unjudged(registry: Registry) -> tuple[Discrepancy, ...]:
    """Return a discrepancy if a release has the alias production but the ledger records no activated release."""
    number = _alias(registry)
    if number is None:
        return ()
    text = f"{RELEASE_MODEL}/{number} has the alias production; the ledger knows no release as judged and activated"
    return (Discrepancy(Store.ALIAS, text),)


@dataclass(frozen=True)
class ReleaseFacts:
    """Facts of a release that the ledger records when it is judged."""

    digest: str
    content: str
    """SHA-256 of the release's file."""
    files: tuple[str, ...] = ()


@speaks_to_mlflow
def facts_of(registry: Registry, release: Release) -> ReleaseFacts:
    """Return a release's facts, read from its stored file after checking that the file is still the registered one.

    Raises:
        IntegrityError: the file is not the one that was registered.
        UnjudgedReleaseError: the digest in its tags is not that of its members.
    """
    content = read_file(registry, release.source, RELEASE_FILE)
    members = sha256(canonical_json(json.loads(content)["members"]))
    if members != release.digest:
        raise UnjudgedReleaseError(
            f"{release.name} says in MLflow that its digest is another than its members have",
            hint="make it again from its members: sirena release create MEMBER …",
        )
    return ReleaseFacts(members, sha256(content))


@speaks_to_mlflow
def require_judged_release(registry: Registry, judgement: ReleaseJudgement, release: Release) -> ReleaseFacts:
    """Return the facts of a judged release, if it is unchanged.

    Raises:
        UnjudgedReleaseError: the release's file was changed or is missing.
    """
    content = read_judged(registry, judgement, release.name)
    return ReleaseFacts(judgement.digest, sha256(content), tuple(judgement.files))


@speaks_to_mlflow
def read_judged(registry: Registry, judgement: ReleaseJudgement, release: str) -> bytes:
    """Return the file of a release, if it is the one that the ledger records.

    Raises:
        UnjudgedReleaseError: the file was changed or is missing.
    """
    location = registry.models.get_model_version_download_uri(*_name_and_number(release))
    content, problem = try_artifact(registry, location, f"artifacts/{RELEASE_FILE}")
    if content is None:
        raise UnjudgedReleaseError(f"{RELEASE_FILE} of {release} {problem}", hint=_RESTORE)
    require_judged(judgement, release, content)
    return content


def require_judged(judgement: ReleaseJudgement | None, release: str, content: bytes) -> None:
    """Check that a release's file is the judged one.

    Raises:
        UnjudgedReleaseError: the file is another one, or the release was never judged.
    """
    if judgement is None or judgement.release != release:
        raise UnjudgedReleaseError(
            f"the audit ledger does not know {release} as judged and activated",
            hint=f"sirena release activate {release}",
        )
    if not is_judged(judgement, content):
        raise UnjudgedReleaseError(
            f"{RELEASE_FILE} of {release} is not what was judged "
            f"(entry {getattr(judgement, 'entry', '?')} of the ledger)",
            hint=_RESTORE,
        )


def _alias(registry: Registry) -> int | None:
    try:
        number = registry.models.get_registered_model(RELEASE_MODEL).aliases.get(Stage.PRODUCTION.alias)
    except MlflowException as error:
        if error.error_code != _ABSENT:
            raise
        return None
    return int(number) if number is not None else None


def _row(registry: Registry, release: str) -> Any:
    try:
        return registry.models.get_model_version(*_name_and_number(release))
    except MlflowException as error:
        if error.error_code != _ABSENT:
            raise
        return None


def _name_and_number(release: str) -> tuple[str, str]:
    name, _, number = release.rpartition("/")
    return name, number


def _row_differs(judgement: ReleaseJudgement, row: Any, content: bytes) -> list[str]:
    """Return a sentence for each tag of MLflow's row that does not agree with the judged release."""
    members = _members_of(content)
    checks: dict[str, Callable[[str], bool]] = {
        DIGEST_TAG: lambda value: value == judgement.digest,
        f"sirena.sha256.{RELEASE_FILE}": lambda value: value == sha256(content),
        MEMBERS_TAG: lambda value: _parsed_json(value) == members,
    }
    return [
        f"the tag {key} of {judgement.release} is not what was judged"
        for key, fits in checks.items()
        if not fits(str(row.tags.get(key, "")))
    ]


_READ: Final[dict[str, Mapping[str, str]]] = {}
"""Member version by test column, by SHA-256 of the release's file, so that large files are parsed only once."""
_KEPT: Final = 4


def _members_of(content: bytes) -> Mapping[str, str]:
    key = sha256(content)
    if key not in _READ:
        while len(_READ) >= _KEPT:
            _READ.pop(next(iter(_READ)), None)
        _READ[key] = _members(content)
    return _READ[key]


def _members(content: bytes) -> dict[str, str]:
    try:
        members: dict[str, dict[str, Any]] = json.loads(content)["members"]
        return {column: f"{facts['model']}/{facts['version']}" for column, facts in members.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _parsed_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
