"""What a report shows in addition to the antibiogram: charts, alerts, data quality."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sirena.stewardship.quality import Quality


@dataclass(frozen=True, slots=True)
class DrawnChart:
    """A chart as a page shows it."""

    title: str
    """Content of the chart in words, also for people who cannot see it."""
    address: str
    """Address of the picture: a ``data:image/svg+xml;base64,…`` that contains it, or where a page finds it."""


@dataclass(frozen=True)
class ReportParts:
    """Everything that a report shows in addition to the antibiogram."""

    charts: Mapping[str, Sequence[DrawnChart]]
    """Charts by section: ``trends``, ``wards``, ``distributions``."""
    alerts: Sequence[Mapping[str, Any]]
    """Records from `alert_records`."""
    quality: Quality
    commonest: Sequence[tuple[str, int]]
    """Species and number of counted isolates, the commonest first."""
