"""A stack of NGINX, the access service and PostgreSQL as `sirena up` makes them, and a real OpenID provider."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine

from sirena.access.routes import body_route_locations
from sirena.access.store import open_store
from sirena.acts.tables import make_or_require
from sirena.ledger.store import open_ledger
from sirena.server.production_stack import ProductionStack
from sirena.server.python_parts import PythonParts
from sirena.server.tls.certificates import authority_file
from sirena.settings.catalogue import Settings
from tests.openid_provider import SECRET, Browser, OpenIdProvider
from tests.production_machine import end_at_once, private_home, production_settings, require_programs

ROLES = (
    "Readers=viewer; PROA=clinician; CN=Microbiology,OU=Groups=scientist; Heads=approver; "
    "IT=operator; IT-Admins=admin,operator"
)


@dataclass
class House:
    """What runs."""

    values: dict[str, Any]
    provider: OpenIdProvider

    @property
    def settings(self) -> Settings:
        """Settings of the stack as they are now."""
        return Settings(**self.values)

    @property
    def stack(self) -> ProductionStack:
        """The stack that these settings mean."""
        return ProductionStack(self.settings, tuple(body_route_locations()))

    def take_up(self, **changes: Any) -> None:
        """Start with other settings, or make what runs take them up, as `sirena up` does."""
        self.values |= changes
        stack = self.stack
        database = stack.database()
        PythonParts(self.settings, stack.accounts().made(self.settings)).prepare()
        database = stack.database()
        database.prepare(partial(make_or_require, self.settings))
        stack.entry().write()
        parts = [part for part in stack.parts() if part.name in ("postgresql", "access", "entry")]
        stack.supervisor.write(parts)
        stack.supervisor.start()
        stack.wait(parts, lambda _: None)

    def browser(self) -> Browser:
        """Open a new browser."""
        return Browser(self.settings.entry_url, authority_file(self.settings))

    @contextmanager
    def store(self) -> Iterator[Engine]:
        """Open the database of accounts."""
        engine = open_store(self.settings.effective_database_url)
        try:
            yield engine
        finally:
            engine.dispose()

    def entries(self, event: str) -> list[dict[str, Any]]:
        """Return what the ledger holds of an event, oldest first, as one mapping each."""
        with closing(open_ledger(self.settings)) as ledger:
            return [
                {"who": entry.who, "outcome": entry.outcome, **entry.facts()} for entry in ledger.read(events=[event])
            ]

    def causes(self) -> set[str]:
        """Return why sign-ins ended outside so far."""
        return {entry["cause"] for entry in self.entries("login_failed")}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Start the three parts and the provider, with the client secret in a file."""
    require_programs("nginx")
    with private_home() as home:
        plain = production_settings(home)
        secret = tmp_path_factory.mktemp("operator") / "openid_secret"
        secret.write_text(SECRET + "\n")
        secret.chmod(0o600)
        provider = OpenIdProvider(tmp_path_factory.mktemp("provider"), plain.entry_url)
        values = {name: getattr(plain, name) for name in plain.model_fields_set - {"database_url"}}
        house = House(values, provider)
        provider.begin()
        try:
            house.take_up(
                oidc_issuer=provider.issuer,
                oidc_client_id="sirena",
                oidc_client_secret_file=secret,
                oidc_scopes="openid profile email groups",
                oidc_roles=ROLES,
                oidc_label="Hospital <Norte>",
            )
            yield house
        finally:
            end_at_once(house.stack)
            provider.end()


@pytest.fixture
def browser(house: House) -> Iterator[Browser]:
    """A browser that has signed in nowhere."""
    with house.browser() as browser:
        yield browser


@pytest.fixture
def mischief(house: House) -> Iterator[Callable[[str], None]]:
    """Make the provider do wrong for the length of a test."""
    yield house.provider.do_wrong
    house.provider.do_wrong("")
