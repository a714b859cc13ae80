"""Makers of a model before its registration: the accounts behind its run, behind what it copies, and behind its files.

Without them, a person could have a colleague register a model and then approve it alone.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from mlflow.exceptions import MlflowException

from sirena.domain.errors import UsageError
from sirena.registry.connection import Registry, speaks_to_mlflow
from sirena.registry.versions import find_version

_COPY: Final = re.compile(r"models:/(?P<name>[^/@:]+)(?:/\d{1,9}|@[\w-]+)")
_LOGGED: Final = re.compile(r"m-[0-9a-f]{32}")
_RUN: Final = re.compile(r"(?<![0-9a-z-])[0-9a-f]{32}(?![0-9a-z])")
_RUN_TAGS: Final = ("mlflow.user", "sirena.author")
_PAGE: Final = 1000


@speaks_to_mlflow
def makers_of(
    registry: Registry, source: str, run: str, writers: Callable[[str], Iterable[str]] = lambda _: ()
) -> tuple[str, ...]:
    """Return the makers' names, each once.

    Args:
        registry: registry of the model.
        source: source of the new version's files, ``models:/m-…``, ``models:/modelo_AMK_NM/3``, ``runs:/…``.
        run: run named with the source; may be empty.
        writers: returns the accounts that wrote files of a run or logged model. Tags do not suffice: the trainer writes
            them, and MLflow's client puts the operating system's user there.
    """
    names: set[str] = set()
    runs = {run, *_RUN.findall(source)} - {""}
    if _COPY.fullmatch(source):
        try:
            copied_version = find_version(registry, source)
        except UsageError:
            return ()
        names |= {copied_version.author, *copied_version.makers}
        runs.add(copied_version.run_id)
    for model in _LOGGED.findall(source):
        names |= set(writers(model))
        logged_model = _or_none(registry.client.get_logged_model, model)
        if logged_model is not None:
            runs.add(str(logged_model.source_run_id or ""))
            names |= {str(logged_model.tags.get(tag, "")) for tag in _RUN_TAGS}
    for run_id in runs - {""}:
        names |= set(writers(run_id))
        mlflow_run = _or_none(registry.client.get_run, run_id)
        if mlflow_run is not None:
            names |= {str(mlflow_run.data.tags.get(tag, "")) for tag in _RUN_TAGS}
        for version in registry.models.search_model_versions(f"run_id = '{run_id}'", max_results=_PAGE):
            names |= {str(version.tags.get("sirena.author", ""))}
    return tuple(sorted(names - {""}))


def _or_none(get: Any, identifier: str) -> Any:
    try:
        return get(identifier)
    except MlflowException:
        return None
