"""Nothing behind the entry is open: every listening socket and every file, tried as accounts of the machine."""

import json
import os
import shutil
from pathlib import Path

import pytest

from sirena.host.accounts import OsAccount
from sirena.server.checks import walking
from sirena.server.checks.foreign_access import STRANGER, open_places_of, walk
from sirena.server.checks.listeners import listeners
from sirena.server.entry.nginx import Nginx
from sirena.server.free_ports import wanted_ports
from sirena.server.parts.connections import ClientCertificate, PartConnection, PartConnections
from tests.production_machine import Recorder, entry_of, private_home, production_settings
from tests.running_stack import Running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(os.getuid() != 0, reason="only root gives each part an account of its own"),
]

OWN = {
    STRANGER: (),
    "sirena-objects": ("ceph/", "ceph/**"),
    "postgres": ("postgresql/", "postgresql/**", "secrets/postgresql_superuser"),
    "sirena-mlflow": ("mlflow/", "mlflow/**", "doors/mlflow.pem", "secrets/pgpass_mlflow", "secrets/s3_credentials"),
    "sirena-service": (
        *("answering/", "answering/**", "doors/service.pem", "secrets/pgpass_reader"),
        *("doors/service/", "doors/service/socket"),
    ),
    "sirena-pages": (
        *("pages/", "pages/**", "doors/pages.pem", "secrets/pgpass_pages"),
        *("doors/pages/", "doors/pages/socket", "doors/desk/socket"),
    ),
    "sirena-access": (
        *("service/", "service/**", "doors/access.pem", "secrets/pgpass", "refusals/refusals.jsonl"),
        *("doors/access/", "doors/access/socket", "doors/desk/", "doors/desk/socket"),
    ),
    "sirena-entry": (
        *("logs/entry.jsonl", "doors/service/socket", "doors/pages/socket", "doors/access/socket"),
        *("nginx/body/", "nginx/body/**", "nginx/proxy/", "nginx/proxy/**", "nginx/unused/", "nginx/unused/**"),
    ),
}
"""By account, the files below `SIRENA_HOME` that are its own or that it is there for."""
SECRETS = ("postgresql_superuser", "pgpass_owner", "postgresql_sirena_owner", "pgpass", "postgresql_sirena")
"""Files in `secrets` by which somebody could rule the cluster or write the ledger."""
RIGHTS = {"sirena-access": {"pgpass"}, "postgres": {"postgresql_superuser"}}
"""By account, those that it is there for."""


@pytest.fixture(scope="module", autouse=True)
def another_secret(running: Running) -> None:
    """The stack's parts have the accounts they get by default; it has the password of a repository, too."""
    if running.settings.service_account:
        pytest.skip("no interpreter here that an unprivileged account can run")
    (running.settings.home / "secrets" / "backup_password").write_text("of the repository")
    (running.settings.home / "secrets" / "backup_password").chmod(0o600)


@pytest.fixture(scope="module")
def script(running: Running) -> Path:
    """What is run as the accounts, where all of them can read it."""
    copy = running.settings.home.parent / "walking.py"
    shutil.copyfile(walking.__file__, copy)
    return copy


@pytest.mark.parametrize("name", [STRANGER, "sirena-objects", "sirena-mlflow", "sirena-service", "sirena-pages"])
def test_no_account_but_its_own_gets_anything_behind_the_entry(running: Running, script: Path, name: str) -> None:
    """Ports, sockets and files: a stranger nothing, whoever breaks MLflow or the service nothing of the other parts."""
    part = name.removeprefix("sirena-")
    # the pages may ask at the desk of the access service, too
    sockets = {"objects": ("ceph/run",), "pages": ("doors/pages/socket", "doors/desk/socket")}
    own_sockets = tuple(str(running.settings.home / path) for path in sockets.get(part, (f"doors/{part}/socket",)))
    walked = walk(running.settings, OsAccount.named(name), script)
    found = [
        opening.text
        for opening in open_places_of(running.settings, walked, OWN[name])
        if not opening.text.startswith(own_sockets)
    ]
    tried = sum(1 for path in running.settings.home.rglob("*") if not path.is_symlink())
    print(
        f"\nas {name}: {len(wanted_ports(running.settings))} ports and {tried} files and sockets tried, "
        f"{len(walked['files'])} files readable, {len(found)} that must not be"
    )
    assert found == []
    assert walked["answers"], "the S3 endpoint answers everyone, so a walk without an answer asked nobody"


@pytest.mark.parametrize("name", sorted(OWN))
def test_each_account_holds_its_own_and_no_secret_of_another(running: Running, script: Path, name: str) -> None:
    """Neither the superuser, nor the ledger but for who writes it, nor the backup's password."""
    walked = walk(running.settings, OsAccount.named(name), script)
    seen = {Path(file["path"]).name for file in walked["files"] if "/secrets/" in file["path"]}
    allowed = {Path(pattern).name for pattern in OWN[name] if pattern.startswith("secrets/")}
    assert seen == allowed
    assert not seen & (set(SECRETS) - RIGHTS.get(name, set()))


def test_a_walk_finds_what_is_open(running: Running, script: Path) -> None:
    """The file of a password that everybody may read, and a folder of a socket that everybody may enter."""
    password = running.settings.home / "secrets" / "backup_password"
    folder = running.settings.home / "doors" / "access"
    mode = folder.stat().st_mode & 0o777
    try:
        password.chmod(0o644)
        folder.chmod(0o755)
        found = {
            one.text
            for one in open_places_of(running.settings, walk(running.settings, OsAccount.named(STRANGER), script))
        }
    finally:
        password.chmod(0o600)
        folder.chmod(mode)
    assert f"{password} can be read" in found
    assert f"{folder / 'socket'} can be entered" in found
    assert f"{folder / 'socket'} answered 401 to GET /decide" in found


def test_every_listening_port_of_the_stack_is_among_those_walked(running: Running) -> None:
    """A part that begins to listen elsewhere cannot be overlooked."""
    supervisor = running.stack.supervisor.process_id()
    ours = {port for port, listener in listeners().items() if supervisor in listener.ancestors}
    assert ours
    assert ours <= {port for _, _, port in wanted_ports(running.settings)}


def test_doctor_proves_it_on_this_machine(running: Running) -> None:
    """As the account that is none of Sirena's."""
    told = running.sirena("doctor", "--json")
    found = {one["name"]: one for one in json.loads(told.stdout)["findings"]}
    assert (found["doors"]["verdict"], found["configuration"]["verdict"]) == ("well", "well"), told.stdout


def test_mlflow_and_its_clients_know_each_other_by_certificates_of_this_installation(running: Running) -> None:
    """Another's certificate is answered nothing; whoever took MLflow's port is asked nothing."""
    assert running.sirena("release", "list").returncode == 0
    ours = PartConnections(running.settings)
    with private_home() as home:
        other = production_settings(home)
        entry_of(other)
        forged = ClientCertificate(PartConnections(other).identity().certificate, ours.authority)
        with pytest.raises(OSError, match=r"."):
            PartConnection(running.settings.own_mlflow_url, identity=forged).open("/health", seconds=10)
        with Recorder(other, "mlflow") as squatter, pytest.raises(OSError, match="certificate verify failed"):
            PartConnection(other.own_mlflow_url, identity=ours.identity()).open("/health", seconds=10)
        assert squatter.asked == []


def test_after_every_command_the_configuration_in_force_is_the_one_that_is_meant(running: Running) -> None:
    """A renewed certificate does not take stage control out; what somebody else loaded is told and mended."""
    entry = running.stack.standing_entry()

    def in_force() -> str:
        with entry.health.open("/configuration", seconds=5) as answer:
            return str(answer.read().decode())

    for command in (("certificate", "renew", "--force"), ("up",), ("certificate", "renew")):
        ended = running.sirena(*command)
        assert ended.returncode == 0, ended.stderr
        assert in_force() == entry.mark(Nginx.of_this_machine()), command
        body = {"name": "modelo_AMK_NM", "alias": "production", "version": "1"}
        status, said = running.get("/api/2.0/mlflow/registered-models/alias", body=body)
        assert (status, b"promote_production" in said) == (403, True), command
    assert "meant" in running.sirena("status").stdout
    changed = running.sirena("status", SIRENA_MAX_BODY="2000000")
    assert (changed.returncode, "works by another than the settings mean" in changed.stdout) == (1, True)


def test_an_account_set_later_is_handed_over_what_the_parts_own(running: Running) -> None:
    """And back again: `doctor` says so before, `up` does it, and everything answers."""
    before = running.sirena("doctor", SIRENA_SERVICE_ACCOUNT="postgres")
    assert "another account than the settings name owns" in before.stdout
    assert (
        "SIRENA_SERVICE_ACCOUNT: this machine has no account"
        in running.sirena("settings", "check", SIRENA_SERVICE_ACCOUNT="nobody-here").stdout
    )
    for account in ("postgres", ""):
        up = running.sirena("up", SIRENA_SERVICE_ACCOUNT=account)
        assert up.returncode == 0, up.stderr
        assert running.sirena("status", SIRENA_SERVICE_ACCOUNT=account).returncode == 0
        assert running.get("/livez")[0] == 200
        assert running.get("/api/2.0/mlflow/experiments/search?max_results=1")[0] == 200
