"""Which rights a change of the model registry needs, and whether the gate is asked, as `sirena promote` does.

Rules, each with a test of like name:

- giving or moving the alias or stage of production needs the right to promote to production, and the gate;
- giving or moving that of staging needs the right to promote to staging, and the gate;
- taking a version out of production needs the right to promote to production, whatever stage it is given;
- an alias of any other name is a description and needs the right to register; so does naming the shadow, the release
  whose answers nobody sees;
- a reason to override is given together with an alias or stage that the gate is asked about, and needs the right to
  promote to production;
- the author of a version is the account that registers it: its tag says so, whatever the client sends;
- a version is registered from MLflow's own artifacts and from nowhere else; a copy names its version by number;
- artifacts of an experiment or a trace are stored among MLflow's own; a client cannot choose another place;
- deleting and renaming need the right to remove; a version or model in production is never removed;
- an experiment with runs that registered versions come from is not deleted;
- a run that a registered version comes from is neither deleted nor restored, and its facts are not changed;
- tags: see `tag_rules`.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from sirena.access.actions import Action
from sirena.access.errors import ForbiddenError
from sirena.access.stage_change import RIGHT_OF_STAGE, SHADOW, TRACE, StageChange, text_of, texts_of
from sirena.access.tag_rules import (
    VersionState,
    deleting_needs,
    is_ours,
    plain_tags,
    tags_of_new_version,
    writing_needs,
)

_SOURCE: Final = re.compile(
    r"models:/(?:m-[0-9a-f]{32}|[^/@:?#]+/[1-9][0-9]{0,8})|runs:/[0-9a-f]{32}/[^?#%]+"
    r"|mlflow-artifacts:/(?:[^/?#%]+/)+(?:m-)?[0-9a-f]{32}(?:/[^?#%]*)?"
)
"""Sources from which a version may be registered, each in the one spelling by which its makers are known: a logged
model, another version, or the folder of a run or of a logged model, whose name holds its id.
"""
_COPY: Final = re.compile(r"models:/[^/@:?#]+/[1-9][0-9]{0,8}")
_PLACE: Final = re.compile(r"(?:mlflow-artifacts:/[^/?#%][^?#%]*)?")
"""Places where an experiment's artifacts may be stored; empty lets MLflow choose."""
_PLACES_OF_TRACES: Final = frozenset({"mlflow.artifactLocation", "mlflow.trace.archiveLocation"})


@dataclass(frozen=True)
class StageNeed:
    """The rights that a change needs, and the stage for which the gate is asked."""

    actions: frozenset[Action]
    """The needed rights, all of them."""
    gate: str = ""
    """Stage to which the gate must agree; empty when the gate is not asked."""


def require_own_places(change: StageChange) -> None:
    """Check that a new experiment or trace stores its artifacts among MLflow's own, or raise `ForbiddenError`.

    Elsewhere, MLflow's server would read and write a folder of this machine or any bucket with its own rights.

    Raises:
        ForbiddenError: the request names another place.
    """
    place = change.body.get("artifact_location") or ""
    places = _PLACES_OF_TRACES.intersection(texts_of(change.body)) if change.kind == TRACE else frozenset[str]()
    if places or not isinstance(place, str) or not _PLACE.fullmatch(place) or ".." in place.split("/"):
        raise ForbiddenError(
            "artifacts lie where this server keeps them", hint=f"leave {min(places, default='artifact_location')} out"
        )


def require_own_places_of_spans(content: bytes) -> None:
    """Check that spans of OpenTelemetry do not choose where MLflow stores their trace, or raise `ForbiddenError`.

    Each attribute of the root span named ``mlflow.traceTag.…`` becomes a tag of the trace, and one such tag is the
    storage place. Protobuf holds texts byte by byte, so the names of those tags are searched for in the body.

    Args:
        content: the body, protobuf.

    Raises:
        ForbiddenError: the body holds the name of such a tag.
    """
    if any(name.encode() in content for name in _PLACES_OF_TRACES):
        raise ForbiddenError("artifacts lie where this server keeps them", hint="leave the place out of the spans")


def needs(change: StageChange, state: VersionState | None, who: str) -> StageNeed:
    """Return the rights that a change needs, and the stage for which the gate is asked.

    Args:
        change: the change to make.
        state: state of the version concerned, or of the version in production of a model to remove; None if there is no
            such version.
        who: account that sends the request.

    Raises:
        ForbiddenError: nobody may make this change, or this account may not.
        AmbiguousRequestError: the body lacks a field that the route needs.
    """
    kind = change.kind
    if change.run:
        return StageNeed(frozenset({Action.TRAIN}))
    if change.removes:
        if state is not None and "Production" in state.stages:
            raise ForbiddenError(
                f"{change.model}/{state.version} is in production, and what answers is not removed",
                hint="an approver takes it out of production first: stage Archived",
            )
        return StageNeed(frozenset({Action.REMOVE}))
    if kind == "model-versions/transition-stage" or change.operation == "POST registered-models/alias":
        return _staging(change, state)
    if change.operation == "DELETE registered-models/alias":
        return StageNeed(frozenset({RIGHT_OF_STAGE.get(change.leaves, Action.REGISTER)}))
    if kind.endswith("delete-tag"):
        return StageNeed(deleting_needs(text_of(change.body, "key")))
    if kind.endswith("set-tag"):
        key, value = text_of(change.body, "key"), text_of(change.body, "value")
        return StageNeed(writing_needs(key, value, state, who, of_version=kind.startswith("model-versions/")))
    if kind == "registered-models/create" and any(is_ours(tag["key"]) for tag in plain_tags(change.body.get("tags"))):
        raise ForbiddenError("a registered model's tags of ours are written by the entry alone")
    return StageNeed(frozenset({Action.REGISTER}))


def body_to_pass_on(change: StageChange, who: str, makers: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the body to send to MLflow: a new version's author is added, a reason for overriding the gate is removed.

    Args:
        change: the change to make.
        who: account that sends the request.
        makers: other accounts that worked on the version.

    Raises:
        ForbiddenError: a new version names another author, or comes from outside MLflow's artifacts.
    """
    body = {field: value for field, value in change.body.items() if field != "override"}
    if change.kind == "registered-models/alias" and (stage := change.stage or change.leaves) in RIGHT_OF_STAGE:
        # one spelling, or a version could keep a second alias that looks like the one that decides
        body["alias"] = stage.lower()
    elif change.shadows:
        body["alias"] = SHADOW
    if change.operation != "POST model-versions/create":
        return body
    source = text_of(body, "source")
    if not _SOURCE.fullmatch(source) or ".." in source.split("/"):
        raise ForbiddenError(
            "a version is registered of what lies in MLflow's own artifacts",
            hint="log the model; or name the version that is copied by its number, models:/modelo_AMK_NM/3",
        )
    body["tags"] = tags_of_new_version(body.get("tags"), who, makers, copied=bool(_COPY.fullmatch(source)))
    return body


def _staging(change: StageChange, state: VersionState | None) -> StageNeed:
    stage = change.stage
    actions = {RIGHT_OF_STAGE[stage]} if stage in RIGHT_OF_STAGE else set()
    stages = state.stages if state else frozenset()
    if change.operation == "POST model-versions/transition-stage" and "Production" in stages and stage != "Production":
        actions.add(Action.PROMOTE_PRODUCTION)
    if not actions:
        transition = change.operation == "POST model-versions/transition-stage"
        actions.add(Action.PROMOTE_STAGING if transition else Action.REGISTER)
    # what has the alias passed the gate in its present state; the stage field may have been set before, by another
    gate = stage if change.asks_gate and not (state and stage in state.aliases) else ""
    if change.override:
        actions.add(Action.PROMOTE_PRODUCTION)
    return StageNeed(frozenset(actions), gate)
