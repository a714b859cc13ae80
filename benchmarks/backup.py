"""How long a backup, a drill and a restore take, with 41 models and with 1,000 versions.

    PYTHONPATH=src python benchmarks/backup.py [--versions 41,1000]

Real PostgreSQL, Ceph and MLflow below /var/tmp, on ports of their own; models as in `reference_models`, logged and
registered as a training session does, an active release, the service answering. The repository is a folder of the
same disk. Each size is backed up twice, since the daily backup finds most of it there already. No peer was measured.
"""

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from recording import record
from reference_models import Trained, certify_and_log, reference_models
from tests.integration.backup.machines import Machine, machine
from tests.integration.registry.registry_models import passes

from sirena.cli.backup_acts import drill_backup, make_backup
from sirena.guidelines.editions import Edition, load_edition
from sirena.operations.backup.answers import ask_service
from sirena.operations.settings import Settings
from sirena.registry.activation import activate
from sirena.registry.connection import Registry, connect
from sirena.registry.releases import create_release, members_at
from sirena.registry.runs import finish_run, start_parent_run

_MIB = 2**20


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", default="41,1000")
    sizes = [int(word) for word in str(parser.parse_args().versions).split(",")]
    os.environ["SIRENA_USER"] = "bench"
    edition = load_edition("CLSI 2025")
    models = reference_models(edition)
    figures = {}
    with machine(user="bench", s3_size_gb=20.0) as server:
        server.up("mlflow", "service")
        settings = server.prepared
        registry = connect(settings)
        there = 0
        for size in sizes:
            begun = time.perf_counter()
            _log(registry, models, edition, there, size)
            there = size
            _activate(registry)
            _await_answers(server)
            print(f"{size} versions after {time.perf_counter() - begun:.0f} s", flush=True)
            figures[str(size)] = _measure(settings)
            print(figures[str(size)], flush=True)
    told = "; ".join(
        f"{size} versions ({one['mib']:,.0f} MiB): backup {one['first_backup_seconds']:.0f} s, "
        f"the next {one['next_backup_seconds']:.0f} s, drill {one['drill_seconds']:.0f} s"
        for size, one in figures.items()
    )
    record("backup", {"by_versions": figures}, headline=told)


def _log(registry: Registry, models: list[Trained], edition: Edition, there: int, wanted: int) -> None:
    """Register further versions; another seed makes the same table another version."""
    parent = start_parent_run(registry, "bench", author="bench")
    for seed in range(there // len(models), wanted // len(models) + 1):
        rest = models[: max(0, wanted - seed * len(models))]
        fresh = [Trained(one.column, one.network, one.table, {**one.report, "seed": seed}) for one in rest]
        certify_and_log(registry, fresh, edition, parent)
    finish_run(registry, parent)


def _activate(registry: Registry) -> None:
    release = create_release(registry, members_at(registry, "latest"), author="bench")
    activate(registry, release, approver="eva", judge=passes)


def _await_answers(server: Machine) -> None:
    while ask_service(server.settings.service_port) is None:
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
