"""Specimen numbers: the laboratory's own number of each specimen, by which its staff find the isolate again.

A specimen number identifies a patient, so it is written only on request, into a separate file.
"""

import polars as pl

from sirena.whonet.file import WhonetFile


def specimen_numbers(file: WhonetFile) -> pl.Series:
    r"""Return the specimen number of each row; empty texts if the file has no such column.

    Args:
        file: the file as read, before patients' columns are dropped.

    >>> from io import BytesIO
    >>> from sirena.whonet.reading import read_stream
    >>> file = read_stream(BytesIO(b"Muestra;ORGANISM;AMK_NM\n5001;eco;4\n;kpn;8\n"), "2025.csv")
    >>> specimen_numbers(file).to_list()
    ['5001', '']
    """
    header = file.header_of("SPEC_NUM")
    if header is not None:
        return file.frame[header].cast(pl.String).fill_null("").alias("specimen_number")
    return pl.repeat("", file.frame.height, dtype=pl.String, eager=True).alias("specimen_number")
