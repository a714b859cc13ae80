"""The guarded house of the tests that attack it."""

from collections.abc import Iterator

import pytest

from tests.guarded_house import House, guarded_house


@pytest.fixture(scope="package")
def house() -> Iterator[House]:
    """NGINX, access service, ledger and MLflow, once for all attacks."""
    with guarded_house() as running:
        yield running
