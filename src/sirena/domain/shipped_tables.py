"""Reading this package's own CSV tables, from its folder or from the zip file of code inside a logged model."""

import pkgutil
from io import StringIO
from typing import TextIO


def open_table(name: str) -> TextIO:
    """Open a CSV table as a stream of text. Call it only while a module is imported.

    The temporary folder of a served model may be deleted before the first request.

    Args:
        name: name of the CSV file, ``organisms.csv``.

    >>> open_table("organisms.csv").readline().split(",")[:2]
    ['code', 'name']
    """
    content = pkgutil.get_data(__name__, name)
    assert content is not None  # the loaders of folders and zip files both give data
    return StringIO(content.decode(), newline="")
