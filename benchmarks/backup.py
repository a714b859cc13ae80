"""How long a backup, a drill and a restore take, with 41 models and with 1,000 versions.

    PYTHONPATH=src python benchmarks/backup.py [--versions 41,1000]

Real PostgreSQL, Ceph and MLflow below /var/tmp, on ports of their own. 41 models as in `reference_models` are logged
and registered as a training session does, their release is active, the service answers. Further versions are copies
of these with run, metrics, logged model, tags and files of their own, the files put into the bucket directly and each
made different, so that nothing is deduplicated; they only add to the number, and nobody loads them. The repository is a
folder
of the same disk. Each size is backed up twice, since a daily backup finds most data there already. The figures are
recorded after each size. No peer was measured.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mlflow.entities import LoggedModelStatus
from recording import record
from reference_models import REPORT, certify_and_log, reference_models
from tests.integration.backup.machines import Machine, machine
from tests.integration.registry.registry_models import passes

from sirena.acts.backing_up import drill_backup, make_backup
from sirena.guidelines.editions import load_edition
from sirena.registry.activation import activate
from sirena.registry.connection import Registry, connect
from sirena.registry.digests import sha256
from sirena.registry.model_place import take_place
from sirena.registry.models import DIGEST_TAG, ModelVersionRef
from sirena.registry.releases import create_release, members_at
from sirena.registry.runs import child_run, finish_run, log_report, start_parent_run
from sirena.server.backup.answers import ask_service
from sirena.server.backup.objects import Bucket
from sirena.server.object_store.s3 import s3_client
from sirena.server.parts.connections import PartConnections
from sirena.settings.catalogue import Settings

_MIB = 2**20
_THREADS = 4
_DIFFERENT_BYTES = 16


def main() -> None:
    """Run the benchmark and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", default="41,1000")
    sizes = [int(word) for word in str(parser.parse_args().versions).split(",")]
    os.environ["SIRENA_USER"] = "bench"
    edition = load_edition("CLSI 2025")
    models = reference_models(edition)
    figures: dict[str, dict[str, float]] = {}
    with machine(user="bench", s3_size_gb=20.0) as server:
        server.up("mlflow", "service")
        settings = server.prepared
        registry = connect(settings)
        begun = time.perf_counter()
        parent = start_parent_run(registry, "bench", author="bench")
        logged = certify_and_log(registry, models, edition, parent)
        finish_run(registry, parent)
        _activate(registry)
        _await_answers(server)
        copies = Copies(registry, Bucket(s3_client(settings, server.stack.s3_endpoint), settings.s3_bucket))
        there = len(logged)
        for size in sizes:
            copies.add([logged[number % len(logged)] for number in range(there, size)])
            there = max(there, size)
            print(f"{there} versions after {time.perf_counter() - begun:.0f} s", flush=True)
            figures[str(there)] = _measure(settings)
            _record(figures)


def _record(figures: dict[str, dict[str, float]]) -> None:
    told = "; ".join(
        f"{int(size):,} versions ({one['mib']:,.0f} MiB): backup {one['first_backup_seconds']:.0f} s, "
        f"the next {one['next_backup_seconds']:.0f} s, drill {one['drill_seconds']:.0f} s"
        for size, one in figures.items()
    )
    record("backup", {"by_versions": figures}, headline=told)


@dataclass(frozen=True)
class Copies:
    """Makes further versions from logged ones, without training, saving or certifying."""

    registry: Registry
    bucket: Bucket

    def add(self, originals: Sequence[ModelVersionRef]) -> None:
        """Make a copy of each version."""
        if not originals:
            return
        with ThreadPoolExecutor(_THREADS) as pool:
            kept = dict(zip(set(originals), pool.map(self._read, set(originals)), strict=True))
            for count, _ in enumerate(pool.map(lambda one: self._copy(one, *kept[one]), originals), 1):
                if count % 100 == 0:
                    print(f"{count} copies of {len(originals)}", flush=True)

    def _read(self, original: ModelVersionRef) -> tuple[dict[str, str], dict[str, bytes], dict[str, bytes]]:
        """Return a version's tags, the files of its model and those of its run."""
        client = self.registry.client
        version = client.get_model_version(original.name, str(original.version))
        model = client.get_logged_model(version.source.removeprefix("models:/"))
        run = client.get_run(original.run_id)
        return dict(version.tags), self._files(model.artifact_location), self._files(run.info.artifact_uri)

    def _copy(
        self, original: ModelVersionRef, tags: dict[str, str], model: dict[str, bytes], plots: dict[str, bytes]
    ) -> None:
        with child_run(self.registry, original.name, None, {"mlflow.user": "bench"}) as run_id:
            log_report(self.registry, run_id, REPORT)
            place = take_place(self.registry, run_id, original.name)
            self._put(self.registry.client.get_run(run_id).info.artifact_uri, plots)
            self._put(place.location, model)
            model_id = place.version_facts["model_id"]
            self.registry.client.finalize_logged_model(model_id, LoggedModelStatus.READY)
            self.registry.client.create_model_version(
                original.name,
                place.source,
                run_id=run_id,
                tags={**tags, DIGEST_TAG: sha256(model_id.encode())},
                await_creation_for=0,
                **place.version_facts,
            )

    def _files(self, location: str) -> dict[str, bytes]:
        client, prefix = self.bucket.client, f"{_key(location)}/"
        listed = client.list_objects_v2(Bucket=self.bucket.name, Prefix=prefix)["Contents"]
        return {
            item["Key"].removeprefix(prefix): client.get_object(Bucket=self.bucket.name, Key=item["Key"])["Body"].read()
            for item in listed
        }

    def _put(self, location: str, files: dict[str, bytes]) -> None:
        for path, content in files.items():
            own = content if path.endswith(".py") else content + os.urandom(_DIFFERENT_BYTES)
            self.bucket.client.put_object(Bucket=self.bucket.name, Key=f"{_key(location)}/{path}", Body=own)


def _key(location: str) -> str:
    """Return the bucket's key of an artifact location."""
    return "artifacts/" + location.partition(":")[2].lstrip("/")


def _activate(registry: Registry) -> None:
    release = create_release(registry, members_at(registry, "latest"), author="bench")
    activate(registry, release, approver="eva", judge=passes)


def _await_answers(server: Machine) -> None:
    while ask_service(PartConnections(server.settings).of_part("service")) is None:
        time.sleep(0.5)


def _measure(settings: Settings) -> dict[str, float]:
    first = make_backup(settings, print)
    following = make_backup(settings, print)
    drilled = drill_backup(settings, "", print)
    return {
        "objects": len(first.manifest.objects),
        "mib": round(first.manifest.size / _MIB, 1),
        "rows": sum(sum(tables.values()) for tables in first.manifest.tables.values()),
        "first_backup_seconds": round(first.seconds, 1),
        "next_backup_seconds": round(following.seconds, 1),
        "drill_seconds": round(drilled.seconds, 1),
    }


if __name__ == "__main__":
    main()
