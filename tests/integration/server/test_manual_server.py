"""The manual followed step by step on a server: PostgreSQL, S3, MLflow, access and NGINX, people and tokens."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sirena.server.production_stack import ProductionStack
from sirena.settings.catalogue import CertificateSource, Settings, variable_of
from tests.manual_examples import MANUAL, Reader
from tests.production_machine import end_at_once, private_home, production_settings, require_programs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[tuple[Reader, ProductionStack]]:
    """An empty server, and somebody who begins with chapter 2."""
    require_programs("nginx", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph")
    with private_home() as home:
        settings = production_settings(home)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AWS_"))}
        for name in Settings.model_fields:
            value = getattr(settings, name)
            if name in settings.model_fields_set and value not in (None, ""):
                environment[variable_of(name)] = str(value)
        stack = ProductionStack(settings)
        replaced = {
            "/var/lib/sirena": str(home),
            "sirena.hospital.example:5000": f"localhost:{settings.port}",
            "sirena.hospital.example": "localhost",
        }
        try:
            yield Reader(tmp_path, environment, replaced), stack
        finally:
            end_at_once(stack)


def test_every_example_of_a_server_does_what_the_manual_shows(machine: tuple[Reader, ProductionStack]) -> None:
    """From the first start to the audit ledger, through TLS with tokens; and the figure shows the parts that run."""
    reader, stack = machine
    done = reader.follow_all("run=entry")
    assert len(done) > 12
    with_watch = ProductionStack(stack.settings.model_copy(update={"tls": CertificateSource.LETS_ENCRYPT}))
    graph = (MANUAL / "architecture.dot").read_text(encoding="utf-8")
    drawn = set(re.findall(r'^ +"?([\w-]+)"? +\[fillcolor=', graph, re.MULTILINE))
    assert {part.name for part in with_watch.parts()} <= drawn
