"""41 versions registered, promoted and released through NGINX by two people, timed in total and one by one.

    PYTHONPATH=src python benchmarks/entry_promotion.py [--drugs AMK,AMP,CAZ]

A production stack below /var/tmp on ports of its own: PostgreSQL, Ceph, MLflow, the access service, NGINX with TLS. A
scientist's 41 networks, trained before from CLSI 2025 with its whole vocabulary, are certified, logged and registered
with her token, two at a time as `sirena train` does it. An approver gives each staging and then production with his,
one after another as `sirena promote --all` does it: the workstation judges, the server asks table and network anew and
judges again. She makes a release, he activates it, and the seconds until the service answers by it are counted. The
start of commands is not included (see `startup`). No peer was measured.
"""

import argparse
import json
import os
import ssl
import statistics
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from recording import record
from tests.integration.backup.machines import Machine, machine
from tests.workstation import Workstation, workstation

from sirena.acts.gatekeeping import judge_for
from sirena.acts.promoting import promote
from sirena.acts.releasing import activate, create_release
from sirena.certification.certificate import Subject, certify
from sirena.certification.certificate_file import to_json
from sirena.certification.page import render_page
from sirena.domain.antimicrobials import FIRST_PANEL
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.editions import Edition, load_edition
from sirena.guidelines.interpreter import compile_tables
from sirena.registry.connection import Registry, connect
from sirena.registry.models import ModelVersionRef, log_model_version
from sirena.registry.releases import members_at
from sirena.registry.runs import finish_run, start_parent_run
from sirena.registry.versions import Stage
from sirena.server.tls.certificates import authority_file
from sirena.settings.catalogue import Settings
from sirena.training.evidence import ROW_TYPES, Evidence, LabelSource
from sirena.training.fitting import TrainedModel, train_models

_LOGGERS = 2
"""As a training session has them."""
Step = Callable[[Any], Any]


def main() -> None:
    """Measure, and record the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drugs", default="", help="antimicrobial codes, for a try that is not recorded")
    drugs = [code for code in str(parser.parse_args().drugs).split(",") if code] or None
    edition = load_edition("CLSI 2026")
    reference = {table.column: table for table in compile_tables(edition, FIRST_PANEL).values()}
    evidence = Evidence(ROW_TYPES.to_frame(), LabelSource.REFERENCE, reference=reference)
    trained = [model for model in train_models(evidence, drugs=drugs) if isinstance(model, TrainedModel)]
    print(f"{len(trained)} networks trained", flush=True)
    with machine(user="bench", backup_at="off", poll_seconds=1.0) as server, tempfile.TemporaryDirectory() as folder:
        ended = server.sirena("up", "--profile", "production")
        if ended.returncode:
            raise SystemExit(ended.stderr)
        ana, berta = (workstation(server, *who, Path(folder)) for who in (("ana", "scientist"), ("berta", "approver")))
        figures = _measure(server, ana, berta, trained, edition, reference)
    told = (
        f"{len(trained)} versions: registered in {figures['register']['seconds']:.0f} s, staging "
        f"{figures['staging']['seconds']:.0f} s, production {figures['production']['seconds']:.0f} s "
        f"({figures['staging']['median_seconds']:.2f} and {figures['production']['median_seconds']:.2f} s a version), "
        f"release made and active {figures['release_seconds'] + figures['activation_seconds']:.0f} s"
    )
    print(told)
    if drugs is None:
        record("entry_promotion", {"versions": len(trained), **figures}, headline=told)


def _measure(
    server: Machine,
    ana: Workstation,
    berta: Workstation,
    trained: Sequence[TrainedModel],
    edition: Edition,
    reference: dict[str, TruthTable],
) -> dict[str, Any]:
    begun = time.perf_counter()
    scientist = _enter(ana)
    parent = start_parent_run(scientist, "bench", author="ana")
    with ThreadPoolExecutor(_LOGGERS) as pool:
        registering = _each(trained, lambda model: _register(scientist, model, edition, reference, parent), pool.map)
    finish_run(scientist, parent)
    approver = _enter(berta)
    judge = judge_for(approver, None)
    figures: dict[str, Any] = {"register": registering}
    for stage in (Stage.STAGING, Stage.PRODUCTION):
        figures[stage.value.lower()] = _each(members_at(approver, "latest"), partial(promote, judge, stage=stage))
    scientist = _enter(ana)
    made = time.perf_counter()
    release = create_release(scientist, members_at(scientist, "production"), author="ana")
    figures["release_seconds"] = round(time.perf_counter() - made, 2)
    approver = _enter(berta)
    switched = time.perf_counter()
    activate(approver, release, judge_for(approver, None))
    figures["activation_seconds"] = round(time.perf_counter() - switched, 2)
    figures["whole_seconds"] = round(time.perf_counter() - begun, 1)
    switched = time.perf_counter()
    _await_answer(server, berta)
    figures["until_it_answers_seconds"] = round(time.perf_counter() - switched, 2)
    return figures


def _enter(person: Workstation) -> Registry:
    """Connect to MLflow through NGINX as a person; MLflow's client takes the token from the environment."""
    os.environ.update({name: value for name, value in person.environment.items() if name.startswith("MLFLOW_")})
    return connect(Settings(home=person.folder, tracking_uri=person.environment["MLFLOW_TRACKING_URI"]))


def _register(
    registry: Registry, model: TrainedModel, edition: Edition, reference: dict[str, TruthTable], parent: str
) -> ModelVersionRef:
    certificate = certify(
        model.table,
        reference[model.column],
        edition=edition.name,
        edition_digest=edition.digest,
        subject=Subject(f"modelo_{model.column}", ""),
    )
    return log_model_version(
        registry,
        model,
        certificate=to_json(certificate),
        certificate_html=render_page(certificate),
        author="ana",
        parent_run_id=parent,
        tags={"sirena.edition_digest": edition.digest},
    )


def _each(items: Sequence[Any], step: Step, mapped: Callable[..., Any] = map) -> dict[str, float]:
    """Do a step with each item; return the seconds of all, and of one: the median, the first and the longest."""

    def timed(item: Any) -> float:
        begun = time.perf_counter()
        step(item)
        return time.perf_counter() - begun

    begun = time.perf_counter()
    each = list(mapped(timed, items))
    figures = {
        "seconds": round(time.perf_counter() - begun, 1),
        "median_seconds": round(statistics.median(each), 3),
        "first_seconds": round(each[0], 2),
        "longest_seconds": round(max(each), 2),
    }
    print(figures, flush=True)
    return figures


def _await_answer(server: Machine, person: Workstation) -> None:
    request = urllib.request.Request(
        f"https://localhost:{server.settings.https_port}/invocations",
        data=json.dumps({"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": "<=2"}]}).encode(),
        headers={"Authorization": f"Bearer {person.token}", "Content-Type": "application/json"},
    )
    context = ssl.create_default_context(cafile=str(authority_file(server.settings)))
    while True:
        try:
            with urllib.request.urlopen(request, context=context, timeout=30):
                return
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    main()
