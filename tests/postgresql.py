"""A private PostgreSQL cluster on loopback, which tests make, start and stop."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from sirena.server.parts.processes import free_port

_SUPERUSER = "cluster_owner"


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL cluster."""

    port: int
    password: str

    def url(self, database: str, user: str = _SUPERUSER, password: str | None = None) -> str:
        """Return the URL of a database for a role."""
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """Run statements as the superuser, each in a transaction of its own."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


@contextmanager
def private_cluster() -> Iterator[Cluster]:
    """Run a PostgreSQL cluster, as user ``postgres`` if we are root, since PostgreSQL refuses to run as root.

    Without PostgreSQL the test is skipped, or fails if `TESTS_NEED_POSTGRESQL` is set.
    """
    programs = _programs()
    if programs is None:
        if os.environ.get("TESTS_NEED_POSTGRESQL"):
            pytest.fail("PostgreSQL is missing: apt-get install postgresql")
        pytest.skip("PostgreSQL is missing: apt-get install postgresql")
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="sirena-postgresql-"))
    password, port = secrets.token_hex(16), free_port()
    password_file = folder / "password"
    password_file.write_text(password)
    if as_user:
        shutil.chown(folder, "postgres")
        shutil.chown(password_file, "postgres")

    def run(*command: str) -> None:
        subprocess.run([*as_user, *command], check=True, capture_output=True, cwd=folder, timeout=180)

    data = str(folder / "data")
    run(str(programs / "initdb"), "-A", "scram-sha-256", "-U", _SUPERUSER, f"--pwfile={password_file}", "-D", data)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    control = [str(programs / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log")]
    try:
        run(*control, "-o", options, "start")
        yield Cluster(port, password)
    finally:
        subprocess.run([*as_user, *control, "-m", "immediate", "stop"], check=False, capture_output=True, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)
