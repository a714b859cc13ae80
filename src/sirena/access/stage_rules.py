"""What a change of the model registry needs, read from its body: the rule of `sirena promote`, for MLflow's own API.

Rules, each with a test of like name:

- giving or moving the alias or stage of production needs the right to promote to production, and the gate;
- the same of staging needs the right to promote to staging, and the gate;
- taking a version out of production needs the right to promote to production, whatever stage it is given;
- an alias of any other name is a description and needs the right to register;
- whoever registers a version is its author: the tag says so, whatever the client sends;
- facts written once (author, digests, column) are not written again with another value; decisions on record are
  written in one's own name only; neither is deleted with less than the right to remove;
- deleting and renaming need the right to remove.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sirena.access.actions import Action
from sirena.access.errors import AmbiguousRequestError, ForbiddenError

AUTHOR_TAG: Final = "sirena.author"
_HISTORY: Final = "sirena.history."
_OURS: Final = "sirena."
_WRITTEN_ONCE: Final = ("sirena.author", "sirena.sha256.", "sirena.digest", "sirena.column")
_STAGES: Final = {"none": "None", "staging": "Staging", "production": "Production", "archived": "Archived"}
_MARKED: Final = {"Staging": Action.PROMOTE_STAGING, "Production": Action.PROMOTE_PRODUCTION}


@dataclass(frozen=True)
class VersionState:
    """What the registry holds of a version, as far as the rules ask."""

    version: str
    """Number."""
    stages: frozenset[str]
    """Stages it has by alias or by MLflow's stage field: ``Staging``, ``Production``."""
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """A change of the registry, as asked for."""

    operation: str
    """Last parts of the route with the method: ``POST registered-models/alias``."""
    body: Mapping[str, Any]

    @property
    def model(self) -> str:
        """Registered model it concerns."""
        return _text(self.body, "name")

    @property
    def stage(self) -> str:
        """Stage that an alias or a transition gives; empty when it gives none."""
        if self.operation == "POST registered-models/alias":
            return _STAGES.get(_text(self.body, "alias").strip().lower(), "")
        if self.operation == "POST model-versions/transition-stage":
            stage = _STAGES.get(_text(self.body, "stage").strip().lower())
            if stage is None:
                raise AmbiguousRequestError("there is no such stage", hint="None, Staging, Production or Archived")
            return stage
        return ""

    @property
    def concerns_version(self) -> bool:
        """True when the rules ask for the present state of one version."""
        return self.operation.partition(" ")[2] in {
            "model-versions/transition-stage", "model-versions/set-tag", "model-versions/delete-tag",
        } or self.operation in {"POST registered-models/alias"}  # fmt: skip

    @property
    def version(self) -> str:
        """Number of the version it concerns."""
        text = _text(self.body, "version")
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise AmbiguousRequestError("a version is a number")
        return text


@dataclass(frozen=True)
class Need:
    """What a change needs before it may be made."""

    actions: frozenset[Action]
    """Rights, all of them."""
    gate: str = ""
    """Stage the gate must agree to; empty when it is not asked."""


def read_change(operation: str, content: bytes) -> Change:
    """Read a body so that MLflow cannot read it otherwise: what is passed on is written anew from this reading.

    Raises:
        AmbiguousRequestError: it is no JSON object, or names a field twice.
    """
    try:
        body = json.loads(content, object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as error:
        raise AmbiguousRequestError("the body is not one plain JSON object") from error
    if not isinstance(body, dict):
        raise AmbiguousRequestError("the body is not a JSON object")
    return Change(operation, body)


def needs(change: Change, state: VersionState | None, who: str) -> Need:
    """Say what a change needs.

    Args:
        change: as asked for.
        state: the version it concerns; None when it concerns none or there is none.
        who: account that asks.

    Raises:
        ForbiddenError: nobody may do this.
        AmbiguousRequestError: the body lacks what the route needs.
    """
    kind = change.operation.partition(" ")[2]
    if kind.endswith(("/delete", "/rename")):
        return Need(frozenset({Action.REMOVE}))
    if kind == "model-versions/transition-stage" or change.operation == "POST registered-models/alias":
        return _staging(change, state)
    if change.operation == "DELETE registered-models/alias":
        stage = _STAGES.get(_text(change.body, "alias").strip().lower(), "")
        return Need(frozenset({_MARKED.get(stage, Action.REGISTER)}))
    if kind.endswith("-tag"):
        return _tagging(change, state, who)
    return Need(frozenset({Action.REGISTER}))


def with_author(change: Change, who: str) -> dict[str, Any]:
    """Return the body to pass on; a new version bears its author.

    Raises:
        ForbiddenError: it names another author.
    """
    body = dict(change.body)
    if change.operation != "POST model-versions/create":
        return body
    tags = body.get("tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, dict) for tag in tags):
        raise AmbiguousRequestError("tags are a list of key and value")
    named = [tag.get("value") for tag in tags if tag.get("key") == AUTHOR_TAG]
    if named not in ([], [who]):
        raise ForbiddenError("a version is registered in one's own name", hint=f"set SIRENA_USER={who}")
    body["tags"] = tags if named else [*tags, {"key": AUTHOR_TAG, "value": who}]
    return body


def _staging(change: Change, state: VersionState | None) -> Need:
    stage = change.stage
    actions = {_MARKED[stage]} if stage in _MARKED else set()
    held = state.stages if state else frozenset()
    if change.operation == "POST model-versions/transition-stage" and "Production" in held and stage != "Production":
        actions.add(Action.PROMOTE_PRODUCTION)
    if not actions:
        transition = change.operation == "POST model-versions/transition-stage"
        actions.add(Action.PROMOTE_STAGING if transition else Action.REGISTER)
    # what has the stage already passed the gate; writing it again only mirrors alias and stage field
    gate = stage if stage in _MARKED and stage not in held else ""
    return Need(frozenset(actions), gate)


def _tagging(change: Change, state: VersionState | None, who: str) -> Need:
    key = _text(change.body, "key")
    if change.operation.endswith("delete-tag"):
        return Need(frozenset({Action.REMOVE if key.strip().startswith(_OURS) else Action.REGISTER}))
    value = _text(change.body, "value")
    known = state.tags.get(key) if state else None
    if key.startswith(_WRITTEN_ONCE) and known is not None and known != value:
        raise ForbiddenError("this tag was written once and is not written again")
    if key == AUTHOR_TAG and known != value:
        raise ForbiddenError("the author is written when a version is registered, and not by hand")
    if key.startswith(_HISTORY) and {_decider(value), _decider(known) if known is not None else who} != {who}:
        raise ForbiddenError("a decision is recorded in one's own name", hint=f"set SIRENA_USER={who}")
    return Need(frozenset({Action.REGISTER}))


def _decider(value: str) -> str:
    try:
        entry = json.loads(value)
    except ValueError:
        return ""
    return str(entry.get("by", "")) if isinstance(entry, dict) else ""


def _text(body: Mapping[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str):
        raise AmbiguousRequestError(f"the field {field} is missing or no text")
    return value


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field stands twice")
    return found
