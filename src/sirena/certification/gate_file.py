"""Reading the gate file: which criteria apply to which stage and which kind of model, in TOML.

An unknown criterion, parameter, stage or kind of label is an error, because a misspelt criterion would otherwise never
be checked.
"""

import hashlib
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Any, Final, TypeVar, get_args

from sirena.certification.criteria import CRITERIA, Criterion
from sirena.certification.evidence import GateStage, LearntSource
from sirena.domain.errors import UsageError

SCHEMA: Final = "sirena-gate/1"
"""Value that the file's key ``schema`` must have."""
SHIPPED: Final = Path(__file__).with_name("gate.toml")
"""The gate file that is used unless `SIRENA_GATE` names another."""

_Choice = TypeVar("_Choice", GateStage, LearntSource)


@dataclass(frozen=True)
class GateRule:
    """A criterion, and the stages and kinds of models it applies to."""

    criterion: Criterion
    stages: frozenset[GateStage]
    labels: frozenset[LearntSource]


@dataclass(frozen=True)
class Gate:
    """The criteria of one gate file."""

    rules: tuple[GateRule, ...]
    source: str
    """Path of the gate file."""
    digest: str
    """SHA-256 of the gate file, which identifies the rules that decided."""

    def criteria(self, stage: GateStage, labels: LearntSource) -> tuple[Criterion, ...]:
        """Return the criteria for a stage and for the source of a model's labels, in the order of the gate file."""
        return tuple(rule.criterion for rule in self.rules if stage in rule.stages and labels in rule.labels)


def load_gate(path: Path | None = None) -> Gate:
    """Return the criteria of a gate file.

    Args:
        path: the file; None for the gate file that comes with Sirena.

    Raises:
        UsageError: the file is missing, is not TOML, or has an unknown key or value; the text names file and key.

    >>> len(load_gate().digest)
    64
    """
    file = SHIPPED if path is None else path
    try:
        content = file.read_bytes()
        document = tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise UsageError(
            f"{file}: the gate file cannot be read ({error.strerror})", hint="set SIRENA_GATE to a readable file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: not a TOML file: {error}", hint="start from a copy of the shipped gate") from error
    if document.get("schema") != SCHEMA:
        raise UsageError(f'{file}: key schema: expected "{SCHEMA}"', hint="start from a copy of the shipped gate")
    unknown = sorted(set(document) - {"schema", "criterion"})
    if unknown:
        raise UsageError(f"{file}: unknown key {unknown[0]}", hint="criteria stand under [[criterion]]")
    entries = document.get("criterion")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError(f"{file}: no [[criterion]] in it", hint="a gate without criteria would let everything pass")
    rules = tuple(_rule(file, number, entry) for number, entry in enumerate(entries, start=1))
    for stage in (GateStage.STAGING, GateStage.PRODUCTION):
        for labels in LearntSource:
            if not any(stage in rule.stages and labels in rule.labels for rule in rules):
                raise UsageError(
                    f"{file}: no criterion for stage {stage.value} and labels {labels.value}",
                    hint="a gate without criteria would let everything pass",
                )
    return Gate(rules, str(file), hashlib.sha256(content).hexdigest())


def _rule(file: Path, number: int, entry: dict[str, Any]) -> GateRule:
    name = entry.get("name")
    place = f"{file}: [[criterion]] {number}"
    if not isinstance(name, str) or name not in CRITERIA:
        raise UsageError(f"{place}: key name: no such criterion", hint=f"known are {', '.join(CRITERIA)}")
    place += f" ({name})"
    kind = CRITERIA[name]
    parameters = {key: value for key, value in entry.items() if key not in ("name", "stages", "labels")}
    parameter_fields = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]  # all of them are dataclasses
    for key, value in parameters.items():
        if key not in parameter_fields:
            raise UsageError(
                f"{place}: unknown key {key}", hint=f"known are name, stages, labels, {', '.join(parameter_fields)}"
            )
        if not _fits(value, parameter_fields[key].type):
            raise UsageError(f"{place}: key {key}: wrong type {type(value).__name__}")
    if not str(parameters.get("reason", "")).strip():
        raise UsageError(f"{place}: key reason: missing", hint="say why the criterion is demanded")
    try:
        criterion = kind(**parameters)
    except (TypeError, ValueError) as error:
        keys = ", ".join(key for key in parameter_fields if key != "reason") or "reason"
        raise UsageError(f"{place}: keys {keys}: {_plain(error)}") from error
    return GateRule(
        criterion, _choices(place, entry, "stages", GateStage), _choices(place, entry, "labels", LearntSource)
    )


def _choices(place: str, entry: dict[str, Any], key: str, kind: type[_Choice]) -> frozenset[_Choice]:
    """Return a list of stages or label sources; all of them if the key is absent."""
    given_names = entry.get(key)
    if given_names is None:
        return frozenset(kind)
    names = [member.value for member in kind]
    if not isinstance(given_names, list) or not given_names or any(value not in names for value in given_names):
        raise UsageError(f"{place}: key {key}: not a list of known names", hint=f"known are {', '.join(names)}")
    return frozenset(kind(value) for value in given_names)


def _fits(value: Any, annotation: Any) -> bool:
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    if isinstance(value, bool):
        return bool in kinds
    return isinstance(value, kinds) or (float in kinds and isinstance(value, int))


def _plain(error: Exception) -> str:
    text = str(error)
    return "a required parameter is missing" if "missing" in text and isinstance(error, TypeError) else text
