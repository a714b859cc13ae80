"""The tables that lie beside these modules, in a folder or in the zip file that travels inside a logged model."""

import pkgutil
from io import StringIO
from typing import TextIO


def open_table(name: str) -> TextIO:
    """Return a table's text, to be read once, on import.

    A model that is served lies in a temporary folder, which may be gone when it is asked.

    Args:
        name: of the CSV file, ``organisms.csv``.
    """
    content = pkgutil.get_data(__name__, name)
    assert content is not None  # the loaders of folders and zip files both give data
    return StringIO(content.decode(), newline="")
