"""A server that is looked at, and the report of its checks."""

from collections.abc import Iterator

import pytest

from sirena.server.checks.finding import CheckReport
from sirena.settings.catalogue import Settings
from tests.production_machine import private_home, production_settings


@pytest.fixture
def settings() -> Iterator[Settings]:
    """A server before its first start; pytest's own folders have paths too long for a socket."""
    with private_home() as folder:
        yield production_settings(folder / "home")


@pytest.fixture
def check_report() -> CheckReport:
    """An empty one."""
    return CheckReport()
