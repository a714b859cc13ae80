"""The tables beside these modules, read from a folder or from the zip file that travels inside a logged model."""

import pkgutil
from io import StringIO
from typing import TextIO


def open_table(name: str) -> TextIO:
    """Return a table's text; call it on import only.

    A served model lies in a temporary folder, which may be deleted before the model is asked.

    Args:
        name: name of the CSV file, ``organisms.csv``.
    """
    content = pkgutil.get_data(__name__, name)
    assert content is not None  # the loaders of folders and zip files both give data
    return StringIO(content.decode(), newline="")
