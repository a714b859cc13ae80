"""`sirena run` ends in order when it is told to."""

import os
import subprocess
import sys
import time

from sirena.server.parts.processes import free_port
from sirena.server.supervision.supervisor import Supervisor
from tests.production_machine import private_home


def test_the_embedded_stack_ends_on_sigterm() -> None:
    """While it still starts, too: exit code 0 and nothing left behind."""
    with private_home() as home:
        ports = {f"SIRENA_{name}": str(free_port()) for name in ("PORT", "MLFLOW_PORT", "PAGES_PORT")}
        environment = {**os.environ, "SIRENA_HOME": str(home), **ports}
        command = [sys.executable, "-m", "sirena.cli", "run", "--profile", "embedded"]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                deadline = time.monotonic() + 120
                while not Supervisor(home).is_running():
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
                process.terminate()
                output, _ = process.communicate(timeout=120)
            finally:
                process.kill()
        assert process.returncode == 0, output
        assert output.endswith("everything has ended\n")
        assert not Supervisor(home).is_running()
