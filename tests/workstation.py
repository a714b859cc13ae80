"""Somebody at a workstation, before the entry of a stack: an account, its token, and the commands run with it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import sirena
from sirena.server.tls.certificates import authority_file
from tests.integration.backup.machines import Machine
from tests.prepared_interpreter import run_prepared


@dataclass(frozen=True)
class Workstation:
    """What somebody has set, as docs/howto/first-server.md says."""

    environment: dict[str, str]
    folder: Path

    @property
    def token(self) -> str:
        """The token of its account."""
        return self.environment["MLFLOW_TRACKING_TOKEN"]

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run Python with these words."""
        return run_prepared([sys.executable, *command], cwd=self.folder, env=self.environment, timeout=600)

    def sirena(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of ours."""
        return self.run("-m", "sirena.cli", *arguments)


def workstation(machine: Machine, name: str, role: str, folder: Path) -> Workstation:
    """Make an account and its token on a server, and a place for it to work at."""
    for command in (("user", "add", name, "--role", role, "--no-password"), ("token", "create", "--user", name)):
        made = machine.sirena(*command)
        assert made.returncode == 0, made.stderr
    home = folder / name
    home.mkdir()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "AWS_", "SIRENA_"))}
    return Workstation(
        {
            **kept,
            "PYTHONPATH": str(Path(sirena.__file__).parent.parent),
            "SIRENA_HOME": str(home),
            "MLFLOW_TRACKING_URI": f"https://localhost:{machine.settings.port}",
            "MLFLOW_TRACKING_TOKEN": made.stdout.strip(),
            "MLFLOW_TRACKING_SERVER_CERT_PATH": str(authority_file(machine.settings)),
        },
        home,
    )
