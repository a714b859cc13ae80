"""Telling a person the step under way."""

from collections.abc import Callable

Tell = Callable[[str], None]
"""Is told each step in a few words; `cli.progress.told` shows them."""
