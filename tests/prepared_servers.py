"""Servers that a test needs but does not examine, as forks of the prepared interpreter, which start in two seconds.

Tests of a server's own start, or of a whole stack's, start plain processes.
"""

import subprocess
from typing import Final, cast

from sirena.server.parts.mlflow_server import embedded_mlflow_server
from sirena.server.parts.processes import ChildProcess
from sirena.settings.catalogue import Settings
from tests.prepared_interpreter import PreparedPopen

_MLFLOW: Final = """
import os, runpy, sys
for name in [name for name in sys.modules if name.startswith("mlflow.server")]:
    del sys.modules[name]  # it looks at the environment as it is imported
import mlflow.server
from mlflow.cli import cli

def stay(command, extra_env=None, **_):
    os.environ.update(extra_env)
    sys.argv[:] = command[2:]
    runpy.run_module(command[2], run_name="__main__", alter_sys=True)
    sys.exit()

mlflow.server._exec_cmd = stay
cli(sys.argv[1:])
"""
"""MLflow's own command, but that what answers is this process instead of two others."""


class PreparedChild(ChildProcess):
    """A server of the embedded profile, started by a fork."""

    def launch(self) -> None:
        """Start the server, and return at once; do nothing if it runs already."""
        if self._process is not None:
            return
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as output:
            process = PreparedPopen(
                self._command, stdout=output, stderr=output, env=self._environment, start_new_session=True
            )
        self._process = cast("subprocess.Popen[bytes]", process)


def mlflow_server(settings: Settings, port: int) -> ChildProcess:
    """Return the description of the server of `embedded_mlflow_server`, as one process."""
    plain = embedded_mlflow_server(settings, port)
    python, _, _, *arguments = plain._command
    arguments[arguments.index("--workers") + 1] = "1"
    return PreparedChild(
        plain.name,
        [python, "-c", _MLFLOW, *arguments],
        health=plain._health,
        log=plain._log,
        environment=plain._environment,
    )
