"""The runs and logged models that registered versions come from, so that writing to them can be refused."""

import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sirena.registry.connection import Registry, speaks_to_mlflow
from sirena.registry.mlflow_quietly import mlflow
from sirena.registry.versions import ModelVersion, all_pages

_SECONDS: Final = 2.0
"""Seconds for which the last reading of the registry is used."""
_PAGE: Final = 1000
_IDENTIFIER: Final = re.compile(r"(?<![0-9a-z-])(?:m-)?[0-9a-f]{32}(?![0-9a-z])")


@dataclass
class RegisteredArtifacts:
    """Ids of runs and logged models that registered versions come from, cached for seconds; see `forget`."""

    registry: Registry
    _identifiers: frozenset[str] = frozenset()
    _until: float = 0.0
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def hold(self, identifiers: Iterable[str]) -> bool:
        """Tell whether a registered version comes from one of these runs or logged models."""
        wanted_ids = frozenset(identifiers)
        with self._one_at_a_time:
            if time.monotonic() >= self._until:
                start = time.monotonic()
                self._identifiers = identifiers_of_versions(self.registry)
                self._until = start + _SECONDS
            return bool(wanted_ids & self._identifiers)

    def forget(self) -> None:
        """Empty the cache, so that the next call reads the registry again."""
        with self._one_at_a_time:
            self._until = 0.0


@speaks_to_mlflow
def identifiers_of_versions(registry: Registry) -> frozenset[str]:
    """Return the ids of every run and logged model that a registered version comes from."""
    rows = all_pages(lambda token: registry.models.search_model_versions("", max_results=_PAGE, page_token=token))
    return frozenset[str]().union(*map(_identifiers, rows))


@speaks_to_mlflow
def experiment_holds_registered(registry: Registry, experiment: str) -> bool:
    """Tell whether a registered version comes from a run of an experiment, deleted runs included."""
    identifiers = identifiers_of_versions(registry)
    token = None
    while identifiers:
        page = registry.client.search_runs(
            [experiment], run_view_type=mlflow.entities.ViewType.ALL, max_results=_PAGE, page_token=token
        )
        if any(run.info.run_id in identifiers for run in page):
            return True
        token = page.token
        if not token:
            break
    return False


@speaks_to_mlflow
def identifiers_of(registry: Registry, version: ModelVersion) -> frozenset[str]:
    """Return the ids of the run and the logged model that a version comes from."""
    return frozenset(_identifiers(registry.models.get_model_version(version.name, str(version.version))))


def _identifiers(version: Any) -> set[str]:
    identifiers = {str(version.run_id or ""), str(getattr(version, "model_id", "") or "")} - {""}
    return identifiers | set(_IDENTIFIER.findall(str(version.source)))
