"""The whole stack with its real servers: brought up once, looked at from outside, taken down."""

import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sirena.operations.certificates import authority_file
from sirena.operations.settings import Settings, variable_of
from sirena.operations.stack import Stack
from tests.production_machine import private_home, production_settings, require_programs

pytestmark = pytest.mark.slow

LARGE = 100 * 2**20
CLIENT = """
import hashlib, os, sys, tempfile, mlflow
from pathlib import Path
folder = Path(tempfile.mkdtemp(dir=sys.argv[1]))
large = folder / "large.bin"
large.write_bytes(os.urandom(int(sys.argv[2])))
with mlflow.start_run() as run:
    mlflow.log_artifact(str(large))
found = Path(mlflow.artifacts.download_artifacts(
    run_id=run.info.run_id, artifact_path="large.bin", dst_path=str(folder / "back")
))
assert hashlib.sha256(found.read_bytes()).digest() == hashlib.sha256(large.read_bytes()).digest()
print(mlflow.get_tracking_uri(), found.stat().st_size)
"""


@dataclass(frozen=True)
class Running:
    """A stack that runs, and a token of its scientist."""

    stack: Stack
    environment: dict[str, str]
    token: str

    @property
    def settings(self) -> Settings:
        """Its settings."""
        return self.stack.settings

    def sirena(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of ours as its operator does."""
        return subprocess.run(
            [sys.executable, "-m", "sirena.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    def get(self, path: str, *, token: bool = True) -> tuple[int, bytes]:
        """Ask the entry."""
        url = f"https://localhost:{self.settings.https_port}{path}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.token}"} if token else {})
        context = ssl.create_default_context(cafile=str(authority_file(self.settings)))
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """Bring the stack up by the command, and make an account and a token by the commands."""
    require_programs("nginx", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph")
    with private_home() as home:
        settings = production_settings(home)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AWS_"))}
        for name in Settings.model_fields:
            value = getattr(settings, name)
            if name in settings.model_fields_set and value not in (None, "") and name != "profile":
                environment[variable_of(name)] = str(value)
        found = Running(Stack(settings), environment, "")
        try:
            begun = found.sirena("up", "--profile", "production")
            assert begun.returncode == 0, begun.stderr + _logs(home)
            made = found.sirena("user", "add", "marta", "--role", "scientist", "--no-password")
            assert made.returncode == 0, made.stderr
            token = found.sirena("token", "create", "--user", "marta")
            assert token.returncode == 0, token.stderr
            yield Running(found.stack, environment, token.stdout.strip())
        finally:
            found.stack.take_down()


def _logs(home: Path) -> str:
    return "".join(f"\n--- {log.name}\n{log.read_text()[-800:]}" for log in sorted((home / "logs").glob("*.log")))


def test_status_tells_of_every_part_that_it_is_well(running: Running) -> None:
    """Health, version, port and memory, and exit code 0."""
    told = running.sirena("status")
    assert told.returncode == 0, told.stdout
    lines = [line.split() for line in told.stdout.splitlines()[2:] if line.strip()]
    parts = {line[0]: line for line in lines}
    for name in ("postgresql", "ceph-monitor", "ceph-store", "s3", "mlflow", "service", "access", "entry"):
        assert parts[name][1] == "well", told.stdout
        assert "MiB" in parts[name]


def test_the_entry_asks_the_access_service(running: Running) -> None:
    """A token enters, a stranger does not, MLflow's page and our own answers come through."""
    status, page = running.get("/")
    assert (status, b"MLflow" in page) == (200, True)
    assert running.get("/livez")[0] == 200
    assert running.get("/api/2.0/mlflow/experiments/search?max_results=1")[0] == 200
    assert running.get("/api/2.0/mlflow/experiments/search?max_results=1", token=False)[0] == 401
    assert running.get("/no/such/route")[0] == 403


def test_curl_works_on_both_ports(running: Running) -> None:
    """As the manual shows it."""
    for port in (running.settings.https_port, running.settings.port):
        told = subprocess.run(
            ["curl", "-sS", "--cacert", authority_file(running.settings),
             "-H", f"Authorization: Bearer {running.token}", f"https://localhost:{port}/livez"],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert (told.stdout, told.stderr) == ('{"status":"alive"}', "")


def test_mlflows_client_takes_a_large_artifact_there_and_back(running: Running, tmp_path: Path) -> None:
    """100 MiB through entry, MLflow and S3; the object lies in the bucket and the bytes are the same."""
    environment = {
        **running.environment,
        "MLFLOW_TRACKING_URI": f"https://localhost:{running.settings.port}",
        "MLFLOW_TRACKING_TOKEN": running.token,
        "MLFLOW_TRACKING_SERVER_CERT_PATH": str(authority_file(running.settings)),
    }
    told = subprocess.run(
        [sys.executable, "-c", CLIENT, str(tmp_path), str(LARGE)],
        env=environment, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr[-2000:]
    assert told.stdout.splitlines()[-1].endswith(str(LARGE))
    log = (running.settings.home / "logs" / "entry.jsonl").read_text()
    transfers = [line for line in log.splitlines() if "mlflow-artifacts/artifacts" in line and "large.bin" in line]
    assert {line.split('"method":"')[1].split('"')[0] for line in transfers} >= {"PUT", "GET"}


def test_nothing_but_the_entry_listens_beyond_loopback(running: Running) -> None:
    """Every listening socket of the stack is on 127.0.0.1, except NGINX's, which the test keeps there too."""
    open_ports = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            host, port = address.split(":")
            if state == "0A":
                open_ports.add((host, int(port, 16)))
    base = running.settings.http_port
    ours = {(host, port) for host, port in open_ports if base <= port < base + 40}
    assert ours
    assert {host for host, _ in ours} == {"0100007F"}


def test_secrets_are_files_only_their_owner_reads_and_stand_on_no_command_line(running: Running) -> None:
    """Neither in arguments, configuration nor logs."""
    home = running.settings.home
    secrets = [path for path in (home / "secrets").iterdir() if path.is_file()]
    assert len(secrets) >= 6
    assert {path.stat().st_mode & 0o777 for path in secrets} == {0o600}
    words = {line.rpartition(" ")[2].rpartition(":")[2] for path in secrets for line in path.read_text().splitlines()}
    words = {word for word in words if len(word) > 15}
    seen = (home / "supervisor" / "supervisord.conf").read_text()
    seen += "".join(log.read_text(errors="replace") for log in (home / "logs").iterdir())
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            seen += (folder / "cmdline").read_text(errors="replace")
        except OSError:
            continue
    assert not [len(word) for word in words if word in seen]


def test_a_part_that_crashes_comes_back(running: Running) -> None:
    """Killed outright, it answers again by itself."""
    before = running.stack.supervisor.states()["service"].process_id
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while running.get("/livez")[0] != 200 or running.stack.supervisor.states()["service"].process_id == before:
        assert time.monotonic() < deadline
        time.sleep(0.3)


def test_up_again_changes_nothing(running: Running) -> None:
    """The very processes go on."""
    before = {name: state.process_id for name, state in running.stack.supervisor.states().items()}
    again = running.sirena("up")
    assert again.returncode == 0, again.stderr
    assert {name: state.process_id for name, state in running.stack.supervisor.states().items()} == before


def test_the_working_role_cannot_touch_the_ledger_and_its_password_is_needed(running: Running) -> None:
    """SCRAM on loopback too, and the table belongs to a role that no service can enter as."""
    import psycopg

    settings = running.settings
    where = f"host=127.0.0.1 port={settings.postgres_port} dbname=sirena"
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"{where} user=sirena passfile=/dev/null")
    with (
        psycopg.connect(f"{where} user=sirena passfile={settings.password_file}") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("DROP TABLE ledger_entries")


def test_down_ends_everything_and_up_finds_it_all_again(running: Running) -> None:
    """Requests are drained, no process stays, and accounts, runs and artifacts are still there."""
    pids = [state.process_id for state in running.stack.supervisor.states().values()]
    assert running.sirena("down").returncode == 0
    assert not [
        pid for pid in pids if Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text()
    ]
    assert running.sirena("status").returncode == 1
    assert running.sirena("down").stdout.strip() == "nothing was running"
    assert running.sirena("up").returncode == 0
    status, runs = running.get("/api/2.0/mlflow/experiments/search?max_results=5")
    assert (status, b"Default" in runs) == (200, True)
