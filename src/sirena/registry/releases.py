"""Releases: versions of the registered model ``panel_SIR``, each with one model version per antimicrobial.

A release contains its members' tables, so it answers by itself; its tags name the members, so that every answer can be
traced to a version. It is immutable, and the same members give the same release.
"""

import contextlib
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from sirena.domain.errors import SirenaError, UsageError
from sirena.domain.test_column import GUIDELINES, parse_test_column
from sirena.domain.truth_table import TruthTable
from sirena.panel.compiled import ACTIVE, Panel
from sirena.registry.certificates import certificate_path
from sirena.registry.connection import MODELS_AT_ONCE, Registry, speaks_to_mlflow
from sirena.registry.digests import canonical_json, sha256
from sirena.registry.models import DIGEST_TAG, log_pyfunc, register
from sirena.registry.runs import child_run, code_version
from sirena.registry.versions import (
    REPORT,
    TRUTH_TABLE,
    ModelVersion,
    Stage,
    find_version,
    list_all_versions,
    list_models,
    list_versions,
    read_file,
    read_files,
)

RELEASE_MODEL: Final = "panel_SIR"
SHADOW_ALIAS: Final = "shadow"
"""Alias that shows which release answers unseen, as shadow; the ledger decides that."""
RELEASE_FILE: Final = "release.json"
MEMBERS_TAG: Final = "sirena.members"
NEWEST: Final = "latest"
_RELEASE_NAME: Final = re.compile(rf"(?:models:/)?(?:{RELEASE_MODEL}(?:/|@)?)?v?(?P<which>[A-Za-z]+|\d{{1,9}})?")
_METHODS: Final = ("M", "E")


@dataclass(frozen=True)
class Member:
    """One antimicrobial's model in a release."""

    column: str
    """Test column that the model answers, ``AMK_NM``."""
    model: str
    version: int
    digest: str
    """Content digest of the version, see `digests.model_digest`."""
    table_sha256: str
    edition: str
    label_source: str

    @property
    def reference(self) -> str:
        """Name of the version, ``modelo_AMK_NM/3``."""
        return f"{self.model}/{self.version}"

    @classmethod
    def of(cls, version: ModelVersion, edition: str, label_source: str) -> Self:
        """Return a version as a member.

        Args:
            version: the version.
            edition: guideline edition of its valid certificate; the tag of that name is only a description.
            label_source: source of the labels, from its training report.
        """
        return cls(
            column=version.column,
            model=version.name,
            version=version.version,
            digest=version.tags.get(DIGEST_TAG, ""),
            table_sha256=version.tags.get(f"sirena.sha256.{TRUTH_TABLE}", ""),
            edition=edition,
            label_source=label_source,
        )


@dataclass(frozen=True)
class Release:
    """A release as the registry describes it."""

    version: int
    digest: str
    members: Mapping[str, str]
    """Name of the member version by test column: ``{"AMK_NM": "modelo_AMK_NM/3"}``."""
    author: str
    note: str
    created: datetime
    """Time of creation in UTC."""
    active: bool
    source: ModelVersion

    @property
    def name(self) -> str:
        """Registered name and version, ``panel_SIR/3``."""
        return f"{RELEASE_MODEL}/{self.version}"


@speaks_to_mlflow
def members_at(registry: Registry, where: str) -> list[ModelVersion]:
    """Return one version of each registered antimicrobial model, chosen by its stage or as the newest.

    Args:
        registry: registry of the models.
        where: ``production``, ``staging``, or ``latest`` for the newest version that Sirena made; a model without one
            is left out. A foreign version is taken only from a stage that somebody gave it.

    Raises:
        UsageError: `where` is another word, or no model has such a version.
    """
    if where not in (NEWEST, Stage.PRODUCTION.alias, Stage.STAGING.alias):
        raise UsageError(f"cannot take members from {where!r}", hint="take them from production, staging or latest")
    members = []
    if where == NEWEST:
        for versions in list_all_versions(registry).values():
            members += [version for version in versions if version.is_ours][-1:]
    else:
        numbers = {name: aliases[where] for name, aliases in list_models(registry).items() if where in aliases}
        members = [find_version(registry, f"{name}/{number}") for name, number in numbers.items()]
    if not members:
        raise UsageError(
            "Sirena has registered no model yet" if where == NEWEST else f"no model is in {where}",
            hint="`sirena promote --all --to production` puts there what passes the gate"
            if where != NEWEST and list_models(registry)
            else "train some first: `sirena train FILE`",
        )
    return members


@speaks_to_mlflow
def create_release(registry: Registry, versions: Sequence[ModelVersion], *, author: str, note: str = "") -> Release:
    """Make a release of model versions, unless the same release exists already; return it.

    Args:
        registry: registry of the versions.
        versions: one version per test column.
        author: account that makes it.
        note: one line of text for people.

    Raises:
        UsageError: there are no versions, two for one column, or one without a truth table.
        IntegrityError: a version's table was changed after logging.
    """
    document, digest = release_document(registry, versions)
    content = canonical_json(document)
    existing_release = _existing_release(registry, digest, content)
    if existing_release is not None:
        return existing_release
    tags = {
        DIGEST_TAG: digest,
        MEMBERS_TAG: json.dumps({column: Member(**facts).reference for column, facts in document["members"].items()}),
        "sirena.author": author,
        "sirena.note": note,
        "sirena.code_version": code_version(),
        f"sirena.sha256.{RELEASE_FILE}": sha256(content),
    }
    with (
        child_run(registry, RELEASE_MODEL, None, {**tags, "mlflow.user": author}) as run_id,
        tempfile.TemporaryDirectory(prefix="sirena-release-") as scratch,
    ):
        file = Path(scratch) / RELEASE_FILE
        file.write_bytes(content)
        place = log_pyfunc(
            registry,
            run_id,
            RELEASE_MODEL,
            artifacts={"release": file},
            columns=_asked_columns(list(document["members"])),
            scratch=Path(scratch),
        )
        version = register(registry, RELEASE_MODEL, place, run_id, tags)
    return find_release(registry, str(version.version))


@speaks_to_mlflow
def release_document(registry: Registry, versions: Sequence[ModelVersion]) -> tuple[dict[str, Any], str]:
    """Return the content of a release of these versions, and its digest; the same versions give the same content.

    Raises:
        UsageError: there are no versions, two for one column, or one without a truth table.
        IntegrityError: a version's table was changed after logging.
    """
    with ThreadPoolExecutor(MODELS_AT_ONCE) as pool:
        in_order = sorted(versions, key=lambda version: version.column)
        parts = list(pool.map(lambda version: _part(registry, version), in_order))
    members = {member.column: member for member, _ in parts}
    tables = {member.column: table for member, table in parts}
    if not members or len(members) != len(versions):
        raise UsageError(
            "a release needs model versions, one per antimicrobial",
            hint="name each model once, or take them with --from production",
        )
    facts = {column: asdict(member) for column, member in members.items()}
    digest = sha256(canonical_json(facts))
    name = f"{RELEASE_MODEL} {digest[:12]}"
    provenance = {
        column: {
            "model": member.model,
            "version": str(member.version),
            "release": name,
            "edition": member.edition,
            "basis": member.label_source,
        }
        for column, member in members.items()
    }
    panel = Panel(tables, provenance, release=name)
    return {**panel.to_json(), "members": facts}, digest


@speaks_to_mlflow
def list_releases(registry: Registry) -> list[Release]:
    """Return every release, the oldest first; foreign versions registered under the same name are left out."""
    releases = map(_describe, list_versions(registry, RELEASE_MODEL))
    return [release for release in releases if release is not None]


@speaks_to_mlflow
def find_release(registry: Registry, text: str) -> Release:
    """Return the release that a text names.

    Args:
        registry: registry of the releases.
        text: ``active`` (or ``production``), ``latest``, ``3``, ``v3`` or ``panel_SIR/3``.

    Raises:
        UsageError: the text names no release.
    """
    match = _RELEASE_NAME.fullmatch(text.strip())
    name = (match["which"] or NEWEST).lower() if match else ""
    releases_by_number = {release.version: release for release in list_releases(registry)}
    if not releases_by_number:
        raise UsageError("there is no release yet", hint="make one with `sirena release create`")
    if name == NEWEST:
        return releases_by_number[max(releases_by_number)]
    if name in (ACTIVE, Stage.PRODUCTION.alias):
        active = [release for release in releases_by_number.values() if release.active]
        if not active:
            raise UsageError("no release is active", hint="activate one with `sirena release activate NAME`")
        return active[0]
    if name == Stage.STAGING.alias:
        staged_releases = [
            release for release in releases_by_number.values() if Stage.STAGING.alias in release.source.aliases
        ]
        if staged_releases:
            return staged_releases[0]
    if name.isdigit() and int(name) in releases_by_number:
        return releases_by_number[int(name)]
    raise UsageError(
        f"there is no release {text!r}",
        hint=f"releases: {', '.join(map(str, releases_by_number))}; or say active or latest",
    )


@speaks_to_mlflow
def release_members(registry: Registry, release: Release) -> list[Member]:
    """Return a release's members, as they were when it was made."""
    document = read_release_document(registry, release)
    return [Member(**facts) for facts in document["members"].values()]


def read_release_document(registry: Registry, release: Release) -> dict[str, Any]:
    """Return the content of a release's file, checked against its hash."""
    return dict(json.loads(read_file(registry, release.source, RELEASE_FILE)))


def _asked_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the inputs of a release: its columns, their gradient strips, and the same drugs by the other guideline.

    MLflow drops a column that the signature does not name; a named one is answered with NI and the reason.
    """
    test_columns = [test_column for test_column in map(parse_test_column, columns) if test_column is not None]
    strips = [f"{test_column.drug}_{test_column.guideline}E" for test_column in test_columns]
    others = [
        f"{test_column.drug}_{letter}{method}"
        for test_column in test_columns
        for letter in list(GUIDELINES)[:2]
        for method in _METHODS
    ]
    return tuple(dict.fromkeys([*columns, *strips, *others]))


def _part(registry: Registry, version: ModelVersion) -> tuple[Member, TruthTable]:
    """Return a version as a member, with its table; all facts come from files that match their hashes."""
    contents = read_files(registry, version, TRUTH_TABLE, certificate_path(version), REPORT)
    table, certificate, report = map(json.loads, contents)
    facts = (str(certificate.get("edition", "")), str(report.get("label_source", "")))
    return Member.of(version, *facts), TruthTable.from_json(table)


def _existing_release(registry: Registry, digest: str, content: bytes) -> Release | None:
    """Return the release with exactly this content; tags alone do not suffice."""
    for release in list_releases(registry):
        if release.digest == digest:
            with contextlib.suppress(SirenaError):
                if read_file(registry, release.source, RELEASE_FILE) == content:
                    return release
    return None


def _describe(version: ModelVersion) -> Release | None:
    """Return a version of ``panel_SIR`` as a release; None if its tags are not those of a release.

    An account that may train can register anything under this name; that must not prevent reading the releases.
    """
    try:
        members = json.loads(version.tags.get(MEMBERS_TAG, ""))
    except ValueError:
        return None
    if not isinstance(members, dict) or not all(isinstance(member, str) for member in members.values()):
        return None
    if f"sirena.sha256.{RELEASE_FILE}" not in version.tags:
        return None
    return Release(
        version=version.version,
        digest=version.tags.get(DIGEST_TAG, ""),
        members=members,
        author=version.author,
        note=version.tags.get("sirena.note", ""),
        created=version.created,
        active=Stage.PRODUCTION.alias in version.aliases,
        source=version,
    )
