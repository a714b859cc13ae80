"""Who may write which tag of the registry. Sirena's own tags, which gate and audit read, begin with ``sirena.``.

Rules, each with a test of like name:

- any other tag is a description, and an account with the right to register may write it;
- Sirena's tags on registered models (which release answered when) are written by the entry alone;
- the tags with the decisions on a version, and with its makers, are written by the entry alone and never deleted;
- facts written when a version is registered (author, digests, column) are neither changed nor deleted;
- a later certificate of a version is made the valid one by the author, or by an account that may promote to production;
- only a certificate that is stored with the version can be the valid one; the edition tag can only name its edition;
- any other of Sirena's tags is written by the author, until the version has been given a stage.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sirena.access.actions import Action
from sirena.access.errors import AmbiguousRequestError, ForbiddenError

AUTHOR_TAG: Final = "sirena.author"
MAKERS_TAG: Final = "sirena.made_by"
"""Tag with the accounts, as a JSON list, that worked on a version before it was registered."""
_OURS: Final = "sirena."
_ENTRYS_OWN: Final = ("sirena.history.", MAKERS_TAG)
_WRITTEN_ONCE: Final = (AUTHOR_TAG, "sirena.sha256.", "sirena.digest", "sirena.column")
_KEPT: Final = re.compile(r"sirena\.sha256\.(?P<path>certificates/(?P<edition>[0-9a-z-]+)-[0-9a-f]{12}\.json)")
"""Name of the tag that holds the hash of a later certificate; it names the edition, and the first digits of the
hash."""
_CERTIFICATES: Final = ("sirena.certificate", "sirena.edition", "sirena.sha256.certificates/")


@dataclass(frozen=True)
class VersionState:
    """The facts about a version in the registry that the rules need."""

    version: str
    """Number of the version."""
    aliases: frozenset[str]
    """Stages that the version has by an alias, which determines the stage: ``Staging``, ``Production``."""
    field: str
    """MLflow's own stage field, which is set after the alias."""
    tags: Mapping[str, str]

    @property
    def stages(self) -> frozenset[str]:
        """Stages that the version has by an alias or by the stage field."""
        return self.aliases | ({self.field} & {"Staging", "Production"})

    @property
    def was_staged(self) -> bool:
        """True if the version has a stage, or somebody has decided on a stage for it."""
        return bool(self.stages) or any(key.startswith(_ENTRYS_OWN[0]) for key in self.tags)


def is_ours(key: str) -> bool:
    """Tell whether a tag is reserved for Sirena, or is spelt so that a person could take it for a reserved one."""
    return key.strip().casefold().startswith(_OURS)


def writing_needs(key: str, value: str, state: VersionState | None, who: str, *, of_version: bool) -> frozenset[Action]:
    """Return the rights for writing a tag; one of them is enough.

    Args:
        key: name of the tag.
        value: the value to write.
        state: state of the version; None if there is no version, or if the tag is a registered model's.
        who: account that sends the request.
        of_version: True for a version's tag, False for a registered model's.

    Raises:
        ForbiddenError: nobody may write the tag, or this account may not.
    """
    if not is_ours(key):
        return frozenset({Action.REGISTER})
    if not of_version or key.startswith(_ENTRYS_OWN) or not key.startswith(_OURS):
        raise ForbiddenError("this tag is the entry's own: it records who decided what")
    old_value = state.tags.get(key) if state else None
    if old_value is not None and old_value == value:
        return frozenset({Action.REGISTER})
    author = state.tags.get(AUTHOR_TAG, "") if state else ""
    if key == AUTHOR_TAG or (old_value is not None and key.startswith(_WRITTEN_ONCE)):
        raise ForbiddenError("this tag is written when a version is registered, and not again")
    if key.startswith(_CERTIFICATES):
        _require_kept(key, value, state)
        return frozenset({Action.REGISTER if author == who else Action.PROMOTE_PRODUCTION})
    if author != who:
        raise ForbiddenError("this tag is its author's to write", hint="register a version of your own")
    if state is not None and state.was_staged:
        raise ForbiddenError("the version has been judged, and what is known of it stays as it was judged")
    return frozenset({Action.REGISTER})


def _require_kept(key: str, value: str, state: VersionState | None) -> None:
    """Check that a certificate or edition tag names a certificate stored with the version, or raise `ForbiddenError`.

    Raises:
        ForbiddenError: no such certificate is stored with the version.
    """
    kept_names = [match for name in (state.tags if state else ()) if (match := _KEPT.fullmatch(name))]
    slug = re.sub(r"[^0-9a-z]+", "-", value.lower()).strip("-")
    fits = {
        "sirena.certificate": any(match["path"] == value for match in kept_names),
        "sirena.edition": any(match["edition"] == slug for match in kept_names),
    }
    if not fits.get(key, True):
        raise ForbiddenError(
            "this tag leads to no certificate that is kept with the version",
            hint="certify the version: sirena certify MODEL/VERSION",
        )


def deleting_needs(key: str) -> frozenset[Action]:
    """Return the right that is needed to delete a tag.

    Raises:
        ForbiddenError: the tag is reserved for Sirena.
    """
    if is_ours(key):
        raise ForbiddenError("this tag is evidence and is not deleted")
    return frozenset({Action.REGISTER})


def tags_of_new_version(tags: Any, who: str, makers: tuple[str, ...], *, copied: bool = False) -> list[dict[str, Any]]:
    """Return the tags of a new version: those that were sent, and the author.

    Args:
        tags: the tags that the client sent.
        who: account that registers.
        makers: other accounts that worked on the version.
        copied: True for a copy of another version. MLflow's client sends the tags of the other version along; those
            about its makers and the decisions on it are not true of the copy, and are left out.

    Raises:
        ForbiddenError: the tags name another author, or one of them is written by the entry alone.
        AmbiguousRequestError: the tags are not a list of key and value, or a key occurs twice.
    """
    own_tags = plain_tags(tags)
    if copied:
        own_tags = [
            tag
            for tag in own_tags
            if not tag["key"].startswith(_ENTRYS_OWN) and not (tag["key"] == AUTHOR_TAG and tag["value"] in makers)
        ]
    for tag in own_tags:
        key = tag["key"]
        if is_ours(key) and (not key.startswith(_OURS) or key.startswith(_ENTRYS_OWN)):
            raise ForbiddenError("a tag of a new version is one that only the entry writes")
    authors = [tag["value"] for tag in own_tags if tag["key"] == AUTHOR_TAG]
    if authors not in ([], [who]):
        raise ForbiddenError("a version is registered in one's own name", hint=f"set SIRENA_USER={who}")
    author_tags = [] if authors else [{"key": AUTHOR_TAG, "value": who}]
    others = sorted({name for name in makers if name} - {who})
    if others:
        author_tags.append({"key": MAKERS_TAG, "value": json.dumps(others, ensure_ascii=False)})
    return [*own_tags, *author_tags]


def plain_tags(tags: Any) -> list[dict[str, Any]]:
    """Return the tags that a client sent, after checking that they are a list of key and value.

    Raises:
        AmbiguousRequestError: the tags are not such a list, or a key occurs twice.
    """
    tag_list = tags or []
    if not isinstance(tag_list, list) or not all(
        isinstance(tag, dict) and isinstance(tag.get("key"), str) and isinstance(tag.get("value"), str)
        for tag in tag_list
    ):
        raise AmbiguousRequestError("tags are a list of key and value")
    if len({tag["key"] for tag in tag_list}) != len(tag_list):
        raise AmbiguousRequestError("a tag stands twice")
    return tag_list
