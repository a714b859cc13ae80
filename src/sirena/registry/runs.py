"""MLflow runs: one parent run per training, one child run per model, with few requests."""

import math
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from mlflow.entities import Metric, Param

from sirena import __version__
from sirena.registry.connection import Registry, is_unreachable, speaks_to_mlflow

_METRICS_PER_CALL: Final = 900  # MLflow takes 1000 entities in one log-batch
_PARAMS_PER_CALL: Final = 90  # of which 100 parameters
_LONGEST_PARAM: Final = 5000  # of MLflow's 6000 characters
_CURVE_POINTS: Final = 200
_DEPTH: Final = 2


@speaks_to_mlflow
def start_parent_run(registry: Registry, name: str, *, author: str, tags: Mapping[str, str] | None = None) -> str:
    """Start the parent run of one training, and return its id."""
    return _create(registry, name, {"mlflow.user": author, "sirena.code_version": code_version(), **(tags or {})})


@speaks_to_mlflow
def finish_run(registry: Registry, run_id: str, *, failed: bool = False) -> None:
    """End an MLflow run."""
    registry.client.set_terminated(run_id, "FAILED" if failed else "FINISHED")


@contextmanager
def child_run(registry: Registry, name: str, parent_run_id: str | None, tags: Mapping[str, str]) -> Iterator[str]:
    """Start a run for a ``with`` block; its status becomes FINISHED, or FAILED if the block raises an error."""
    parent = {"mlflow.parentRunId": parent_run_id} if parent_run_id else {}
    run_id = _create(registry, name, {**tags, **parent})
    try:
        yield run_id
    except BaseException as error:
        if not is_unreachable(error):
            _mark_failed(registry, run_id)
        raise
    registry.client.set_terminated(run_id, "FINISHED")


def log_report(
    registry: Registry, run_id: str, report: Mapping[str, Any], further: Mapping[str, float] | None = None
) -> None:
    """Log a training report: parameters, metrics, counts and curves, with as few requests as MLflow allows.

    Numbers nested deeper than two levels (per organism) stay in ``report.json``.

    Args:
        registry: registry of the run.
        run_id: the run.
        report: report of the training.
        further: metrics in addition to those of the report.
    """
    parameters = {
        **_flatten(report.get("settings") or {}),
        **{key: report[key] for key in ("seed", "steps", "label_source", "data_sha256") if key in report},
    }
    params = [Param(_key(name), str(value)[:_LONGEST_PARAM]) for name, value in parameters.items()]
    now = int(time.time() * 1000)
    numbers = {**_flatten(report.get("evidence") or {}), **_flatten(report.get("metrics") or {}), **(further or {})}
    metrics = [Metric(_key(name), float(value), now, 0) for name, value in numbers.items() if _is_finite_number(value)]
    metrics += [
        Metric(_key(f"curve/{name}"), float(value), now, step)
        for name, step, value in _curves(report.get("history") or ())
        if _is_finite_number(value)
    ]
    while params or metrics:
        registry.client.log_batch(run_id, metrics=metrics[:_METRICS_PER_CALL], params=params[:_PARAMS_PER_CALL])
        metrics, params = metrics[_METRICS_PER_CALL:], params[_PARAMS_PER_CALL:]


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return the package's version and, in a checkout, the git commit (with ``+changed`` if files differ from it)."""
    folder = Path(__file__).resolve().parent
    try:
        description = subprocess.run(
            ["git", "describe", "--always", "--dirty=+changed", "--abbrev=12", "--exclude=*"],  # noqa: S607 - the user's own git
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return __version__
    return f"{__version__}+{description}" if description else __version__


def _create(registry: Registry, name: str, tags: Mapping[str, str]) -> str:
    run = registry.client.create_run(registry.experiment_id, tags=dict(tags), run_name=name)
    return str(run.info.run_id)


def _mark_failed(registry: Registry, run_id: str) -> None:
    try:
        registry.client.set_terminated(run_id, "FAILED")
    except Exception:  # noqa: BLE001 - the error that brought us here is the one to report
        return


def _flatten(document: Mapping[str, Any], prefix: str = "", depth: int = _DEPTH) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in document.items():
        if not isinstance(value, Mapping):
            flat[f"{prefix}{key}"] = value
        elif depth > 1:
            flat |= _flatten(value, f"{prefix}{key}/", depth - 1)
    return flat


def _curves(history: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, int, Any]]:
    """Yield (name, step, value) for the epochs' records, thinned evenly."""
    stride = max(1, math.ceil(len(history) / _CURVE_POINTS))
    for step, epoch in enumerate(history):
        if step % stride == 0 or step == len(history) - 1:
            for name, value in epoch.items():
                yield name, step, value


def _key(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z_\-./ ]", "_", name)


def _is_finite_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
