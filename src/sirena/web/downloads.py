"""Downloading an answered file in a format that the person chose; it is made in memory.

No cell is run as a formula: a workbook's cells are texts, and the CSV for Excel has formulas made texts.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Final

import polars as pl

from sirena.panel.placement import Existing
from sirena.stewardship.expert import place_reported
from sirena.web.expert_layer import ExpertLayer
from sirena.web.formulas import without_formulas
from sirena.web.opened_file import OpenedFile
from sirena.whonet.csv_style import EXCEL_ES, write_styled
from sirena.whonet.excel_writing import write_excel


def _csv(frame: pl.DataFrame) -> bytes:
    return frame.write_csv().encode()


def _excel_csv(frame: pl.DataFrame) -> bytes:
    stream = BytesIO()
    write_styled(without_formulas(frame), stream, EXCEL_ES)
    return stream.getvalue()


def _excel(frame: pl.DataFrame) -> bytes:
    stream = BytesIO()
    write_excel(frame, stream)
    return stream.getvalue()


def _parquet(frame: pl.DataFrame) -> bytes:
    stream = BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


FORMATS: Final[dict[str, Callable[[pl.DataFrame], bytes]]] = {
    "xlsx": _excel,
    "excel-es.csv": _excel_csv,
    "csv": _csv,
    "parquet": _parquet,
}
"""Formats that a browser may download, by the end of the file's name."""


def download(opened_file: OpenedFile, file_format: str, expert_layer: ExpertLayer) -> bytes:
    """Return an answered file as bytes, without the columns of patients.

    Args:
        opened_file: the file.
        file_format: a key of `FORMATS`.
        expert_layer: what expert rules report; it is written in columns after the categories of tests that rules
            report as R.

    Raises:
        KeyError: there is no such format.
        UsageError: the table does not fit the format.
    """
    placements = [placement for placement in opened_file.placements if placement.header in expert_layer.tests]
    table = place_reported(opened_file.answered_frame, placements, tuple(expert_layer.tests.values()), Existing.REPLACE)
    texts = table.with_columns(pl.col(pl.Enum).cast(pl.String))
    return FORMATS[file_format](texts)
