"""A file on a Ray cluster of several machines: what is written is what one machine writes, whoever ends meanwhile."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sirena.engine import Engine, Part, Result
from sirena.engine.cluster import ClusterError, ray_engine
from sirena.engine.local import LOCAL
from sirena.whonet.synthetic import generate_hospital
from tests.unit.cli.test_long_files import Asked, outcome

ray = pytest.importorskip("ray")
MACHINES = 2
PART = 100_000
"""Bytes of a part, so that a short file has many."""
PATIENT = "PATIENT-OF-NOBODY"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Give a cluster of a machine that asks and others that work, each a raylet of its own."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        standing = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        for _ in range(MACHINES):
            standing.add_node(num_cpus=1)
        patch.setenv("RAY_ADDRESS", standing.address)
        yield standing
        standing.shutdown()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cluster") / "hospital.csv"
    generate_hospital(8_000, seed=5).write_csv(path)
    return path


def test_the_same(cluster: Any, source: Path) -> None:
    whole = outcome(source, Asked(), 0, PART)
    with ray_engine() as engine:
        assert outcome(source, Asked(), 0, PART, engine) == whole
