"""The type of functions that show a person the step under way."""

from collections.abc import Callable

Tell = Callable[[str], None]
"""Function called with the name of each step, in a few words; `cli.progress.told` shows it."""
