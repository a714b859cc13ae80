"""The embedded MLflow tracking server: SQLite and a folder below `SIRENA_HOME`, loopback only."""

import sys
from typing import Final

from sirena.server.parts.connections import PartConnection
from sirena.server.parts.part import HttpHealth
from sirena.server.parts.processes import ChildProcess
from sirena.settings.catalogue import Settings

QUIET: Final = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
"""Environment of every MLflow server. Job execution would start eight more processes for features that Sirena does not
use; telemetry would report on the hospital's server.
"""
MLFLOW_PROCESS: Final = "sirena.server.parts.mlflow_process"
"""Module that a stack runs as MLflow's command: it starts in a third of the processor time."""


def machine_learning_page(address: str) -> str:
    """Return the address of MLflow's page of experiments, with the menu for machine learning: runs and model registry.

    Without this query, MLflow 3 opens as a tool for language models. Its page of models does not keep the query.

    >>> machine_learning_page("http://127.0.0.1:15500")
    'http://127.0.0.1:15500/#/experiments?workflowType=machine_learning'
    """
    return f"{address.rstrip('/')}/#/experiments?workflowType=machine_learning"


def embedded_mlflow_server(settings: Settings, port: int, module: str = MLFLOW_PROCESS) -> ChildProcess:
    """Return an MLflow server (tracking, registry, artifacts) for one machine, without root, not started yet.

    Args:
        settings: name the folders of database and artifacts.
        port: loopback port.
        module: what is run as MLflow's command.
    """
    home = settings.home
    command = [
        sys.executable, "-m", module, "server",
        "--host", "127.0.0.1", "--port", str(port), "--workers", "2",
        "--backend-store-uri", f"sqlite:///{home / 'mlflow.db'}",
        "--artifacts-destination", str(settings.artifacts),
    ]  # fmt: skip
    home.mkdir(parents=True, exist_ok=True)
    return ChildProcess(
        "the MLflow server",
        command,
        health=HttpHealth(PartConnection(f"http://127.0.0.1:{port}"), "/health"),
        log=home / "logs" / "mlflow.log",
        environment=QUIET,
    )
