"""Passwords hashed in no time: what a hash costs is argon2's own business, and one test holds it to its price."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from sirena.access import passwords


@pytest.fixture(scope="session")
def dear_hasher() -> PasswordHasher:
    """The hasher of the product."""
    return _PRODUCTS


@pytest.fixture(scope="package", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hash with argon2id's smallest memory, once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        passwords._dummy.cache_clear()
        yield
    passwords._dummy.cache_clear()


_PRODUCTS = passwords._HASHER
