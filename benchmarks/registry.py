"""Time from trained models to an active release, against a real MLflow server with SQLite and a folder.

    PYTHONPATH=src python benchmarks/registry.py [--threads 2]

The models are those of `reference_models`, so that only the registry's work is timed: logging and registering, the
same again (nothing new), promotion through the gate, release, activation, each with its entries in the ledger, loading
the panel with and without the server's help. The peer is MLflow's own `log_model` with registration, 0.83 s a model on
a machine of the same kind.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recording import Peer, record
from reference_models import certify_and_log, reference_models

from sirena.acts.promoting import promote_each
from sirena.acts.releasing import activate, create_release
from sirena.certification.gate import load_gate
from sirena.domain.errors import SirenaError
from sirena.guidelines.editions import load_edition
from sirena.registry.connection import connect
from sirena.registry.judging import RegisteredJudge
from sirena.registry.panel_cache import load_release
from sirena.registry.releases import members_at
from sirena.registry.runs import finish_run, start_parent_run
from sirena.registry.versions import Stage
from sirena.server.parts.mlflow_server import embedded_mlflow_server
from sirena.server.parts.processes import free_port
from sirena.settings.catalogue import Settings

PEER_SECONDS = 0.83


class Clock:
    """Seconds by step, printed as they are measured."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Time one step."""
        begun = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - begun, 2)
        print(f"{self.seconds[step]:8.2f} s  {step}", flush=True)


def main() -> None:
    """Run the benchmark and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    threads: int = parser.parse_args().threads
    clock = Clock()
    edition = load_edition("CLSI 2025")
    models = reference_models(edition)
    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        settings = Settings(home=Path(home), tracking_uri=f"http://127.0.0.1:{port}", user="bench")
        server = embedded_mlflow_server(settings, port)
        with clock("start the server"):
            server.start()
        try:
            with clock("connect"):
                registry = connect(settings)
            parent = start_parent_run(registry, "bench", author="bench")
            for step in ("certify, log and register", "the same again: nothing new"):
                with clock(step):
                    certify_and_log(registry, models, edition, parent, threads=threads)
            finish_run(registry, parent)
            judge = RegisteredJudge(registry, load_gate(), "bench", lambda _: edition)
            with clock("promote through the gate"):
                versions = members_at(registry, "latest")
                refused = [
                    done for _, done in promote_each(judge, versions, Stage.PRODUCTION) if isinstance(done, SirenaError)
                ]
            if refused:
                sys.exit(f"{len(refused)} models were refused: {refused[0]}")
            with clock("make the release"):
                release = create_release(registry, versions, author="bench")
            with clock("activate the release (gate over all members)"):
                activate(registry, release, judge)
            with clock("load the panel from the registry"):
                load_release("active", settings=settings)
            with clock("load the panel again (file kept)"):
                load_release("active", settings=settings)
        finally:
            server.stop()
        with clock("load the panel, registry dead"):
            load_release("active", settings=settings)
    logging = clock.seconds["certify, log and register"]
    promoting = clock.seconds["promote through the gate"]
    activating = clock.seconds["activate the release (gate over all members)"]
    record(
        "registry",
        {"models": len(models), "threads": threads, "seconds": clock.seconds},
        headline=f"log and register {len(models)} models: {logging:.1f} s; promote: {promoting:.1f} s; "
        f"activate: {activating:.1f} s",
        peers=(
            Peer(
                "MLflow's log_model",
                "seconds a model logged and registered, with certificate",
                round(logging / len(models), 3),
                PEER_SECONDS,
                "earlier run, machine of this kind",
                more_is_better=False,
            ),
        ),
    )


if __name__ == "__main__":
    main()
