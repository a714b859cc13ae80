"""The laboratory's own number of each specimen: how somebody goes back to the isolate.

It identifies a patient, so it goes only where the laboratory asked for it: into a file of its own.
"""

import polars as pl

from sirena.whonet.file import WhonetFile


def specimen_numbers(file: WhonetFile) -> pl.Series:
    """Return the specimen number of each row, as found; empty texts in a file without them.

    Args:
        file: as read, its columns of patients still there.
    """
    header = file.header_of("SPEC_NUM")
    if header is not None:
        return file.frame[header].cast(pl.String).fill_null("").alias("specimen_number")
    return pl.repeat("", file.frame.height, dtype=pl.String, eager=True).alias("specimen_number")
