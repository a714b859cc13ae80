"""The type of functions that show a person the current step."""

from collections.abc import Callable

Tell = Callable[[str], None]
"""Function called with the name of each step, in a few words; `cli.progress.step_reporter` shows it."""
