"""Who may write which tag of the registry. What begins with ``sirena.`` is ours: the gate and the audit read it.

Rules, each with a test of like name:

- a tag that is not ours is a description, and whoever may register may write it;
- tags of ours on registered models (when which release answered) are written by the entry alone;
- so are the decisions on a version, and who made it; nobody else writes or deletes them;
- facts written with a version (author, digests, column) are not written again with another value, nor deleted;
- a later certificate is put in force by the version's author, or by whoever may promote to production;
- only a certificate that is kept with the version is put in force, and only its edition is told;
- any other tag of ours is the author's to write, until the version has been given a stage.
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
"""Names, a JSON list, of who had a hand in a version before it was registered."""
_OURS: Final = "sirena."
_ENTRYS_OWN: Final = ("sirena.history.", MAKERS_TAG)
_WRITTEN_ONCE: Final = (AUTHOR_TAG, "sirena.sha256.", "sirena.digest", "sirena.column")
_KEPT: Final = re.compile(r"sirena\.sha256\.(?P<path>certificates/(?P<edition>[0-9a-z-]+)-[0-9a-f]{12}\.json)")
"""Tag of the hash of a certificate made later; its name begins with the edition and ends with the hash's beginning."""
_CERTIFICATES: Final = ("sirena.certificate", "sirena.edition", "sirena.sha256.certificates/")


@dataclass(frozen=True)
class VersionState:
    """What the registry holds of a version, as far as the rules ask."""

    version: str
    """Number."""
    aliases: frozenset[str]
    """Stages it has by alias, which decides: ``Staging``, ``Production``."""
    field: str
    """MLflow's own stage field, which follows."""
    tags: Mapping[str, str]

    @property
    def stages(self) -> frozenset[str]:
        """Stages that the version has by an alias or by the stage field."""
        return self.aliases | ({self.field} & {"Staging", "Production"})

    @property
    def was_staged(self) -> bool:
        """True when somebody has decided about it."""
        return bool(self.stages) or any(key.startswith(_ENTRYS_OWN[0]) for key in self.tags)


def is_ours(key: str) -> bool:
    """Tell whether a tag is Sirena's, or is spelt so that a person could take it for one."""
    return key.strip().casefold().startswith(_OURS)


def writing_needs(key: str, value: str, state: VersionState | None, who: str, *, of_version: bool) -> frozenset[Action]:
    """Return the rights of which writing a tag needs one.

    Args:
        key: name of the tag.
        value: what it shall say.
        state: the version; None when there is none, or when the tag is a registered model's.
        who: account that asks.
        of_version: True for a version's tag, False for a registered model's.

    Raises:
        ForbiddenError: nobody, or not this account, may write it.
    """
    if not is_ours(key):
        return frozenset({Action.REGISTER})
    if not of_version or key.startswith(_ENTRYS_OWN) or not key.startswith(_OURS):
        raise ForbiddenError("this tag is the entry's own: it records who decided what")
    known = state.tags.get(key) if state else None
    if known is not None and known == value:
        return frozenset({Action.REGISTER})
    author = state.tags.get(AUTHOR_TAG, "") if state else ""
    if key == AUTHOR_TAG or (known is not None and key.startswith(_WRITTEN_ONCE)):
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
    """Require that a certificate, or an edition, is one of those kept with the version.

    Raises:
        ForbiddenError: it is none.
    """
    kept = [match for name in (state.tags if state else ()) if (match := _KEPT.fullmatch(name))]
    slug = re.sub(r"[^0-9a-z]+", "-", value.lower()).strip("-")
    fits = {
        "sirena.certificate": any(one["path"] == value for one in kept),
        "sirena.edition": any(one["edition"] == slug for one in kept),
    }
    if not fits.get(key, True):
        raise ForbiddenError(
            "this tag leads to no certificate that is kept with the version",
            hint="certify the version: sirena certify MODEL/VERSION",
        )


def deleting_needs(key: str) -> frozenset[Action]:
    """Return the right needed to delete a tag.

    Raises:
        ForbiddenError: it is one of ours.
    """
    if is_ours(key):
        raise ForbiddenError("this tag is evidence and is not deleted")
    return frozenset({Action.REGISTER})


def tags_of_new_version(tags: Any, who: str, makers: tuple[str, ...], *, copied: bool = False) -> list[dict[str, Any]]:
    """Return the tags of a new version: those that were sent, and the author.

    Args:
        tags: as sent.
        who: account that registers.
        makers: others who had a hand in it.
        copied: True for a copy of another version. MLflow's client sends that one's tags along; what they say of its
            maker and of the decisions on it is not true of the copy, and is left out.

    Raises:
        ForbiddenError: they name another author, or hold what only the entry writes.
        AmbiguousRequestError: they are no list of key and value.
    """
    given = plain_tags(tags)
    if copied:
        given = [
            tag
            for tag in given
            if not tag["key"].startswith(_ENTRYS_OWN) and not (tag["key"] == AUTHOR_TAG and tag["value"] in makers)
        ]
    for tag in given:
        key = tag["key"]
        if is_ours(key) and (not key.startswith(_OURS) or key.startswith(_ENTRYS_OWN)):
            raise ForbiddenError("a tag of a new version is one that only the entry writes")
    named = [tag["value"] for tag in given if tag["key"] == AUTHOR_TAG]
    if named not in ([], [who]):
        raise ForbiddenError("a version is registered in one's own name", hint=f"set SIRENA_USER={who}")
    added = [] if named else [{"key": AUTHOR_TAG, "value": who}]
    others = sorted({name for name in makers if name} - {who})
    if others:
        added.append({"key": MAKERS_TAG, "value": json.dumps(others, ensure_ascii=False)})
    return [*given, *added]


def plain_tags(tags: Any) -> list[dict[str, Any]]:
    """Return tags as sent, if they are a list of key and value, each key once.

    Raises:
        AmbiguousRequestError: they are not.
    """
    given = tags or []
    if not isinstance(given, list) or not all(
        isinstance(tag, dict) and isinstance(tag.get("key"), str) and isinstance(tag.get("value"), str) for tag in given
    ):
        raise AmbiguousRequestError("tags are a list of key and value")
    if len({tag["key"] for tag in given}) != len(given):
        raise AmbiguousRequestError("a tag stands twice")
    return given
