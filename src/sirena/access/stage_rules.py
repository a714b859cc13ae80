"""What a change of the model registry needs, read from its body: the rule of `sirena promote`, for MLflow's own API.

Rules, each with a test of like name:

- giving or moving the alias or stage of production needs the right to promote to production, and the gate;
- the same of staging needs the right to promote to staging, and the gate;
- taking a version out of production needs the right to promote to production, whatever stage it is given;
- an alias of any other name is a description and needs the right to register;
- a reason to override stands beside an alias or stage that the gate is asked about, and needs the right to promote
  to production;
- whoever registers a version is its author: the tag says so, whatever the client sends;
- a version is registered of what lies in MLflow's own artifacts, nowhere else; a copy names its version by number;
- an experiment's artifacts, and a trace's, lie among MLflow's own, wherever a client would like them;
- deleting and renaming need the right to remove, and what is in production is not removed at all;
- an experiment with runs that registered versions come from is not deleted;
- a run that a registered version comes from is neither deleted nor restored, and what is known of it stays as it is;
- tags: see `tag_rules`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from sirena.access.actions import Action
from sirena.access.errors import AmbiguousRequestError, ForbiddenError
from sirena.access.tag_rules import (
    VersionState,
    deleting_needs,
    is_ours,
    plain_tags,
    tags_of_new_version,
    writing_needs,
)

_STAGES: Final = {"none": "None", "staging": "Staging", "production": "Production", "archived": "Archived"}
_SOURCE: Final = re.compile(
    r"models:/(?:m-[0-9a-f]{32}|[^/@:?#]+/[1-9][0-9]{0,8})|runs:/[0-9a-f]{32}/[^?#%]+"
    r"|mlflow-artifacts:/(?:[^/?#%]+/)+(?:m-)?[0-9a-f]{32}(?:/[^?#%]*)?"
)
"""Where a version may come from, in the one spelling of each that tells who had a hand in it: the folder of a run or of
a logged model, whose id says so."""
_COPY: Final = re.compile(r"models:/[^/@:?#]+/[1-9][0-9]{0,8}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]*")
"""An alias; MLflow itself says what is wrong with an empty one."""
_PLACE: Final = re.compile(r"(?:mlflow-artifacts:/[^/?#%][^?#%]*)?")
"""Where an experiment's artifacts may lie; empty leaves it to MLflow."""
_PLACES_OF_TRACES: Final = frozenset({"mlflow.artifactLocation", "mlflow.trace.archiveLocation"})
_EXPERIMENT: Final = "experiments/create"
_TRACE: Final = "mlflow/traces"
_IDENTIFIERS: Final = frozenset({"run_id", "run_uuid", "model_id", "runId", "runUuid", "modelId"})
"""Fields of MLflow's bodies that name a run or a logged model, in either spelling."""
_ENDING: Final = frozenset({"run_id", "run_uuid", "status", "end_time"})
_LONGEST_REASON: Final = 1000
_MARKED: Final = {"Staging": Action.PROMOTE_STAGING, "Production": Action.PROMOTE_PRODUCTION}


@dataclass(frozen=True)
class StageChange:
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
        """Stage that an alias or a transition gives; empty when it gives none.

        Raises:
            AmbiguousRequestError: a transition to no stage there is.
        """
        if self.operation == "POST registered-models/alias":
            return _STAGES.get(_text(self.body, "alias").strip().lower(), "")
        if self.operation == "POST model-versions/transition-stage":
            stage = _STAGES.get(_text(self.body, "stage").strip().lower())
            if stage is None:
                raise AmbiguousRequestError("there is no such stage", hint="None, Staging, Production or Archived")
            return stage
        return ""

    @property
    def asks_gate(self) -> bool:
        """True when it gives a stage that the gate has to agree to, unless the version has it already."""
        return self.stage in _MARKED

    @property
    def registers(self) -> bool:
        """True when it makes a version."""
        return self.operation == "POST model-versions/create"

    @property
    def sets_field(self) -> bool:
        """True when it gives a stage by MLflow's own stage field."""
        return self.operation == "POST model-versions/transition-stage"

    @property
    def kind(self) -> str:
        """The route without its method: ``registered-models/alias``."""
        return self.operation.partition(" ")[2]

    @property
    def run(self) -> bool:
        """True when it concerns a run and no registered model."""
        return self.kind.startswith("runs/")

    @property
    def evidence_of(self) -> frozenset[str]:
        """Runs and logged models whose facts it changes; empty when it concerns a registered model.

        Ending a run is no such change: Sirena's own training ends it after registering.

        Raises:
            AmbiguousRequestError: it names no run.
        """
        if not self.run:
            return frozenset()
        if self.kind == "runs/update" and self.body.keys() <= _ENDING:
            return frozenset({""})
        named = frozenset(_named(self.body))
        if not named:
            raise AmbiguousRequestError("the field run_id is missing or no text")
        return named

    @property
    def deletes_experiment(self) -> str:
        """Id of the experiment that it deletes; empty when it deletes none.

        Raises:
            AmbiguousRequestError: it names none.
        """
        return _text(self.body, "experiment_id") if self.kind == "experiments/delete" else ""

    @property
    def tags_version_with_ours(self) -> bool:
        """True when it writes a tag of ours on a version."""
        return self.kind == "model-versions/set-tag" and is_ours(_text(self.body, "key"))

    @property
    def names_places(self) -> bool:
        """True when it makes an experiment or a trace, and so may say where artifacts lie."""
        return self.kind in (_EXPERIMENT, _TRACE)

    @property
    def removes(self) -> bool:
        """True when a version or a model goes, or gets another name."""
        return self.kind in ("model-versions/delete", "registered-models/delete", "registered-models/rename")

    @property
    def leaves(self) -> str:
        """Stage that an alias takes away; empty when it takes none."""
        if self.operation == "DELETE registered-models/alias":
            return _STAGES.get(_text(self.body, "alias").strip().lower(), "")
        return ""

    @property
    def override(self) -> str:
        """Reason to do it although the gate refuses, in one line; empty when there is none.

        Raises:
            AmbiguousRequestError: it is empty or too long.
        """
        if "override" not in self.body:
            return ""
        reason = " ".join(_text(self.body, "override").split())
        if not reason or len(reason) > _LONGEST_REASON:
            raise AmbiguousRequestError(f"a reason to override has 1 to {_LONGEST_REASON} characters")
        return reason

    @property
    def concerns_version(self) -> bool:
        """True when the rules ask for the present state of one version."""
        return self.kind in {
            "model-versions/transition-stage", "model-versions/set-tag", "model-versions/delete-tag",
            "model-versions/delete",
        } or self.operation in {"POST registered-models/alias"}  # fmt: skip

    @property
    def version(self) -> str:
        """Number of the version it concerns.

        Raises:
            AmbiguousRequestError: it is none.
        """
        text = _text(self.body, "version")
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise AmbiguousRequestError("a version is a number")
        return text


@dataclass(frozen=True)
class StageNeed:
    """What a change needs before it may be made."""

    actions: frozenset[Action]
    """Rights, all of them."""
    gate: str = ""
    """Stage the gate must agree to; empty when it is not asked."""


def read_change(operation: str, content: bytes) -> StageChange:
    """Read a body; MLflow gets it written anew from what was read, and so cannot read it otherwise.

    Raises:
        AmbiguousRequestError: it is no JSON object, names a field twice or in MLflow's other spelling (``runId``), or
            holds what JSON cannot be written with.
    """
    try:
        body = json.loads(content, object_pairs_hook=_no_twins)
        orjson.dumps(body)
    except (ValueError, RecursionError, orjson.JSONEncodeError) as error:
        raise AmbiguousRequestError("the body is not one plain JSON object", hint="send one, in UTF-8") from error
    if not isinstance(body, dict):
        raise AmbiguousRequestError("the body is not a JSON object")
    if any("\0" in text for text in _texts(body)):
        raise AmbiguousRequestError("the body holds a zero byte", hint="PostgreSQL takes none in a text")
    if odd := [field for field in body if field != field.lower()]:
        raise AmbiguousRequestError(f"the field {odd[0][:64]!r} is spelled otherwise", hint="write run_id, not runId")
    if operation == "POST registered-models/alias" and not _PLAIN.fullmatch(str(body.get("alias", "")).strip()):
        # a Cyrillic or full-width letter looks like one of the alias that decides
        raise AmbiguousRequestError("the alias is not plain", hint="write it with a-z, A-Z, 0-9, _, . and - alone")
    return StageChange(operation, body)


def require_own_places(change: StageChange) -> None:
    """Refuse an experiment or a trace whose artifacts would lie elsewhere than among MLflow's own.

    MLflow's server writes and reads there with its own rights: a folder of this machine, or any bucket its keys open.

    Raises:
        ForbiddenError: they would.
    """
    place = change.body.get("artifact_location") or ""
    named = _PLACES_OF_TRACES.intersection(_texts(change.body)) if change.kind == _TRACE else frozenset[str]()
    if named or not isinstance(place, str) or not _PLACE.fullmatch(place) or ".." in place.split("/"):
        raise ForbiddenError(
            "artifacts lie where this server keeps them", hint=f"leave {min(named, default='artifact_location')} out"
        )


def require_own_places_of_spans(content: bytes) -> None:
    """Refuse spans of OpenTelemetry (protobuf) whose attributes would name the place of their trace.

    MLflow makes a tag of each attribute of a first span that begins with ``mlflow.traceTag.``. Protobuf holds texts as
    they are, so a name that is not in the bytes is in none of them.

    Raises:
        ForbiddenError: they would.
    """
    if any(name.encode() in content for name in _PLACES_OF_TRACES):
        raise ForbiddenError("artifacts lie where this server keeps them", hint="leave the place out of the spans")


def needs(change: StageChange, state: VersionState | None, who: str) -> StageNeed:
    """Say what a change needs.

    Args:
        change: as asked for.
        state: the version it concerns, or the one in production of a model that goes; None when there is none.
        who: account that asks.

    Raises:
        ForbiddenError: nobody may do this.
        AmbiguousRequestError: the body lacks what the route needs.
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
        return StageNeed(frozenset({_MARKED.get(change.leaves, Action.REGISTER)}))
    if kind.endswith("delete-tag"):
        return StageNeed(deleting_needs(_text(change.body, "key")))
    if kind.endswith("set-tag"):
        key, value = _text(change.body, "key"), _text(change.body, "value")
        return StageNeed(writing_needs(key, value, state, who, of_version=kind.startswith("model-versions/")))
    if kind == "registered-models/create" and any(is_ours(tag["key"]) for tag in plain_tags(change.body.get("tags"))):
        raise ForbiddenError("a registered model's tags of ours are written by the entry alone")
    return StageNeed(frozenset({Action.REGISTER}))


def body_to_pass_on(change: StageChange, who: str, makers: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the body for MLflow: a new version's author is added, a reason to override is left out.

    Args:
        change: as asked for.
        who: account that asks.
        makers: others who had a hand in what is registered.

    Raises:
        ForbiddenError: a new version names another author, or comes from outside MLflow's artifacts.
    """
    body = {field: value for field, value in change.body.items() if field != "override"}
    if change.kind == "registered-models/alias" and (stage := change.stage or change.leaves) in _MARKED:
        # one spelling, or a version could keep a second alias that looks like the one that decides
        body["alias"] = stage.lower()
    if change.operation != "POST model-versions/create":
        return body
    source = _text(body, "source")
    if not _SOURCE.fullmatch(source) or ".." in source.split("/"):
        raise ForbiddenError(
            "a version is registered of what lies in MLflow's own artifacts",
            hint="log the model; or name the version that is copied by its number, models:/modelo_AMK_NM/3",
        )
    body["tags"] = tags_of_new_version(body.get("tags"), who, makers, copied=bool(_COPY.fullmatch(source)))
    return body


def _staging(change: StageChange, state: VersionState | None) -> StageNeed:
    stage = change.stage
    actions = {_MARKED[stage]} if stage in _MARKED else set()
    held = state.stages if state else frozenset()
    if change.operation == "POST model-versions/transition-stage" and "Production" in held and stage != "Production":
        actions.add(Action.PROMOTE_PRODUCTION)
    if not actions:
        transition = change.operation == "POST model-versions/transition-stage"
        actions.add(Action.PROMOTE_STAGING if transition else Action.REGISTER)
    # what has the alias passed the gate in its present state; the stage field may have been set before, by another
    gate = stage if change.asks_gate and not (state and stage in state.aliases) else ""
    if change.override:
        actions.add(Action.PROMOTE_PRODUCTION)
    return StageNeed(frozenset(actions), gate)


def _named(value: Any) -> Iterator[str]:
    """Yield the ids of runs and logged models in a JSON value, at any depth."""
    if isinstance(value, dict):
        for field, inner in value.items():
            if field in _IDENTIFIERS and isinstance(inner, str) and inner:
                yield inner
            else:
                yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)


def _texts(value: Any) -> Iterator[str]:
    """Yield every text of a JSON value, names of fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _text(body: Mapping[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str):
        raise AmbiguousRequestError(f"the field {field} is missing or no text")
    return value


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field stands twice")
    return fields
