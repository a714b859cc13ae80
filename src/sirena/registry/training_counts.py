"""Counts of results held when a panel's models were trained, read from their training reports."""

import json
from collections.abc import Collection
from typing import Any, Final

from sirena.panel.compiled import Panel
from sirena.registry.connection import Registry, speaks_to_mlflow
from sirena.registry.versions import REPORT, find_version, read_file
from sirena.stewardship.drift_populations import TrainingCounts

_TESTED: Final = "tested"


@speaks_to_mlflow
def training_counts(registry: Registry, panel: Panel, columns: Collection[str]) -> TrainingCounts:
    """Return the counts of results that were held when a panel's models were trained.

    Args:
        registry: registry of the versions.
        panel: the panel, whose provenance names model and version of each column.
        columns: model columns to read; those that no model answers are left out.

    Raises:
        UsageError: a version no longer exists.
        IntegrityError: a report was changed after logging.
    """
    tests: dict[str, Any] = {}
    without_results: list[str] = []
    withheld_columns: list[str] = []
    for column in sorted({*columns} & {*panel.tables}):
        facts = panel.provenance[column]
        version = find_version(registry, f"{facts['model']}/{facts['version']}")
        report = json.loads(read_file(registry, version, REPORT)) if version.is_ours else {}
        if _TESTED not in report:
            withheld_columns.append(column)
        elif report[_TESTED]:
            tests[column] = report[_TESTED]
        else:
            without_results.append(column)
    return TrainingCounts(tests, tuple(without_results), tuple(withheld_columns))
