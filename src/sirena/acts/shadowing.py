"""Naming the shadow, the release that answers the same requests unseen, by a command or through the entry.

The gate is not asked, because nobody sees the shadow's answers. The ledger decides which release is the shadow, as for
the active one; MLflow's alias ``shadow`` only shows it to people.
"""

from typing import Any

from sirena.access.events import ActOrigin
from sirena.access.ruling import Ruling
from sirena.acts.judged import judgements_of
from sirena.acts.noted_files import NotedFiles
from sirena.acts.recording import recorded
from sirena.domain.errors import UsageError
from sirena.ledger.catalogue import Shadowed
from sirena.ledger.judgements import Judgements
from sirena.registry.connection import Registry, speaks_to_mlflow
from sirena.registry.judged_releases import facts_of
from sirena.registry.releases import RELEASE_MODEL, SHADOW_ALIAS, Release, find_release


def name_shadow(registry: Registry, release: Release | None) -> None:
    """Make a release the shadow, which answers unseen; None ends the shadow.

    Raises:
        UsageError: the release is the active one.
        UnjudgedReleaseError: the release's file was changed since the release was made.
        ChangedFilesError: other files of the release were changed.
    """
    with recorded(registry.settings, Shadowed, release=release.name if release else "") as act:
        # through the entry its ledger is the one that counts, and it looks at the release itself
        if release is not None and not registry.signed_in_as:
            act.learn(**_facts(registry, release, judgements_of(registry.settings), NotedFiles.of_registry(registry)))
        _set_alias(registry, release)


def judge_shadow(
    registry: Registry, judgements: Judgements, noted_files: NotedFiles, version: str | None, by: ActOrigin
) -> Ruling:
    """Return the ruling that names the shadow release.

    Args:
        registry: registry of the release.
        judgements: judgements of releases, from the ledger.
        noted_files: files noted in the ledger.
        version: number of the release; None to end the shadow.
        by: who makes the request.

    Raises:
        UsageError: there is no such release, or it is the active one.
        UnjudgedReleaseError: the release's file was changed since the release was made.
        ChangedFilesError: other files of the release were changed.
    """
    if version is None:
        return Ruling(Shadowed(**by))
    release = find_release(registry, version)
    return Ruling(Shadowed(**by, release=release.name, **_facts(registry, release, judgements, noted_files)))


def _facts(registry: Registry, release: Release, judgements: Judgements, noted_files: NotedFiles) -> dict[str, Any]:
    if judgements.active is not None and judgements.active.release == release.name:
        raise UsageError(
            f"{release.name} is the active release, so it would be compared with itself",
            hint="name another: `sirena release list`",
        )
    noted_files.require(release.source)
    facts = facts_of(registry, release)
    return {"digest": facts.digest, "content": facts.content}


@speaks_to_mlflow
def _set_alias(registry: Registry, release: Release | None) -> None:
    if release is None:
        registry.models.delete_registered_model_alias(RELEASE_MODEL, SHADOW_ALIAS)
    else:
        registry.models.set_registered_model_alias(RELEASE_MODEL, SHADOW_ALIAS, str(release.version))
