"""What a report shows beside the antibiogram: charts, alerts, the quality of the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sirena.stewardship.quality import Quality


@dataclass(frozen=True, slots=True)
class DrawnChart:
    """A chart as a page shows it."""

    title: str
    """In words, for whoever does not see it."""
    address: str
    """``data:image/svg+xml;base64,…``, the picture itself, or where a page finds it."""


@dataclass(frozen=True)
class ReportParts:
    """Everything beside the antibiogram."""

    charts: Mapping[str, Sequence[DrawnChart]]
    """By section: ``trends``, ``wards``, ``distributions``."""
    alerts: Sequence[Mapping[str, Any]]
    """From `alert_records`."""
    quality: Quality
    commonest: Sequence[tuple[str, int]]
    """Species and isolates that count, the commonest first."""
