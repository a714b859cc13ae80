"""Runs `mlflow server …` with one import of MLflow instead of three.

Usage: ``python -m sirena.server.parts.mlflow_process server …``. MLflow's command starts uvicorn, and that starts two
workers; the command and each worker import MLflow by themselves, which takes five processor seconds and MLflow's
memory, each time. Here the command itself becomes uvicorn, and the workers are forks of it: MLflow answers after a
third of the work, and a worker that died is replaced at once. Options, tables and environment are MLflow's own.

These options have no effect: `--static-prefix`, `--expose-prometheus`, `--x-frame-options`,
`--disable-security-middleware`, and `--allowed-hosts` and `--cors-allowed-origins` spelt with ``=``, because the
application is imported before MLflow's command hands them on.
"""

import gc
import multiprocessing
import os
import signal
import sys
from typing import Any, Final

import uvicorn._subprocess
import uvicorn.main

_READ_AT_IMPORT: Final = {
    "--allowed-hosts": "MLFLOW_SERVER_ALLOWED_HOSTS",
    "--cors-allowed-origins": "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
}
"""Variables by which MLflow hands these options to its workers; its application reads them while it is imported."""
_OBJECTS_BETWEEN_COLLECTIONS: Final = 500_000
"""Objects made between two garbage collections during the import, a fifth of whose time they would take otherwise."""


def main(arguments: list[str]) -> None:
    """Run MLflow's command with these arguments until a signal ends it."""
    usual = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    for option, variable in _READ_AT_IMPORT.items():
        if option in arguments:
            os.environ[variable] = arguments[arguments.index(option) + 1]
    import mlflow.server.fastapi_app
    from mlflow.cli import cli
    from mlflow.server import handlers

    def serve(command: list[str], *, extra_env: dict[str, str], **_: Any) -> None:
        """Become the process that MLflow would start: ``PYTHON -m uvicorn …``."""
        os.environ.update(extra_env)
        # a connection to the database is used by one process alone
        for store in (handlers._get_tracking_store(), handlers._get_model_registry_store()):
            store.engine.dispose()
        os.register_at_fork(before=_hold_sigterm, after_in_parent=_let_sigterm_come, after_in_child=_end_by_sigterm)
        uvicorn._subprocess.spawn = multiprocessing.get_context("fork")  # type: ignore[assignment]
        gc.freeze()
        gc.set_threshold(*usual)
        uvicorn.main.main(command[3:])

    mlflow.server._exec_cmd = serve
    cli(arguments, prog_name="mlflow")


def _hold_sigterm() -> None:
    """Have SIGTERM wait during a fork: a fork that received it before it is ready to end would lose it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _let_sigterm_come() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _end_by_sigterm() -> None:
    """Have a fork end by SIGTERM until it sets a handler; that of its parent only notes the signal."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _let_sigterm_come()


if __name__ == "__main__":
    main(sys.argv[1:])
