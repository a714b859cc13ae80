"""The guarded house of the tests that attack it, and the stack that tests look at."""

from collections.abc import Iterator

import pytest

from tests.guarded_house import House, guarded_house
from tests.running_stack import Running, running_stack


@pytest.fixture(scope="package")
def house() -> Iterator[House]:
    """NGINX, access service, ledger and MLflow, once for all attacks."""
    with guarded_house() as running:
        yield running


@pytest.fixture(scope="package")
def running() -> Iterator[Running]:
    """A stack, once for `test_stack` and, after it, `test_foreign_access`."""
    with running_stack() as found:
        yield found
