"""What the trainings of a panel's models kept of the results they were made beside, from their reports."""

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
    """Read the counts of a panel's models.

    Args:
        registry: where the versions are.
        panel: its provenance names model and version of each column.
        columns: model columns to read for; those no model answers are left out.

    Raises:
        UsageError: a version is gone.
        IntegrityError: a report is not the one that was logged.
    """
    tested: dict[str, Any] = {}
    without_results: list[str] = []
    not_kept: list[str] = []
    for column in sorted({*columns} & {*panel.tables}):
        facts = panel.provenance[column]
        version = find_version(registry, f"{facts['model']}/{facts['version']}")
        report = json.loads(read_file(registry, version, REPORT)) if version.is_ours else {}
        if _TESTED not in report:
            not_kept.append(column)
        elif report[_TESTED]:
            tested[column] = report[_TESTED]
        else:
            without_results.append(column)
    return TrainingCounts(tested, tuple(without_results), tuple(not_kept))
