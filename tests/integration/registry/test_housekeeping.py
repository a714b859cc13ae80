"""`sirena gc` on a real MLflow server with more than a thousand versions and files."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from sirena.ledger.store import open_ledger
from sirena.ledger.verification import verify
from sirena.registry.connection import Registry, connect
from sirena.registry.history import RecordedDecision, now, record
from sirena.registry.housekeeping import Collection
from sirena.registry.mlflow_quietly import undisturbed
from sirena.registry.models import DIGEST_TAG
from sirena.registry.releases import MEMBERS_TAG, RELEASE_FILE, RELEASE_MODEL
from sirena.registry.retention import Retention
from sirena.registry.versions import list_versions
from sirena.server.parts.processes import free_port
from sirena.settings.catalogue import Settings
from tests.prepared_interpreter import PreparedPopen, run_prepared
from tests.prepared_servers import mlflow_server

NAME = "modelo_AMK_NM"
VERSIONS, OLD, STORED = 1050, 100, 60
"""The first versions are old and were made from stored models in turn; all others are young, and of one model more."""
CERTIFICATES = ("artifacts/certificate.json", "artifacts/certificate.html", "certificates/late.json")
CODE = tuple(f"code/{number}.py" for number in range(11))
STORED_FILES = ("MLmodel", *CODE, "artifacts/truth_table.json", "artifacts/report.json", *CERTIFICATES)
FILES = len(STORED_FILES)
OURS = {"sirena.sha256.truth_table.json": "0" * 64}
NEEDED = {10: "alias", 20: "stage", 30: "history", 40: "release", 50: "copy"}
YOUNG = set(range(OLD + 1, VERSIONS + 1))

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Bench:
    """A server with many old versions."""

    home: Path
    registry: Registry
    folders: list[Path]
    """Of the stored models; an old version n was made from the n-th, over and over, a young one from the last."""

    def gc(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the command."""
        return run_prepared(self.command(*arguments), env=self.environment, timeout=300)

    @staticmethod
    def command(*arguments: str) -> list[str]:
        """Return its command line."""
        return [sys.executable, "-m", "sirena.cli", "gc", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """Return its environment."""
        uri = self.registry.settings.tracking_uri
        home = str(self.home / "operator")
        experiment = self.registry.settings.experiment_name
        return {**os.environ, "SIRENA_HOME": home, "MLFLOW_TRACKING_URI": uri, "MLFLOW_EXPERIMENT_NAME": experiment}

    def count(self) -> int:
        """Return how many versions there are, in a millisecond: the server takes seconds."""
        with closing(sqlite3.connect(f"file:{self.home / 'mlflow.db'}?mode=ro", uri=True)) as connection:
            there = f"name = '{NAME}' AND current_stage != 'Deleted_Internal'"
            (number,) = connection.execute(f"SELECT count(*) FROM model_versions WHERE {there}").fetchone()
        return int(number)

    def numbers(self) -> set[int]:
        """Return the versions that are there."""
        return {version.version for version in list_versions(self.registry, NAME)}


@pytest.fixture(scope="module")
def bench(blank: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Fill a server: versions through MLflow's API, files through its folder."""
    home = shutil.copytree(blank, tmp_path_factory.mktemp("collected") / "home")
    # named, because MLflow puts the URI of whoever connected before into the environment
    opened = connect(Settings(home=home, tracking_uri=f"sqlite:///{home}/mlflow.db"))
    client, folders, models = opened.client, [], []
    # as the server makes it; the database is opened directly because that is faster
    experiment = client.create_experiment("resistencia", artifact_location="mlflow-artifacts:/resistencia")
    run = client.create_run(experiment, tags={DIGEST_TAG: "d"}).info.run_id
    for _ in range(STORED + 1):
        stored = client.create_logged_model(experiment, name=NAME, source_run_id=run)
        folder = home / "artifacts" / stored.artifact_location.removeprefix("mlflow-artifacts:/")
        for path in STORED_FILES:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text("x")
        folders.append(folder)
        models.append(stored.model_id)
    client.create_registered_model(NAME)
    for number in range(OLD + 1):
        one = models[number % STORED if number < OLD else STORED]
        client.create_model_version(NAME, f"models:/{one}", run_id=run, tags=OURS, model_id=one, await_creation_for=0)
    make_more_young(home / "mlflow.db")
    refer(opened, models[39])
    age(home / "mlflow.db")
    port = free_port()
    with mlflow_server(Settings(home=home), port):
        uri = f"http://127.0.0.1:{port}"
        settings = Settings(home=home / "operator", tracking_uri=uri, experiment_name="resistencia")
        yield Bench(home, connect(settings), folders)


def make_more_young(database: Path) -> None:
    """Copy the one young version: MLflow takes a minute to make as many."""
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        for table in ("model_versions", "model_version_tags"):
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            values = ", ".join("?" if column == "version" else column for column in columns)
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} "
                "WHERE name = ? AND version = ?",
                [(number, NAME, OLD + 1) for number in range(OLD + 2, VERSIONS + 1)],
            )


def refer(registry: Registry, model_id: str) -> None:
    """Let something need the versions of `NEEDED`, each for another reason."""
    client = registry.client
    client.set_registered_model_alias(NAME, "candidata", "10")
    with undisturbed():
        client.transition_model_version_stage(NAME, "20", "Staging")
        client.copy_model_version(f"models:/{NAME}/50", "copia")
    record(registry, NAME, RecordedDecision("promote", f"{NAME}/30", "Production", "eva", now()), version=30)
    client.create_registered_model(RELEASE_MODEL)
    release(registry, model_id, 40)


def release(registry: Registry, model_id: str, number: int) -> None:
    """Make a release of one version."""
    members = json.dumps({"AMK_NM": f"{NAME}/{number}"})
    tags = {MEMBERS_TAG: members, DIGEST_TAG: f"{number:064x}", f"sirena.sha256.{RELEASE_FILE}": "0" * 64}
    registry.client.create_model_version(
        RELEASE_MODEL, f"models:/{model_id}", tags=tags, model_id=model_id, await_creation_for=0
    )


def age(database: Path) -> None:
    """Let the stored models and the old versions be a hundred days old."""
    ago = 100 * 86_400_000
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        of_old = f"name = '{NAME}' AND version <= {OLD}"
        connection.execute(f"UPDATE model_versions SET creation_time = creation_time - ? WHERE {of_old}", (ago,))
        connection.execute("UPDATE logged_models SET creation_timestamp_ms = creation_timestamp_ms - ?", (ago,))


def files(folders: list[Path]) -> int:
    """Count the files in folders."""
    return sum(path.is_file() for folder in folders for path in folder.rglob("*"))


def test_among_more_than_a_thousand_what_nothing_needs_is_collected(bench: Bench) -> None:
    """Shown, begun, killed, repeated: what is needed is whole, the rest is gone but for its certificates."""
    assert files(bench.folders) == (STORED + 1) * FILES > 1000
    shown = bench.gc()
    assert shown.returncode == 0, shown.stderr
    assert "nothing was removed" in shown.stdout
    assert f"{OLD - len(NEEDED):,}" in shown.stdout
    assert (len(bench.numbers()), files(bench.folders)) == (VERSIONS, (STORED + 1) * FILES)

    # what is referred to after stock was taken
    collection = Collection(bench.registry, Retention())
    versions = {version.number: version for version in collection.unneeded}
    bench.registry.client.set_registered_model_alias(NAME, "tarde", "60")
    assert not collection.remove(versions[60])
    release(bench.registry, bench.folders[60].parent.name, 61)
    assert not collection.remove(versions[61])
    with undisturbed():
        bench.registry.client.copy_model_version(f"models:/{NAME}/63", "copia")
    assert not collection.remove(versions[63])
    assert collection.remove(versions[62])
    assert not collection.remove(versions[62])
    needed = {*NEEDED, 60, 61, 63, *YOUNG}

    killed = PreparedPopen(bench.command("--yes"), env=bench.environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while bench.count() > VERSIONS - 40:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait(30)
    left = bench.numbers()
    assert needed < left

    done = bench.gc("--yes")
    assert done.returncode == 0, done.stderr
    assert bench.numbers() == needed
    kept = {(number % STORED or STORED) if number <= OLD else STORED + 1 for number in needed}
    whole = [folder for number, folder in enumerate(bench.folders, start=1) if number in kept]
    cleared = [folder for number, folder in enumerate(bench.folders, start=1) if number not in kept]
    assert files(whole) == len(whole) * FILES
    left_over = {path.relative_to(one).as_posix() for one in cleared for path in one.rglob("*.*")}
    assert left_over == set(CERTIFICATES)
    again = bench.gc("--yes")
    assert "nothing to collect" in again.stdout, again.stdout

    ledger = open_ledger(Settings(home=bench.home / "operator"))
    entries = list(ledger.read(events=("collected",)))
    told = {int(one) for entry in entries if entry.outcome == "done" for one in entry.facts().get("versions", ())}
    begun = {int(one) for entry in entries if entry.outcome == "intended" for one in entry.facts().get("versions", ())}
    assert told < begun == set(range(1, OLD + 1)) - needed - {62}
    assert verify(ledger).intact
    ledger.close()
