"""The common form of all charts: a Vega-Lite specification that contains its data, with Sirena's fonts and colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

Specification = dict[str, Any]
"""One Vega-Lite specification."""
INK: Final = "#1c2733"
FILLS: Final = {"S": "#cfe9f5", "I": "#f4b942", "R": "#8f1034", "–": "#ffffff"}
"""Colours of the categories; they also differ in lightness (91, 79, 31), so that a grey printer shows it."""
_CONFIG: Final = {
    "font": "DejaVu Sans, Arial, sans-serif",
    "axis": {"labelColor": INK, "titleColor": INK, "gridColor": "#e3e8ec", "titleFontWeight": "normal"},
    "title": {"color": INK, "anchor": "start", "fontSize": 12, "fontWeight": "bold"},
    "view": {"stroke": None},
}


@dataclass(frozen=True)
class Chart:
    """One chart, with its name and title."""

    name: str
    """Name for files: ``trend-escherichia-coli-cip_nm``."""
    title: str
    """Content of the chart in words, also for people who cannot see it."""
    specification: Specification


def specification(title: str, parts: Specification, records: Sequence[dict[str, Any]]) -> Specification:
    """Return a specification that contains its data, with Sirena's fonts and colours.

    Args:
        title: title above the chart.
        parts: layers, sizes and encodings.
        records: the data.
    """
    return {"title": title, "data": {"values": list(records)}, "background": "white", "config": _CONFIG, **parts}
