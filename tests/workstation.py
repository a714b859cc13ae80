"""A person at a workstation, outside a stack's NGINX entry: account, token, and the commands run with them."""

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
    """A workstation, configured as docs/howto/first-server.md says."""

    environment: dict[str, str]
    folder: Path

    @property
    def token(self) -> str:
        """Token of the workstation's account."""
        return self.environment["MLFLOW_TRACKING_TOKEN"]

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run Python with some arguments."""
        return run_prepared([sys.executable, *command], cwd=self.folder, env=self.environment, timeout=600)

    def sirena(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a `sirena` command."""
        return self.run("-m", "sirena.cli", *arguments)


def workstation(machine: Machine, name: str, role: str, folder: Path) -> Workstation:
    """Make an account and a token on a server, and a folder as workstation."""
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
