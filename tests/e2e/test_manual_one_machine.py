"""The manual followed step by step on one person's machine: every marked example, with real servers."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sirena.server.embedded_stack import EmbeddedStack
from sirena.server.parts.processes import free_port
from sirena.settings.catalogue import Settings
from tests.manual_examples import Reader
from tests.production_machine import end_at_once, private_home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Somebody with an empty folder and an empty home; the home's path is short, as a socket's must be."""
    with private_home() as home:
        yield from _reader(tmp_path, home)


def _reader(folder: Path, home: Path) -> Iterator[Reader]:
    ports = {
        name: str(free_port())
        for name in ("SIRENA_PORT", "SIRENA_MLFLOW_PORT", "SIRENA_PAGES_PORT", "other", "another")
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AWS_"))}
    environment |= {name: value for name, value in ports.items() if name.startswith("SIRENA_")}
    yield Reader(
        folder,
        {**environment, "SIRENA_HOME": str(home), "SIRENA_USER": "ana"},
        {
            "127.0.0.1:5000": f"127.0.0.1:{ports['SIRENA_PORT']}",
            "127.0.0.1:15500": f"127.0.0.1:{ports['SIRENA_MLFLOW_PORT']}",
            "127.0.0.1:15530": f"127.0.0.1:{ports['SIRENA_PAGES_PORT']}",
            "5001": ports["other"],
            "8080": ports["another"],
        },
    )
    end_at_once(EmbeddedStack(Settings(home=home)))


def test_every_example_of_one_machine_does_what_the_manual_shows(reader: Reader) -> None:
    """From the first start to a model of one's own: the shown output is the printed one."""
    done = reader.follow_all("run")
    assert len(done) > 20
