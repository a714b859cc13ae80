"""The steps of `sirena demo`, which call the same functions as the commands."""

import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final

import typer

from sirena.acts import promoting, releasing, training
from sirena.acts.gatekeeping import judge_for
from sirena.cli.demo_pages import DemoPages
from sirena.cli.training_progress import TrainingProgress, print_outcomes
from sirena.cli.voice import in_words, say
from sirena.domain.errors import SirenaError
from sirena.guidelines.choice import choose_editions
from sirena.guidelines.editions import Editions
from sirena.registry.connection import Registry, connect
from sirena.registry.judging import RegisteredJudge
from sirena.registry.releases import Release
from sirena.registry.training_session import Plan, TrainingOutcome
from sirena.registry.versions import ModelVersion, Stage, find_version
from sirena.server.parts.connections import PartConnection
from sirena.server.parts.mlflow_server import machine_learning_page
from sirena.server.parts.part import HttpHealth
from sirena.server.parts.processes import ChildProcess, free_port
from sirena.settings.catalogue import Settings, load_settings
from sirena.training.columns import columns_to_train
from sirena.training.evidence import LabelSource, collect_evidence
from sirena.whonet.privacy import without_patients
from sirena.whonet.reading import read_file
from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.writing import write_file

_QUESTION: Final = {
    "dataframe_records": [{"ORGANISM": "kpn", "AMK_NM": "<=2", "AMP_NM": "<=2", "FEP_NM": "4", "CZO_NM": "<=4"}]
}


def run_demo(server: ChildProcess, tracking_uri: str, *, isolates: int, seed: int, keep: bool) -> None:
    """Run all steps of the demo below `SIRENA_HOME`.

    Args:
        server: process of MLflow; the caller has launched it and stops it.
        tracking_uri: address of MLflow.
        isolates: number of isolates of the synthetic hospital.
        seed: seed of the hospital and of the training.
        keep: True leaves the servers running until Ctrl-C.

    Raises:
        SirenaError: a step failed; the servers started here are stopped.
    """
    home = load_settings().home
    steps = _Steps()
    with ExitStack() as running:
        with steps(f"synthetic hospital of {isolates:,} isolates"):
            file = _write_hospital(home, isolates, seed)
        with steps("MLflow tracking server (SQLite and a folder)"):
            server.await_health()
        settings = load_settings().model_copy(update={"tracking_uri": tracking_uri})
        registry = connect(settings, started_here=True)
        with steps("training, certifying and registering the models"):
            outcomes = _train(registry, file, seed)
        with steps("promoting through the gate: staging, then production"):
            judge = judge_for(registry, None)
            versions = _promote(judge, outcomes)
        with steps("release made and activated"):
            release = _release(judge, versions)
        with steps("service with the active release"):
            service_port = free_port()
            running.enter_context(_service(settings, service_port))
        answer = _request_answers(service_port)
        pages = None
        if keep:
            with steps("pages with the hospital's file open"):
                pages = DemoPages.of(file, settings)
        print_outcomes(outcomes)
        say(f"\nPOST http://127.0.0.1:{service_port}/invocations\n{json.dumps(_QUESTION)}\n")
        typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        _tell_places(home, file, tracking_uri, service_port, release, keep=keep)
        steps.total()
        if pages is not None:
            say("Running until Ctrl-C. Sirena with the hospital's file open:")
            typer.echo(f"\n  {pages.address}\n")
            pages.serve()
            say("ended")


class _Steps:
    """Prints each step and how long it took."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._number = 0

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        self._number += 1
        start = time.monotonic()
        typer.echo(f"[{self._number}] {in_words(step)} …", err=True)
        yield
        typer.echo(f"[{self._number}] {in_words(step)}: {time.monotonic() - start:.1f} s", err=True)

    def total(self) -> None:
        say(f"\nDone in {time.monotonic() - self._start:.0f} s.")


def _write_hospital(home: Path, isolates: int, seed: int) -> Path:
    file = home / "hospital.sir"
    home.mkdir(parents=True, exist_ok=True)
    write_file(generate_hospital(isolates, seed), file)
    return file


def _train(registry: Registry, file: Path, seed: int) -> list[TrainingOutcome]:
    hospital = without_patients(read_file(file))
    editions = choose_editions(Editions())
    reference = editions.tables(columns_to_train(hospital.mic_columns.values()))
    evidence = collect_evidence(hospital, labels=LabelSource.REFERENCE, reference=reference)
    with TrainingProgress() as progress:
        plan = Plan(evidence, editions, registry.settings.effective_user, seed=seed)
        outcomes = training.train(registry, plan, progress)
    failures = [outcome for outcome in outcomes if outcome.version is None]
    if failures:
        raise SirenaError("; ".join(f"{outcome.column}: {outcome.note}" for outcome in failures))
    return outcomes


def _promote(judge: RegisteredJudge, outcomes: list[TrainingOutcome]) -> list[ModelVersion]:
    versions = [find_version(judge.registry, str(outcome.version)) for outcome in outcomes]
    for stage in (Stage.STAGING, Stage.PRODUCTION):
        with closing(promoting.promote_each(judge, versions, stage)) as promotions:
            for _, promotion in promotions:
                if isinstance(promotion, SirenaError):
                    raise promotion
    return versions


def _release(judge: RegisteredJudge, versions: list[ModelVersion]) -> Release:
    release = releasing.create_release(judge.registry, versions, author=judge.approver, note="demo")
    releasing.activate(judge.registry, release, judge)
    return release


def _service(settings: Settings, port: int) -> ChildProcess:
    return ChildProcess(
        "the service",
        [sys.executable, "-m", "sirena.cli", "serve", "--port", str(port)],
        health=HttpHealth(PartConnection(f"http://127.0.0.1:{port}"), "/readyz"),
        log=settings.home / "logs" / "serve.log",
        environment={"MLFLOW_TRACKING_URI": settings.tracking_uri, "SIRENA_HOME": str(settings.home)},
    )


def _request_answers(port: int) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations",
        data=json.dumps(_QUESTION).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        document: dict[str, Any] = json.load(answer)
    return document


def _tell_places(home: Path, file: Path, tracking_uri: str, service_port: int, release: Release, *, keep: bool) -> None:
    lines = (
        ("hospital", str(file)),
        ("release", f"{release.name}, {len(release.members)} models, active"),
        ("MLflow", machine_learning_page(tracking_uri) if keep else "`sirena up` shows its pages"),
        ("service", f"http://127.0.0.1:{service_port}  (its interface: /docs)" if keep else "has ended"),
        ("everything written", str(home)),
        ("next commands need", f"export SIRENA_HOME={home}"),
    )
    say("")
    for name, place in lines:
        say(f"{name:>20}  {place}")
