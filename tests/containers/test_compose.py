"""The image that we ship is built, and the compose file that we ship runs it: a whole server in a container."""

import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from sirena.server.parts.processes import free_port
from tests.containers.engine import REPOSITORY, Engine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

BASE, IMAGE = "localhost/debian:bookworm", "localhost/sirena:tested"
PASSWORD = "una-clave-larga-77"
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
ROUND_TRIP = """
import mlflow
with mlflow.start_run() as run:
    mlflow.log_text("ida y vuelta", "there.txt")
print(mlflow.artifacts.load_text(run.info.artifact_uri + "/there.txt"))
"""
CONTAINER = "sirena_sirena_1"
READY_SECONDS = 300
ANSWER_SECONDS = 60
ACCOUNT = 10001
"""Number of the account in the image, for what is mounted into it."""


@dataclass(frozen=True)
class Running:
    """The container, and how a client enters."""

    engine: Engine
    https_port: int
    port: int
    authority: Path

    def sirena(self, *arguments: str, stdin: str | None = None, actor: str = "root") -> str:
        """Run a command of ours inside, as somebody."""
        who = f"SIRENA_USER={actor}"
        return self.engine.podman("exec", "-i", "-e", who, CONTAINER, "sirena", *arguments, stdin=stdin)

    def client(self) -> httpx.Client:
        """A client that trusts the container's own authority and nobody else."""
        context = ssl.create_default_context(cafile=str(self.authority))
        return httpx.Client(base_url=f"https://localhost:{self.https_port}", verify=context, timeout=60)

    def await_ready(self, starts: int = 1) -> None:
        """Wait until `sirena run` has said so after this many starts of the container."""
        deadline = time.monotonic() + READY_SECONDS
        while self.logs().count("running until SIGTERM") < starts:
            assert self.engine.describe(CONTAINER)["State"]["Running"], self.logs()[-3000:]
            assert time.monotonic() < deadline, self.logs()[-3000:]
            time.sleep(1)

    def logs(self) -> str:
        """Everything the container wrote."""
        return self.engine.logs(CONTAINER)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Podman with the image, built from nothing."""
    missing = [name for name in ("podman", "runc", "debootstrap") if not shutil.which(name)]
    assert not missing, (
        f"apt-get install --no-install-recommends podman runc debootstrap ({', '.join(missing)} missing)"
    )
    found = Engine(Path(tempfile.mkdtemp(prefix="containers-of-sirena-", dir="/var/tmp")))
    begun = time.monotonic()
    try:
        found.import_base(BASE)
        based = time.monotonic()
        found.build(BASE, IMAGE)
        size = found.describe(IMAGE)["Size"] / 1e9
        print(f"\nbase {based - begun:.0f} s, image {time.monotonic() - based:.0f} s, {size:.2f} GB")
        yield found
    finally:
        found.discard()


@pytest.fixture(scope="module")
def running(engine: Engine) -> Iterator[Running]:
    """`podman-compose up -d`, on loopback ports of its own."""
    https_port, port, http_port = free_port(), free_port(), free_port()
    settings_file = engine.folder / "settings.env"
    example = (REPOSITORY / "deploy/settings.env.example").read_text(encoding="utf-8")
    settings_file.write_text(f"{example}SIRENA_S3_SIZE_GB=2\n", encoding="utf-8")
    if os.getuid() == 0:
        os.chown(settings_file, ACCOUNT, ACCOUNT)
        settings_file.chmod(0o400)
    settings = {
        "SIRENA_IMAGE": IMAGE,
        "SIRENA_PUBLISH": "127.0.0.1",
        "SIRENA_HTTPS_PORT": str(https_port),
        "SIRENA_PORT": str(port),
        "SIRENA_HTTP_PORT": str(http_port),
        "SIRENA_SETTINGS": str(settings_file),
    }
    authority = engine.folder / "authority.pem"
    found = Running(engine, https_port, port, authority)
    begun = time.monotonic()
    try:
        engine.compose("up", "-d", "--no-build", settings=settings)
        found.await_ready()
        print(f"\nready after {time.monotonic() - begun:.0f} s")
        authority.write_text(engine.podman("exec", CONTAINER, "cat", "/var/lib/sirena/tls/authority.pem"))
        found.sirena("user", "add", "marta", "--role", "scientist", "--password-stdin", stdin=PASSWORD)
        yield found
    finally:
        engine.compose("down", "-v", settings=settings)


def _token(running: Running) -> str:
    return running.sirena("token", "create", "--user", "marta").strip().splitlines()[-1]


def test_the_image_holds_no_secret_and_no_root(engine: Engine) -> None:
    """Its account has no rights, its volume is empty, and neither its history nor its environment names a key."""
    found = engine.describe(IMAGE)
    assert found["Config"]["User"] == "sirena"
    assert list(found["Config"]["Volumes"]) == ["/var/lib/sirena"]
    assert found["Config"]["Labels"]["org.opencontainers.image.title"] == "sirena"
    assert found["Healthcheck"]["Test"] == ["CMD", "sirena", "status"]
    told = str(found["Config"]["Env"]) + engine.podman("history", "--no-trunc", IMAGE)
    assert not re.search(r"password|secret|token|aws_", told, re.IGNORECASE)
    root = Path(engine.podman("image", "mount", IMAGE).strip())
    assert list((root / "var/lib/sirena").iterdir()) == []
    private = [
        str(path.relative_to(root))
        for folder in ("etc", "home", "opt/sirena/etc", "root", "tmp", "var")
        for path in (root / folder).rglob("*")
        if path.is_file() and not path.is_symlink() and b"PRIVATE KEY-----" in path.read_bytes()
    ]
    assert private == []


def test_every_part_is_well(running: Running) -> None:
    """What the health check of the compose file asks."""
    well = re.findall(r"^ +([a-z0-9-]+) +well\b", running.sirena("status"), re.MULTILINE)
    inner = {"postgresql", "ceph-monitor", "ceph-store", "s3", "mlflow", "service", "pages", "access"}
    assert inner | {"entry", "log-rotation", "backup"} <= set(well)


def test_the_container_has_no_rights(running: Running) -> None:
    """No capability, a file system it cannot write, and no process of root."""
    found = running.engine.describe(CONTAINER)
    assert found["HostConfig"]["ReadonlyRootfs"]
    assert not found["EffectiveCaps"]
    users = running.engine.podman("exec", CONTAINER, "ps", "-eo", "user=").split()
    assert set(users) == {"sirena"}


def test_a_person_signs_in_through_tls(running: Running) -> None:
    """Alive for everybody, the rest after signing in."""
    with running.client() as client:
        assert client.get("/livez").json() == {"status": "alive"}
        assert client.get("/version").status_code == 401
        page = client.get("/auth/login").text
        form = {"name": "marta", "password": PASSWORD, "next": "/", "csrf": CSRF.findall(page)[0]}
        signed_in = client.post("/auth/login", data=form, headers={"Origin": f"https://localhost:{running.https_port}"})
        assert signed_in.status_code == 303, signed_in.text
        assert client.get("/auth/me").json()["name"] == "marta"


def test_mlflows_client_stores_and_reads_an_artifact(running: Running) -> None:
    """Through entry, access service, MLflow, PostgreSQL and S3, all in the container."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AWS_"))}
    environment |= {
        "MLFLOW_TRACKING_URI": f"https://localhost:{running.port}",
        "MLFLOW_TRACKING_TOKEN": _token(running),
        "MLFLOW_TRACKING_SERVER_CERT_PATH": str(running.authority),
    }
    told = subprocess.run(
        [sys.executable, "-c", ROUND_TRIP], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert told.returncode == 0, told.stderr[-2000:]
    assert told.stdout.splitlines()[-1] == "ida y vuelta"


def test_the_container_trains_answers_and_backs_up(running: Running) -> None:
    """The how-to's way: a file goes in, author and approver make a release, it answers, the backup proves itself."""
    isolates = running.engine.folder / "isolates.csv"
    command = [sys.executable, "-m", "sirena.cli", "synthesize", "-n", "500", "-o", str(isolates)]
    subprocess.run(command, check=True, timeout=120)
    take_in = "cat > /tmp/isolates.csv"
    running.engine.podman("exec", "-i", CONTAINER, "sh", "-c", take_in, stdin=isolates.read_text(encoding="utf-8"))
    running.sirena("train", "/tmp/isolates.csv", "--labels", "reference", "--drugs", "AMK", actor="ana")
    running.sirena("promote", "--all", "--to", "staging", actor="ana")
    running.sirena("promote", "--all", "--to", "production", actor="luis")
    running.sirena("release", "create", "--note", "first", actor="ana")
    running.sirena("release", "activate", "latest", actor="luis")
    headers = {"Authorization": f"Bearer {_token(running)}"}
    deadline = time.monotonic() + ANSWER_SECONDS
    with running.client() as client:
        while client.get("/readyz", headers=headers).status_code != httpx.codes.OK:
            assert time.monotonic() < deadline, running.sirena("status")
            time.sleep(1)
        asked = {"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": "<=2"}, {"ORGANISM": "eco", "AMK_NM": "64"}]}
        answer = client.post("/invocations", json=asked, headers=headers)
    assert [record["Eti_AMK_NM"] for record in answer.json()["predictions"]] == ["S", "R"]
    running.sirena("backup")
    assert "panel_SIR/1 loads" in running.sirena("drill")


def test_a_second_container_on_the_same_volume_is_refused(running: Running) -> None:
    """Two PostgreSQL on one folder would spoil it."""
    told = running.engine.podman("exec", CONTAINER, "sh", "-c", "sirena run 2>&1; echo $?")
    assert "another `sirena run` holds /var/lib/sirena" in told
    assert told.splitlines()[-1] == "1"
    assert "running until" not in told
    running.sirena("status")


def test_a_killed_container_comes_back_with_its_data(running: Running) -> None:
    """Kill -9 of everything at once, as in a power cut."""
    with running.client() as client:
        headers = {"Authorization": f"Bearer {_token(running)}"}
        body = {"experiment_ids": ["0"]}
        before = client.post("/api/2.0/mlflow/runs/search", json=body, headers=headers).json()
        running.engine.podman("kill", "--signal", "KILL", CONTAINER)
        running.engine.podman("start", CONTAINER)
        running.await_ready(starts=2)
        after = client.post("/api/2.0/mlflow/runs/search", json=body, headers=headers).json()
    assert len(before["runs"]) == 1
    assert after == before


def test_sigterm_ends_everything_in_order(running: Running) -> None:
    """`docker stop`: exit code 0 within the grace of the compose file, and PostgreSQL has shut down by itself."""
    running.engine.podman("stop", "--time", "180", CONTAINER)
    assert running.engine.describe(CONTAINER)["State"]["ExitCode"] == 0
    assert running.logs().rstrip().endswith("everything has ended")
    volume = running.engine.describe(CONTAINER)["Mounts"]
    data = next(Path(mount["Source"]) for mount in volume if mount["Destination"] == "/var/lib/sirena")
    assert "database system is shut down" in (data / "logs/postgresql.log").read_text()
    assert not (data / "postgresql/data/postmaster.pid").exists()
