"""A server that is looked at, and the notebook of whoever looks."""

from collections.abc import Iterator

import pytest

from sirena.server.checks.finding import Notebook
from sirena.settings.catalogue import Settings
from tests.production_machine import private_home, production_settings


@pytest.fixture
def settings() -> Iterator[Settings]:
    """A server before its first start; pytest's own folders have paths too long for a socket."""
    with private_home() as folder:
        yield production_settings(folder / "home")


@pytest.fixture
def notebook() -> Notebook:
    """An empty one."""
    return Notebook()
