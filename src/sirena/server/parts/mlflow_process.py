"""`mlflow server …`, importing MLflow once, not thrice: ``python -m sirena.server.parts.mlflow_process server …``.

MLflow's command starts uvicorn, and that starts workers; the command and each worker are interpreters of their own that
import MLflow, five processor seconds each, and keep it in memory. Here the command becomes uvicorn and the workers are
forks of it: MLflow answers after a third of the work, and a worker that died is replaced at once. Everything else,
options, tables, environment, is MLflow's own.

Ignored are `--static-prefix`, `--expose-prometheus`, `--x-frame-options`, `--disable-security-middleware`, and
`--allowed-hosts` and `--cors-allowed-origins` spelt with ``=``, because the application is imported before MLflow's
command hands them on.
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
"""Options that MLflow hands to the workers by these variables; its application takes them while it is imported."""
_OBJECTS_BETWEEN_COLLECTIONS: Final = 500_000
"""Importing MLflow makes objects that stay; looking for garbage among them costs a fifth of the import."""


def main(arguments: list[str]) -> None:
    """Run MLflow's command with these arguments until it is told to end."""
    usual = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    for option, variable in _READ_AT_IMPORT.items():
        if option in arguments:
            os.environ[variable] = arguments[arguments.index(option) + 1]
    import mlflow.server.fastapi_app
    from mlflow.cli import cli
    from mlflow.server import handlers

    def serve(command: list[str], *, extra_env: dict[str, str], **_: Any) -> None:
        """Be what MLflow would start: ``PYTHON -m uvicorn …``."""
        os.environ.update(extra_env)
        # a connection to the database is used by one process alone
        for store in (handlers._get_tracking_store(), handlers._get_model_registry_store()):
            store.engine.dispose()
        # the parent's handler only notes the signal; a fork would keep it until it sets one, and not end
        os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
        uvicorn._subprocess.spawn = multiprocessing.get_context("fork")  # type: ignore[assignment]
        gc.freeze()
        gc.set_threshold(*usual)
        uvicorn.main.main(command[3:])

    mlflow.server._exec_cmd = serve
    cli(arguments, prog_name="mlflow")


if __name__ == "__main__":
    main(sys.argv[1:])
