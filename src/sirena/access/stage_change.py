"""A change of the model registry, read from the body of a request so that MLflow cannot understand it differently."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from sirena.access.actions import Action
from sirena.access.errors import AmbiguousRequestError
from sirena.access.tag_rules import is_ours

_STAGES: Final = {"none": "None", "staging": "Staging", "production": "Production", "archived": "Archived"}
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]*")
"""Characters of an alias; an empty one is left to MLflow to refuse."""
_IDENTIFIERS: Final = frozenset({"run_id", "run_uuid", "model_id", "runId", "runUuid", "modelId"})
"""Fields of MLflow's bodies that name a run or a logged model, in either spelling."""
_ENDING: Final = frozenset({"run_id", "run_uuid", "status", "end_time"})
_LONGEST_REASON: Final = 1000
SHADOW: Final = "shadow"
"""Alias of the shadow: the release that answers the same requests without anybody seeing its answers."""
_EXPERIMENT: Final = "experiments/create"
TRACE: Final = "mlflow/traces"
"""End of the route that makes a trace."""
RIGHT_OF_STAGE: Final = {"Staging": Action.PROMOTE_STAGING, "Production": Action.PROMOTE_PRODUCTION}
"""Right needed to give a version each of the stages for which the gate is asked."""


@dataclass(frozen=True)
class StageChange:
    """A change of the registry that a request asks for."""

    operation: str
    """Method and last two parts of the route: ``POST registered-models/alias``."""
    body: Mapping[str, Any]

    @property
    def model(self) -> str:
        """Registered model that the request concerns."""
        return text_of(self.body, "name")

    @property
    def stage(self) -> str:
        """Stage that the request gives a version, by an alias or by the stage field; empty if it gives no stage.

        Raises:
            AmbiguousRequestError: the stage field would get a stage that does not exist.
        """
        if self.operation == "POST registered-models/alias":
            return _STAGES.get(text_of(self.body, "alias").strip().lower(), "")
        if self.operation == "POST model-versions/transition-stage":
            stage = _STAGES.get(text_of(self.body, "stage").strip().lower())
            if stage is None:
                raise AmbiguousRequestError("there is no such stage", hint="None, Staging, Production or Archived")
            return stage
        return ""

    @property
    def asks_gate(self) -> bool:
        """True if the request gives a stage that needs the gate's consent (unless the version already has it)."""
        return self.stage in RIGHT_OF_STAGE

    @property
    def registers(self) -> bool:
        """True when the request registers a version."""
        return self.operation == "POST model-versions/create"

    @property
    def sets_field(self) -> bool:
        """True when the request sets MLflow's own stage field."""
        return self.operation == "POST model-versions/transition-stage"

    @property
    def kind(self) -> str:
        """The route without its method: ``registered-models/alias``."""
        return self.operation.partition(" ")[2]

    @property
    def run(self) -> bool:
        """True when the request concerns a run and not a registered model."""
        return self.kind.startswith("runs/")

    @property
    def evidence_of(self) -> frozenset[str]:
        """Runs and logged models whose facts the request changes; empty if the request concerns a registered model.

        Ending a run does not count as a change, because Sirena's training ends its run after registering; the set then
        holds an empty id.

        Raises:
            AmbiguousRequestError: the request names no run.
        """
        if not self.run:
            return frozenset()
        if self.kind == "runs/update" and self.body.keys() <= _ENDING:
            return frozenset({""})
        identifiers = frozenset(_identifiers_in(self.body))
        if not identifiers:
            raise AmbiguousRequestError("the field run_id is missing or no text")
        return identifiers

    @property
    def deletes_experiment(self) -> str:
        """Id of the experiment that the request deletes; empty if it deletes no experiment.

        Raises:
            AmbiguousRequestError: the request names no experiment.
        """
        return text_of(self.body, "experiment_id") if self.kind == "experiments/delete" else ""

    @property
    def tags_version_with_ours(self) -> bool:
        """True if the request writes one of Sirena's reserved tags on a version."""
        return self.kind == "model-versions/set-tag" and is_ours(text_of(self.body, "key"))

    @property
    def names_places(self) -> bool:
        """True if the request makes an experiment or a trace, and so may choose where artifacts are stored."""
        return self.kind in (_EXPERIMENT, TRACE)

    @property
    def removes(self) -> bool:
        """True when the request deletes a version or a model, or renames a model."""
        return self.kind in ("model-versions/delete", "registered-models/delete", "registered-models/rename")

    @property
    def leaves(self) -> str:
        """Stage that a version loses by the deletion of its alias; empty when the request deletes no such alias."""
        if self.operation == "DELETE registered-models/alias":
            return _STAGES.get(text_of(self.body, "alias").strip().lower(), "")
        return ""

    @property
    def shadows(self) -> bool:
        """True when the request sets or deletes the alias ``shadow``, which has a meaning for releases only."""
        return self.kind == "registered-models/alias" and text_of(self.body, "alias").strip().lower() == SHADOW

    @property
    def override(self) -> str:
        """Reason for overriding the gate, in one line; empty if the request gives no reason.

        Raises:
            AmbiguousRequestError: the reason is empty or too long.
        """
        if "override" not in self.body:
            return ""
        reason = " ".join(text_of(self.body, "override").split())
        if not reason or len(reason) > _LONGEST_REASON:
            raise AmbiguousRequestError(f"a reason to override has 1 to {_LONGEST_REASON} characters")
        return reason

    @property
    def concerns_version(self) -> bool:
        """True if the rules need the current state of the version that the request names."""
        return self.kind in {
            "model-versions/transition-stage", "model-versions/set-tag", "model-versions/delete-tag",
            "model-versions/delete",
        } or self.operation in {"POST registered-models/alias"}  # fmt: skip

    @property
    def version(self) -> str:
        """Number of the version that the request concerns.

        Raises:
            AmbiguousRequestError: the request names no version by a number.
        """
        text = text_of(self.body, "version")
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise AmbiguousRequestError("a version is a number")
        return text


def read_change(operation: str, content: bytes) -> StageChange:
    """Read the change that a body asks for; what was read is sent to MLflow, so that both understand the same.

    Raises:
        AmbiguousRequestError: the body is no JSON object, names a field twice or in MLflow's other spelling
            (``runId``), or holds a value that JSON cannot express.
    """
    try:
        body = json.loads(content, object_pairs_hook=_no_twins)
        orjson.dumps(body)
    except (ValueError, RecursionError, orjson.JSONEncodeError) as error:
        raise AmbiguousRequestError("the body is not one plain JSON object", hint="send one, in UTF-8") from error
    if not isinstance(body, dict):
        raise AmbiguousRequestError("the body is not a JSON object")
    if any("\0" in text for text in texts_of(body)):
        raise AmbiguousRequestError("the body holds a zero byte", hint="PostgreSQL takes none in a text")
    if odd := [field for field in body if field != field.lower()]:
        raise AmbiguousRequestError(f"the field {odd[0][:64]!r} is spelled otherwise", hint="write run_id, not runId")
    if operation == "POST registered-models/alias" and not _PLAIN.fullmatch(str(body.get("alias", "")).strip()):
        # a Cyrillic or full-width letter looks like one of the alias that decides
        raise AmbiguousRequestError("the alias is not plain", hint="write it with a-z, A-Z, 0-9, _, . and - alone")
    return StageChange(operation, body)


def _identifiers_in(value: Any) -> Iterator[str]:
    """Yield the ids of runs and logged models in a JSON value, at any depth."""
    if isinstance(value, dict):
        for field, inner in value.items():
            if field in _IDENTIFIERS and isinstance(inner, str) and inner:
                yield inner
            else:
                yield from _identifiers_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _identifiers_in(inner)


def texts_of(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, and the names of its fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


def text_of(body: Mapping[str, Any], field: str) -> str:
    """Return the text of a field of a body.

    Raises:
        AmbiguousRequestError: the field is missing or is not a text.
    """
    value = body.get(field)
    if not isinstance(value, str):
        raise AmbiguousRequestError(f"the field {field} is missing or no text")
    return value


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field stands twice")
    return fields
