"""One working machine with an active release, and one backup of it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sirena.server.backup.answers import RecordedAnswers, ask_service
from sirena.server.backup.places import password_file
from sirena.server.backup.repository import Repository
from sirena.server.parts.connections import PartConnections
from tests.cheap_key import make_key_cheap
from tests.integration.backup.machines import Machine, machine
from tests.small_release import make_release


@pytest.fixture(scope="package")
def first() -> Iterator[Machine]:
    """A stack with two models in an active release, an account, and nothing but what answers it."""
    with machine(user="eva") as found:
        found.up("mlflow", "service")
        make_release(found.prepared)
        assert found.sirena("user", "add", "marta", "--role", "scientist", "--no-password").returncode == 0
        answers(found)
        yield found


@pytest.fixture(scope="package")
def backed_up(first: Machine) -> Machine:
    """The machine, backed up once."""
    made = first.sirena("backup")
    assert made.returncode == 0, made.stderr
    assert "KEEP A COPY of" in made.stderr
    make_key_cheap(Path(Repository(first.settings).location), password_file(first.settings))
    return first


@pytest.fixture(autouse=True)
def as_its_operator(first: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give commands run inside the test process the settings of the machine."""
    for name, value in first.environment.items():
        if name.startswith(("SIRENA_", "MLFLOW_")):
            monkeypatch.setenv(name, value)


def answers(machine: Machine) -> RecordedAnswers:
    """Wait until a machine's service has taken up a release, and return what it answers."""
    deadline = time.monotonic() + 180
    while (found := ask_service(PartConnections(machine.settings).of_part("service"))) is None:
        assert time.monotonic() < deadline
        time.sleep(0.3)
    return found
