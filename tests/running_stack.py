"""The whole stack with its real servers, started by `sirena up` as an operator does."""

import json
import os
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import sirena
from sirena.access.routes import body_route_locations
from sirena.server.production_stack import ProductionStack
from sirena.server.tls.certificates import authority_file
from sirena.settings.catalogue import Settings, variable_of
from tests.everyones_python import everyones_python
from tests.prepared_interpreter import run_prepared
from tests.prepared_stores import begin_prepared
from tests.production_machine import end_at_once, private_home, production_settings, require_programs


@dataclass(frozen=True)
class Running:
    """A running stack, with a token of a scientist."""

    stack: ProductionStack
    environment: dict[str, str]
    python: str
    """Interpreter of everything, which the stack's own account can run where the machine has such a one."""
    token: str

    @property
    def settings(self) -> Settings:
        """Settings of the stack."""
        return self.stack.settings

    def sirena(self, *arguments: str, **changed: str) -> "subprocess.CompletedProcess[str]":
        """Run a `sirena` command as the stack's operator."""
        command = [self.python, "-m", "sirena.cli", *arguments]
        return run_prepared(command, env={**self.environment, **changed}, cwd="/", timeout=400)

    def get(self, path: str, *, token: bool = True, body: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Get a path of the NGINX entry; with a body, post the body as JSON."""
        url = f"https://localhost:{self.settings.https_port}{path}"
        headers = {"Authorization": f"Bearer {self.token}"} if token else {}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers | ({"Content-Type": "application/json"} if data else {}))
        context = ssl.create_default_context(cafile=str(authority_file(self.settings)))
        try:
            with urllib.request.urlopen(request, timeout=120, context=context) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


@contextmanager
def running_stack() -> Iterator[Running]:
    """Start the stack by `sirena up`, and make an account and a token by commands."""
    require_programs("nginx", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph")
    with private_home() as home:
        python = everyones_python(home) or sys.executable
        settings = production_settings(home / "sirena", python, poll_seconds=10.0)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AWS_"))}
        for name in Settings.model_fields:
            value = getattr(settings, name)
            if name in settings.model_fields_set and value not in (None, "") and name != "profile":
                environment[variable_of(name)] = str(value)
        environment["PYTHONPATH"] = str(Path(sirena.__file__).parent.parent)
        found = Running(ProductionStack(settings, tuple(body_route_locations())), environment, python, "")
        begin_prepared(settings)
        try:
            begun = found.sirena("up", "--profile", "production")
            assert begun.returncode == 0, begun.stderr + _logs(settings.home)
            made = found.sirena("user", "add", "marta", "--role", "scientist", "--no-password")
            assert made.returncode == 0, made.stderr
            token = found.sirena("token", "create", "--user", "marta")
            assert token.returncode == 0, token.stderr
            yield replace(found, token=token.stdout.strip())
        finally:
            end_at_once(found.stack)


def _logs(home: Path) -> str:
    return "".join(f"\n--- {log.name}\n{log.read_text()[-800:]}" for log in sorted((home / "logs").glob("*.log")))
