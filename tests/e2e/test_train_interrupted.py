"""`sirena train` when things die: the server, the command itself, the person's patience; and two trainings at once."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sirena.registry.connection import Registry, connect
from sirena.registry.mlflow_quietly import mlflow, undisturbed
from sirena.registry.versions import list_models, list_versions, load_table
from sirena.server.parts.mlflow_server import embedded_mlflow_server
from sirena.server.parts.processes import ChildProcess, free_port
from sirena.settings.catalogue import Settings
from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.writing import write_file
from tests.prepared_interpreter import PreparedPopen
from tests.waiting import wait_until

DRUGS = ("AMK", "CIP", "CAZ", "FEP")
FURTHER = ("GEN", "TOB", "MEM", "IPM", "CRO", "CTX", "CXM", "AMP")
"""Antimicrobials of a training that is not over when it is interrupted."""
_PATIENCE = 300.0


class Hospital:
    """An MLflow server that can be killed and started again at its port, and a file to train from."""

    def __init__(self, home: Path) -> None:
        """Describe it; nothing runs yet."""
        self.settings = Settings(home=home, tracking_uri=f"http://127.0.0.1:{free_port()}")
        self.file = home / "isolates.csv"
        write_file(generate_hospital(300, 1), self.file)
        self.server = self._server()

    def _server(self) -> ChildProcess:
        return embedded_mlflow_server(self.settings, int(self.settings.tracking_uri.rpartition(":")[2]))

    def restart(self) -> None:
        """Start a server at the old place, as an operator would."""
        self.server.stop()
        self.server = self._server()
        self.server.start()

    def train(self, *drugs: str, seed: int = 0) -> subprocess.Popen[str]:
        """Begin a training from the reference."""
        return PreparedPopen(
            [
                sys.executable, "-m", "sirena.cli", "train", self.file,
                "--labels", "reference", "--drugs", ",".join(drugs), "--seed", str(seed),
            ],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={
                **os.environ,
                "SIRENA_HOME": str(self.settings.home),
                "MLFLOW_TRACKING_URI": self.settings.tracking_uri,
            },
        )  # fmt: skip

    @property
    def registry(self) -> Registry:
        """A connection."""
        return connect(self.settings)

    def registered(self) -> int:
        """Return how many versions there are."""
        return self._count("SELECT count(*) FROM model_versions")

    def runs(self) -> int:
        """Return how many runs there are."""
        return self._count("SELECT count(*) FROM runs")

    def _count(self, question: str) -> int:
        """Ask the database, in a millisecond: through a busy server the next would be there too."""
        with closing(sqlite3.connect(f"file:{self.settings.home / 'mlflow.db'}?mode=ro", uri=True)) as connection:
            (number,) = connection.execute(question).fetchone()
        return int(number)

    def versions(self) -> dict[str, list[int]]:
        """Return the registered versions by model."""
        registry = self.registry
        found = {name: [version.version for version in list_versions(registry, name)] for name in list_models(registry)}
        # a model is named a moment before its first version is there
        return {name: versions for name, versions in found.items() if versions}


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """One server for the tests of this module, which use different antimicrobials or seeds."""
    home = tmp_path_factory.mktemp("interrupted")
    with undisturbed():
        mlflow.MlflowClient(tracking_uri=f"sqlite:///{home}/mlflow.db").search_experiments()
    made = Hospital(home)
    made.server.start()
    yield made
    made.server.stop()


def ended(training: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for a training and return exit code, output and messages."""
    output, errors = training.communicate(timeout=_PATIENCE)
    return training.returncode, output, errors


def test_a_training_killed_midway_completes_when_repeated_even_by_two_at_once(hospital: Hospital) -> None:
    """SIGKILL after the first version; two repetitions at once find it and add the others, none twice."""
    first = hospital.train(*DRUGS)
    wait_until(lambda: hospital.registered() > 0, seconds=_PATIENCE)
    first.kill()
    first.communicate()
    assert len(hospital.versions()) < len(DRUGS), "it was killed too late to tell anything"
    both = [hospital.train(*DRUGS) for _ in range(2)]
    for code, output, errors in map(ended, both):
        assert code == 0, errors
        assert "unchanged" in output
        assert not re.search(r"warning|traceback|error", errors, re.IGNORECASE)
    registry = hospital.registry
    for drug in DRUGS:
        [version] = list_versions(registry, f"modelo_{drug}_NM")
        assert load_table(registry, version).column == version.column == f"{drug}_NM"


def test_ctrl_c_leaves_at_once_without_a_trace(hospital: Hospital) -> None:
    """Exit code 130 and a word, in the midst of training and registering: what was left to do is not done."""
    before, registered = hospital.runs(), hospital.registered()
    training = hospital.train(*DRUGS, *FURTHER, seed=1)
    wait_until(lambda: hospital.runs() > before, seconds=_PATIENCE)
    training.send_signal(signal.SIGINT)
    code, _, errors = ended(training)
    assert hospital.registered() < registered + len((*DRUGS, *FURTHER)), "it went on to the end"
    assert (code, "Traceback" in errors, "sirena: interrupted" in errors) == (130, False, True), errors


def test_a_server_killed_midway_is_told_and_repeating_completes(hospital: Hospital) -> None:
    """SIGKILL to the server and its workers: exit code 1, one message with a remedy; afterwards nothing is double."""
    expected = {f"modelo_{drug}_NM" for drug in DRUGS}
    before = hospital.registered()
    training = hospital.train(*DRUGS, seed=2)
    wait_until(lambda: hospital.registered() > before, seconds=_PATIENCE)
    process = hospital.server._process
    assert process is not None
    os.killpg(process.pid, signal.SIGKILL)
    code, _, errors = ended(training)
    assert (code, "does not answer" in errors, "remedy:" in errors, "Traceback" in errors) == (1, True, True, False)
    hospital.restart()
    made = hospital.versions()
    code, output, errors = ended(hospital.train(*DRUGS, seed=2))
    assert code == 0, errors
    assert "unchanged" in output
    registry = hospital.registry
    for name in expected:
        versions = list_versions(registry, name)
        assert versions
        assert set(made.get(name, [])) <= {version.version for version in versions}
        digests = [version.tags["sirena.digest"] for version in versions]
        assert len(digests) == len(set(digests))
