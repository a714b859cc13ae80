"""The stack for one's own machine: MLflow, the service and the pages, under the account that starts them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sirena.host.accounts import OsAccount
from sirena.host.secret_files import generated_secret
from sirena.server.free_ports import require_free_ports
from sirena.server.parts.mlflow_server import machine_learning_page
from sirena.server.parts.part import Part
from sirena.server.parts.part_accounts import PartAccounts
from sirena.server.python_parts import PythonParts
from sirena.server.stack import Stack
from sirena.server.steps import Tell


@dataclass(frozen=True)
class EmbeddedStack(Stack):
    """The stack of one person's machine, on loopback: MLflow with SQLite, the service and the pages."""

    def parts(self) -> list[Part]:
        """Return MLflow, the service and the pages as parts."""
        python = PythonParts(self.settings, PartAccounts.all_of_this_process())
        return [python.embedded_mlflow(), python.embedded_service(), python.embedded_pages(self._pages_key)]

    def places(self) -> list[str]:
        """Return the addresses of the running parts, one line for each, for people."""
        return [
            f"Sirena   http://127.0.0.1:{self.settings.pages_port}/enter/{self._key()}",
            f"service  http://127.0.0.1:{self.settings.port}  (interface: /docs)",
            f"MLflow   {machine_learning_page(f'http://127.0.0.1:{self.settings.mlflow_port}')}",
        ]

    @property
    def _pages_key(self) -> Path:
        return self.settings.home / "secrets" / "pages_key"

    def _key(self) -> str:
        return generated_secret(self._pages_key, OsAccount.of_this_process())

    def _bring_up(self, parts_to_start: Sequence[Part] | None, tell: Tell) -> None:
        if not self.supervisor.is_running():
            require_free_ports(self.settings)
        self._key()
        parts = self.parts() if parts_to_start is None else parts_to_start
        self._start(parts, tell)
        self.wait(parts, tell)
