"""Drawing charts: Vega-Lite becomes SVG, PNG or PDF in this process, without browser, script or network."""

from pathlib import Path
from typing import Final

import vl_convert

from sirena.stewardship.chart import Chart, Specification
from sirena.whonet.writing import replacing

FORMATS: Final = ("svg", "png", "pdf")
_SCALE: Final = 2
"""Pixels of a PNG for each unit of the chart."""


def draw(specification: Specification, form: str) -> bytes:
    """Return a chart as the bytes of a file.

    Args:
        specification: specification that contains its data, from `sirena.stewardship.chart`.
        form: one of `FORMATS`.
    """
    if form == "svg":
        return str(vl_convert.vegalite_to_svg(specification, allowed_base_urls=[])).encode()
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(specification, scale=_SCALE, allowed_base_urls=[]))
    return bytes(vl_convert.vegalite_to_pdf(specification, allowed_base_urls=[]))


def write_chart(chart: Chart, folder: Path) -> list[Path]:
    """Write a chart in every format, and return the files.

    Raises:
        UnavailableFileError: the files cannot be written in the folder.
    """
    paths = [folder / f"{chart.name}.{form}" for form in FORMATS]
    for path, form in zip(paths, FORMATS, strict=True):
        with replacing(path) as temporary:
            temporary.write_bytes(draw(chart.specification, form))
    return paths
