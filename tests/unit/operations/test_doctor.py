"""What `sirena doctor` finds on a machine: each with the real thing that is wrong."""

import http.server
import os
import re
import socket
import ssl
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sirena.operations.accounts import Account
from sirena.operations.certificates import CertificatePaths, authority_file, self_made
from sirena.operations.doctor.accounts import barrier, look_at_accounts
from sirena.operations.doctor.examination import examine
from sirena.operations.doctor.finding import Finding, Notebook, Verdict
from sirena.operations.doctor.machine import look_at_clock, look_at_memory
from sirena.operations.doctor.network import look_at_authority, look_at_name, look_at_s3, within
from sirena.operations.doctor.places import file_system, look_at_places
from sirena.operations.doctor.ports import look_at_ports
from sirena.operations.doctor.programs import MLFLOW, MLFLOW_ALSO, PYTHON, look_at_programs
from sirena.operations.doctor.standing import StackState, Standing
from sirena.operations.settings import CertificateSource, Settings
from sirena.operations.supervision import Supervisor
from tests.certificates import certificate
from tests.conftest import REPOSITORY
from tests.production_machine import private_home, production_settings

FRESH = Standing(StackState.NONE)
OF_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root starts parts under other accounts")


def named(notebook: Notebook, name: str) -> list[Finding]:
    """Return the findings about one thing."""
    return [one for one in notebook.findings if one.name.startswith(name)]


@pytest.fixture
def settings() -> Iterator[Settings]:
    """A server before its first start; pytest's own folders have paths too long for a socket."""
    with private_home() as folder:
        yield production_settings(folder / "home")


@pytest.fixture
def notebook() -> Notebook:
    """An empty one."""
    return Notebook()


def test_who_holds_a_port_is_named(settings: Settings, notebook: Notebook) -> None:
    """By program, process and account, with the port's setting; the free ones are told beside it."""
    with socket.create_server(("127.0.0.1", settings.mlflow_port)):
        look_at_ports(settings, notebook, FRESH)
    (taken,) = named(notebook, str(settings.mlflow_port))
    assert taken.verdict is Verdict.WRONG
    assert f"(process {os.getpid()}, account {Account.of_this_process().name})" in taken.told
    assert f"kill {os.getpid()}" in taken.remedy
    assert "SIRENA_MLFLOW_PORT" in taken.remedy
    (free,) = named(notebook, "free")
    assert free.verdict is Verdict.WELL
    assert f"{settings.ceph_port}-{settings.ceph_port + 9}" in free.told


def test_a_port_of_our_own_parts_is_well(settings: Settings, notebook: Notebook) -> None:
    """What descends from the supervisor is the stack's own, here this very process."""
    with socket.create_server(("127.0.0.1", settings.mlflow_port)):
        look_at_ports(settings, notebook, Standing(StackState.RUNNING, os.getppid()))
    assert [one.told for one in named(notebook, "held by our own parts")] == [str(settings.mlflow_port)]
    assert named(notebook, str(settings.mlflow_port)) == []


def test_an_address_of_another_machine_is_told(settings: Settings, notebook: Notebook) -> None:
    """NGINX could not listen on it."""
    look_at_ports(settings.model_copy(update={"listen": "192.0.2.7"}), notebook, FRESH)
    (found,) = named(notebook, "address")
    assert (found.verdict, "192.0.2.7" in found.told) == (Verdict.WRONG, True)


def test_a_program_that_is_missing_is_told_with_its_package(
    settings: Settings, notebook: Notebook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Here restic is not in PATH; what lies in the folders of daemons is found all the same."""
    monkeypatch.setenv("PATH", str(tmp_path))
    look_at_programs(settings, notebook)
    (restic,) = named(notebook, "restic")
    assert (restic.verdict, restic.told) == (Verdict.WRONG, "restic is not installed")
    assert restic.remedy == "apt-get install --no-install-recommends restic"
    assert [one.verdict for one in named(notebook, "postgresql")] == [Verdict.WELL]


def test_a_program_that_is_too_old_is_told(
    settings: Settings, notebook: Notebook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """NGINX of 2018 stands first in PATH."""
    old = tmp_path / "nginx"
    old.write_text("#!/bin/sh\necho 'nginx version: nginx/1.14.2' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    look_at_programs(settings, notebook)
    (nginx,) = named(notebook, "nginx")
    assert (nginx.verdict, nginx.told) == (Verdict.WRONG, "nginx 1.14.2 is too old")
    assert nginx.remedy == "install 1.18 or newer"


def test_only_what_the_profile_needs_is_looked_for(settings: Settings, notebook: Notebook) -> None:
    """Ceph with a store of our own, certbot with Let's Encrypt, nothing of the system for one person's machine."""
    changes = {"s3_endpoint_url": "https://minio.example", "tls": CertificateSource.LETS_ENCRYPT}
    look_at_programs(settings.model_copy(update=changes), notebook)
    assert named(notebook, "ceph") == []
    assert [one.verdict for one in named(notebook, "certbot")] == [Verdict.WELL]
    embedded = Notebook()
    look_at_programs(settings.model_copy(update={"profile": "embedded"}), embedded)
    assert {one.name for one in embedded.findings} == {"python", "mlflow"}
    assert {one.verdict for one in embedded.findings} == {Verdict.WELL}


def test_known_versions_are_those_of_the_locks() -> None:
    """Python and MLflow that are shipped, and the MLflow of the compatibility suite."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert f">={PYTHON}," in project["requires-python"]
    assert f"mlflow=={MLFLOW}" in project["dependencies"]
    compatible = (REPOSITORY / "requirements-compat.in").read_text()
    assert re.findall(r"^mlflow==(\S+)", compatible, re.MULTILINE) == list(MLFLOW_ALSO)


def given(settings: Settings, paths: CertificatePaths) -> Settings:
    """Return the settings of a server with a certificate of the hospital's own."""
    files = {"tls_certificate": paths.chain, "tls_key": paths.key}
    return settings.model_copy(update={"tls": CertificateSource.FILES, **files})


@pytest.mark.parametrize(
    ("name", "begins", "ends", "verdict", "told"),
    [
        ("localhost", -10, 90, Verdict.WELL, "days left, files"),
        ("localhost", -10, 10, Verdict.WARNING, "9 days left"),
        ("localhost", -10, 2, Verdict.WRONG, "1 days left"),
        ("localhost", -10, -1, Verdict.WRONG, "has expired"),
        ("localhost", 1, 90, Verdict.WRONG, "is not valid yet"),
        ("elsewhere.example", -10, 90, Verdict.WRONG, "is not for localhost"),
    ],
)
def test_a_certificate_is_looked_into_before_the_first_start(
    settings: Settings,
    notebook: Notebook,
    tmp_path: Path,
    name: str,
    begins: int,
    ends: int,
    verdict: Verdict,
    told: str,
) -> None:
    """Its time, its name; what is not well comes with a remedy."""
    now = datetime.now(UTC)
    paths = certificate(tmp_path / "tls", name, now + timedelta(days=begins), now + timedelta(days=ends))
    examine(given(settings, paths), FRESH, notebook)
    (found,) = named(notebook, "certificate")
    assert (found.verdict, told in found.told) == (verdict, True), found
    assert bool(found.remedy) == (verdict is not Verdict.WELL)


def test_a_key_of_another_certificate_is_told(settings: Settings, notebook: Notebook, tmp_path: Path) -> None:
    """And a file that is not there, by its name."""
    now = datetime.now(UTC)
    span = (now - timedelta(days=1), now + timedelta(days=90))
    one, other = (certificate(tmp_path / place, "localhost", *span) for place in ("one", "other"))
    for paths, told in (
        (CertificatePaths(one.chain, other.key), "is not the key of"),
        (CertificatePaths(one.chain, tmp_path / "gone.key"), "gone.key cannot be read: No such file"),
    ):
        examine(given(settings, paths), FRESH, notebook)
        assert told in named(notebook, "certificate")[-1].told
        assert named(notebook, "certificate")[-1].verdict is Verdict.WRONG


def test_looking_makes_nothing(settings: Settings, notebook: Notebook) -> None:
    """Not even `SIRENA_HOME`; with a home that is there, no certificate and no folder in it."""
    examine(settings, FRESH, notebook)
    assert not settings.home.exists()
    settings.home.mkdir()
    examine(settings, Standing(StackState.DOWN), notebook)
    assert list(settings.home.iterdir()) == []


def test_a_name_that_leads_nowhere_or_elsewhere_is_told(settings: Settings, notebook: Notebook) -> None:
    """Nowhere is wrong; another machine is a warning, since a router may pass it on; one of ours is well."""
    for name in ("a" * 64 + ".example", "192.0.2.7", "localhost"):
        look_at_name(settings.model_copy(update={"server_name": name}), notebook)
    assert [one.verdict for one in notebook.findings] == [Verdict.WRONG, Verdict.WARNING, Verdict.WELL]
    assert "/etc/hosts" in notebook.findings[0].remedy
    look_at_name(settings.model_copy(update={"server_name": "nowhere.invalid"}), notebook)
    # a machine whose name server does not answer cannot know
    assert notebook.findings[-1].verdict in (Verdict.WRONG, Verdict.UNSEEN)


def test_a_look_that_hangs_is_given_up() -> None:
    """Whatever patience a library has."""
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        within(0.2, lambda: time.sleep(30))
    assert time.monotonic() - begun < 5
    with pytest.raises(ValueError, match="its own"):
        within(5, lambda: int("its own"))
    assert within(5, lambda: 7) == 7


def test_an_s3_endpoint_that_does_not_answer_is_told_in_time(settings: Settings, notebook: Notebook) -> None:
    """Nobody listens, or somebody accepts and says nothing; the secret stands in no finding."""
    with socket.socket() as closed, socket.create_server(("127.0.0.1", 0)) as silent:
        closed.bind(("127.0.0.1", 0))
        addresses = [f"http://127.0.0.1:{one.getsockname()[1]}" for one in (closed, silent)]
        for address in addresses:
            begun = time.monotonic()
            look_at_s3(
                Settings(
                    **{
                        **settings.model_dump(exclude={"database_url"}),
                        "s3_endpoint_url": address,
                        "aws_access_key_id": "key-of-test",
                        "aws_secret_access_key": "secret-of-test",
                    }
                ),
                notebook,
            )
            assert time.monotonic() - begun < 6
    assert [one.verdict for one in notebook.findings] == [Verdict.WRONG] * 2
    assert all("does not answer" in one.told for one in notebook.findings), notebook.findings
    assert "of-test" not in str(notebook.findings)
    look_at_s3(settings.model_copy(update={"s3_endpoint_url": "http://127.0.0.1:9"}), notebook)
    assert "without keys" in notebook.findings[-1].told


def test_an_authority_that_cannot_be_asked_is_told(
    settings: Settings, notebook: Notebook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody listens; or it speaks with a certificate nobody vouches for, or says nothing of ACME."""
    made = self_made(settings)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.chain, made.key)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "directory").write_text("{}")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "site")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        there = {
            "tls": CertificateSource.LETS_ENCRYPT,
            "acme_directory": f"https://localhost:{server.server_port}/directory",
        }
        look_at_authority(settings.model_copy(update=there), notebook)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority_file(settings)))
        look_at_authority(settings.model_copy(update=there), notebook)
        server.shutdown()
    look_at_authority(settings.model_copy(update={**there, "acme_directory": "https://127.0.0.1:9/dir"}), notebook)
    assert [one.verdict for one in notebook.findings] == [Verdict.WRONG] * 3
    told = [one.told for one in notebook.findings]
    assert ["CERTIFICATE_VERIFY_FAILED" in told[0], "no directory of ACME" in told[1], "refused" in told[2]] == [
        True
    ] * 3


def test_where_backups_go_is_looked_at(settings: Settings) -> None:
    """Below the home or on its disk is a warning, a place nobody can write is wrong, a bucket is for restic to see."""
    beside = settings.home.parent
    file = beside / "file"
    file.touch()
    for place, verdict, told in (
        ("", Verdict.WARNING, "below SIRENA_HOME"),
        (str(beside / "elsewhere"), Verdict.WARNING, "on the disk of SIRENA_HOME"),
        ("/dev/shm/backups", Verdict.WELL, f"its password elsewhere too: {settings.home}/secrets/backup_password"),
        (str(file / "backups"), Verdict.WRONG, f"{file} cannot be written"),
        ("s3:https://minio.example/backups", Verdict.UNSEEN, "sirena backup"),
    ):
        notebook = Notebook()
        look_at_places(settings.model_copy(update={"backup_repository": place}), notebook, FRESH)
        (found,) = named(notebook, "backup repository")
        assert (found.verdict, told in found.told) == (verdict, True), found


@pytest.mark.parametrize(
    ("total", "available", "running", "verdict"),
    [(16, 12, False, "well"), (1, 1, False, "wrong"), (3, 2, False, "warning"), (16, 1, False, "warning"),
     (16, 1, True, "well")],
)  # fmt: skip
def test_memory_must_do_for_the_stack(
    settings: Settings, notebook: Notebook, tmp_path: Path, total: int, available: int, running: bool, verdict: str
) -> None:
    """And better for a training too; a running stack has its share already."""
    kernel = tmp_path / "meminfo"
    kernel.write_text(f"MemTotal: {total * 2**20} kB\nMemAvailable: {available * 2**20} kB\nHugePages_Total: 0\n")
    look_at_memory(settings, notebook, running=running, memory=kernel)
    assert [one.verdict for one in notebook.findings] == [verdict]


def test_the_clock_is_told_as_the_kernel_counts_it(notebook: Notebook) -> None:
    """What the kernel does not tell is said, and does not fail."""
    for answer in (0, 5, -1):
        look_at_clock(notebook, partial(int, answer))
    assert [one.verdict for one in notebook.findings] == [Verdict.WELL, Verdict.WARNING, Verdict.UNSEEN]
    real = Notebook()
    look_at_clock(real)
    assert real.findings[0].verdict is not Verdict.WRONG


def test_a_folder_in_memory_or_on_another_machine_is_told(settings: Settings, tmp_path: Path) -> None:
    """`/dev/shm` is in memory; a mount of NFS, with a blank in its name, is found among nested mounts."""
    notebook = Notebook()
    look_at_places(settings.model_copy(update={"home": Path("/dev/shm/sirena")}), notebook, FRESH)
    (found,) = named(notebook, "file system")
    assert (found.verdict, found.told.split(",")[0]) == (Verdict.WARNING, "tmpfs")
    mounts = tmp_path / "mountinfo"
    share = tmp_path / "the share"
    share.mkdir()
    mounts.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        f"2 1 0:9 / {str(share).replace(' ', chr(92) + '040')} rw shared:1 - nfs4 nas:/sirena rw\n"
    )
    assert file_system(share, mounts) == "nfs4"
    assert file_system(tmp_path, mounts) == "ext4"


def test_a_home_that_cannot_work_is_told(settings: Settings, notebook: Notebook, tmp_path: Path) -> None:
    """A path too long for a socket; a file in its place; a disk smaller than the artifacts may grow."""
    file = settings.home.parent / "file"
    file.touch()
    for home in (tmp_path / ("a" * 100), file / "home"):
        look_at_places(settings.model_copy(update={"home": home}), notebook, FRESH)
    told = [one.told for one in named(notebook, "SIRENA_HOME") if one.verdict is Verdict.WRONG]
    assert ["too long for a socket" in told[0], "is no folder" in told[1]] == [True, True]
    look_at_places(settings.model_copy(update={"s3_size_gb": 1e6}), notebook, FRESH)
    assert [one.verdict for one in named(notebook, "room for artifacts")] == [Verdict.WARNING]


@OF_ROOT
def test_a_folder_that_bars_an_account_is_named(notebook: Notebook) -> None:
    """The first on the way, however deep the home lies; an account that is not there is told with how to make it."""
    with private_home() as home:
        closed = home / "closed"
        closed.mkdir(mode=0o700)
        settings = production_settings(closed / "deep" / "home", service_account="root")
        assert barrier(Account.named("postgres"), closed) == closed
        look_at_accounts(settings, notebook, FRESH)
        (found,) = named(notebook, "account postgres")
        assert (found.verdict, found.told) == (Verdict.WRONG, f"cannot enter {closed}, which leads to SIRENA_HOME")
        assert f"chmod o+x {closed}" in found.remedy
        assert [one.verdict for one in named(notebook, "account root")] == [Verdict.WELL]
        look_at_accounts(settings.model_copy(update={"home": closed}), notebook, FRESH)
        assert named(notebook, "account postgres")[-1].verdict is Verdict.WELL, "`sirena up` opens the home itself"
        look_at_accounts(settings.model_copy(update={"service_account": "nobody-here"}), notebook, FRESH)
        (absent,) = named(notebook, "account nobody-here")
        assert "useradd --system nobody-here" in absent.remedy
        look_at_accounts(settings.model_copy(update={"account": "root"}), notebook, FRESH)
        assert "PostgreSQL refuses to run as root" in [one.told for one in named(notebook, "account root")]


@OF_ROOT
def test_files_that_the_services_cannot_read_are_named_with_their_setting(notebook: Notebook) -> None:
    """Closed by their own rights, by a folder above, or not there; readable ones are not spoken of."""
    with private_home() as home:
        closed = home / "closed"
        closed.mkdir(mode=0o700)
        files: dict[str, Any] = {
            "gate": closed / "gate.toml",
            "overlay": home / "rules.csv",
            "policy": home / "gone.toml",
        }
        files["gate"].touch()
        files["overlay"].touch(mode=0o600)
        # an interpreter in root's home can be run by root alone; the finding about it is another test's
        settings = production_settings(home / "home", service_account="nobody", **files)
        look_at_accounts(settings, notebook, FRESH)
        told = [one.told for one in named(notebook, "account nobody")]
        assert f"cannot enter {closed}, which leads to SIRENA_GATE" in told
        assert f"cannot read {files['overlay']}, which SIRENA_OVERLAY names" in told
        assert f"SIRENA_POLICY names {files['policy']}, which does not exist" in told
        again = Notebook()
        files["overlay"].chmod(0o644)
        look_at_accounts(settings, again, FRESH)
        assert not [one for one in again.findings if "SIRENA_OVERLAY" in one.told]


@OF_ROOT
def test_an_interpreter_that_an_account_cannot_reach_is_told(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a checkout in root's home."""
    with private_home() as home:
        closed = home / "closed"
        closed.mkdir(mode=0o700)
        program = closed / "python"
        program.symlink_to("/usr/bin/true")
        (closed / "copy").write_bytes(Path("/usr/bin/true").read_bytes())
        monkeypatch.setattr(sys, "executable", str(closed / "copy"))
        look_at_accounts(production_settings(home / "home", service_account="postgres"), notebook, FRESH)
        assert f"cannot enter {closed}, where Sirena or its Python lies" in [one.told for one in notebook.findings]


def test_a_stack_stands_as_it_was_left(settings: Settings) -> None:
    """Never brought up, or down."""
    supervisor = Supervisor(settings.home)
    assert Standing.of(supervisor).state is StackState.NONE
    supervisor.write([])
    assert Standing.of(supervisor).state is StackState.DOWN


def test_the_paths_of_a_certificate_are_told_without_making_it(settings: Settings, notebook: Notebook) -> None:
    """Of a stack that is down, the certificate that was made is looked at; before, that there is none."""
    examine(settings, Standing(StackState.DOWN), notebook)
    assert named(notebook, "certificate")[-1].verdict is Verdict.WRONG
    self_made(settings)
    examine(settings, Standing(StackState.DOWN), notebook)
    assert "our own authority" in named(notebook, "certificate")[-1].told
