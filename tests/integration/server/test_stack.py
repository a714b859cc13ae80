"""The whole stack with its real servers: brought up once, looked at from outside, taken down."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sirena.host.accounts import OsAccount
from sirena.server.tls.certificates import authority_file
from tests.prepared_interpreter import program_text
from tests.running_stack import Running

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[3]
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


def _script(name: str) -> Any:
    specification = importlib.util.spec_from_file_location(name, REPOSITORY / "scripts" / f"{name}.py")
    assert specification
    assert specification.loader
    script = importlib.util.module_from_spec(specification)
    sys.modules[name] = script  # dataclasses look their module up
    specification.loader.exec_module(script)
    return script


follow = _script("follow_guide").follow


def _is_gone(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_status_tells_of_every_part_that_it_is_well(running: Running) -> None:
    """Health, version, port and memory, and exit code 0; the service of a fresh server waits for its first release."""
    told = running.sirena("status")
    assert told.returncode == 0, told.stdout
    assert "well, waits for a release" in told.stdout
    lines = [line.split() for line in told.stdout.splitlines()[2:] if line.strip()]
    parts = {line[0]: line for line in lines}
    for name in ("postgresql", "ceph-monitor", "ceph-store", "s3", "mlflow", "service", "pages", "access", "entry"):
        assert parts[name][1].startswith("well"), told.stdout
        assert "MiB" in parts[name]


def test_doctor_finds_a_running_stack_well_and_changes_nothing(running: Running) -> None:
    """Its ports are its own, its tables as needed, its S3 endpoint answers with the keys kept and with no others."""
    home = running.settings.home
    watched = ("tls", "nginx", "secrets", "supervisor/supervisord.conf", "settings.env", "acme")
    before = _stamps(home, watched)
    told = running.sirena("doctor", "--json")
    assert told.returncode == 0, told.stdout + told.stderr
    assert _stamps(home, watched) == before
    found = {one["name"]: one for one in json.loads(told.stdout)["findings"]}
    assert "11 well: postgresql, " in found["parts"]["told"]
    assert found["held by our own parts"]["told"].startswith(str(running.settings.http_port))
    assert not [one for one in found.values() if "taken by" in one["told"]]
    for name in ("accounts", "audit ledger", "MLflow", "ledger", "backup", "certificate", "postgresql", "ceph"):
        assert found[name]["verdict"] == "well", told.stdout
    endpoint = {"MLFLOW_S3_ENDPOINT_URL": f"http://127.0.0.1:{running.settings.s3_port}"}
    assert "S3 endpoint  well   answers; the bucket sirena is there" in running.sirena("doctor", **endpoint).stdout
    wrong = running.sirena("doctor", **endpoint, AWS_ACCESS_KEY_ID="nobody", AWS_SECRET_ACCESS_KEY="guessed")
    assert (wrong.returncode, "does not accept the keys" in wrong.stdout, "guessed" in wrong.stdout) == (1, True, False)


def _stamps(home: Path, names: tuple[str, ...]) -> dict[str, int]:
    paths = [path for name in names for path in (home / name, *(home / name).rglob("*")) if path.exists()]
    return {str(path): path.stat().st_mtime_ns for path in paths if not path.name.endswith("_temp")}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can look as somebody else")
def test_doctor_says_what_another_account_cannot_see(running: Running) -> None:
    """The parts of root are nobody's to ask: that is said, is no failure of theirs, and needs no trace."""
    if running.python == sys.executable and not OsAccount.named("postgres").can_run(sys.executable):
        pytest.skip("no interpreter here that another account can run")
    as_nobody = ["runuser", "-u", "nobody", "--", running.python, "-m", "sirena.cli", "doctor"]
    environment = {**running.environment, "HOME": "/nonexistent", "SIRENA_PROFILE": "production"}
    told = subprocess.run(as_nobody, env=environment, cwd="/", capture_output=True, text=True, timeout=240, check=False)
    assert (told.returncode, told.stderr) == (0, ""), told.stdout + told.stderr
    assert "another account's, which this one may not ask" in told.stdout
    assert "whether by the stack's own parts cannot be seen" in told.stdout
    as_monitor = [*as_nobody[:-1], "status", "--monitor"]
    told = subprocess.run(
        as_monitor, env=environment, cwd="/", capture_output=True, text=True, timeout=120, check=False
    )
    assert (told.returncode, told.stdout.startswith("SIRENA CRITICAL: the parts below")) == (2, True), told.stderr


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
            capture_output=True, text=True, timeout=120, check=False,
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
        env=environment, capture_output=True, text=True, timeout=400, check=False,
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


def test_no_part_that_listens_but_the_entry_runs_as_root(running: Running) -> None:
    """NGINX's master keeps its rights, its workers do not; what backs up every secret must be able to read them."""
    if os.getuid() != 0 or running.settings.service_account == "root":
        pytest.skip("not started by root, or no interpreter here can be run by an unprivileged account")
    for name, state in running.stack.supervisor.states().items():
        is_root = Path(f"/proc/{state.process_id}").stat().st_uid == 0
        assert is_root == (name in ("entry", "log-rotation", "backup", "leftovers")), name


@pytest.mark.timeout(1200)
def test_the_guide_is_true_three_roles_one_release_one_record(running: Running, tmp_path: Path) -> None:
    """Every command of docs/howto/first-server.md as it stands: production is the approver's alone."""
    guide = (REPOSITORY / "docs" / "howto" / "first-server.md").read_text("utf-8")
    said: dict[str, str] = {}
    prepared = tmp_path / "prepared-sirena"
    prepared.write_text(program_text("-m", "sirena.cli", python=running.python))
    prepared.chmod(0o755)
    for ended in follow(
        guide,
        tmp_path,
        programs={"sirena": str(prepared), "python": running.python},
        environment=running.environment,
        home=running.settings.home,
        port=running.settings.port,
    ):
        assert ended.code == ended.command.expected, f"{ended.command}\n{ended.output}"
        said[f"{ended.command.person}: {ended.command.text}"] = ended.output

    def of(person: str, words: str) -> list[str]:
        return [output for command, output in said.items() if command.startswith(f"{person}: ") and words in command]

    refused = [*of("carl", "python"), *of("carl", "ask $MLFLOW")]
    assert len(refused) == 5
    assert all("needs the right promote_production" in output for output in refused)
    assert all(output.strip().endswith("HTTP 403") for output in of("carl", "ask $MLFLOW"))
    assert "ApproverIsNotAuthor" in of("ana", "production")[0]
    answer = json.loads(of("clara", "curl")[0])
    assert set(answer["predictions"][0]) >= {"Eti_AMK_NM", "Eti_CAZ_NM"}
    assert answer["provenance"]["release"] == "panel_SIR/2"
    assert "panel_SIR/1\tactive" in of("berta", "release list")[-1]
    served = of("root", "audit served")[0]
    assert "panel_SIR/1" in served
    assert "NOT IN THE LEDGER" not in served
    assert [line.split()[4] for line in served.splitlines() if "modelo_" in line] == ["berta"]
    assert "intact" in of("root", "audit verify")[0]
    refusals = running.sirena("audit", "show", "--event", "refusal", "--format", "jsonl").stdout
    assert {json.loads(line)["who"] for line in refusals.splitlines()} >= {"carl", "vera"}
    downloads = running.sirena("audit", "show", "--event", "downloaded", "--format", "jsonl").stdout
    assert {json.loads(line)["details"]["resource"][:9] for line in downloads.splitlines()} == {"models/m-"}


def test_one_row_altered_and_rows_cut_off_are_named(running: Running) -> None:
    """By somebody with every right on the database; the last rows are the access service's, noted in its own file."""
    assert running.get("/metrics")[0] == 403
    rows = [
        json.loads(line)
        for line in running.sirena("audit", "show", "--last", "1000", "--format", "jsonl").stdout.splitlines()
    ]
    last, chosen = rows[-1], next(row for row in rows if row["event"] == "token_created")
    assert last["who"] == "marta"
    settings = running.settings
    password = (settings.home / "secrets" / "postgresql_superuser").read_text()
    where = f"host=127.0.0.1 port={settings.postgres_port} dbname=sirena user=postgres password={password}"
    guards = ("ledger_keeps", "ledger_continues")
    with psycopg.connect(where, autocommit=True) as intruder:
        for change, found in (
            (
                f"UPDATE ledger_entries SET who = 'nobody' WHERE seq = {chosen['seq']}",
                f"entry {chosen['seq']} was altered",
            ),
            (f"DELETE FROM ledger_entries WHERE seq = {last['seq']}", "the end was cut off"),
        ):
            intruder.execute("CREATE TABLE kept AS SELECT * FROM ledger_entries")
            intruder.execute("ALTER TABLE ledger_entries DISABLE TRIGGER ALL")
            intruder.execute(change.encode())
            for name in guards:
                intruder.execute(f"ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER {name}".encode())
            told = running.sirena("audit", "verify")
            assert (told.returncode, found in told.stderr) == (1, True), told.stderr
            intruder.execute("ALTER TABLE ledger_entries DISABLE TRIGGER ALL")
            intruder.execute("TRUNCATE ledger_entries")
            intruder.execute("INSERT INTO ledger_entries SELECT * FROM kept ORDER BY seq")
            intruder.execute("DROP TABLE kept")
            for name in guards:
                intruder.execute(f"ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER {name}".encode())
    assert running.sirena("audit", "verify").returncode == 0


def test_a_changed_setting_is_taken_up_and_on_record(running: Running) -> None:
    """With what it was and what it is; again with the same setting nothing is recorded."""
    for _ in range(2):
        again = running.sirena("up", SIRENA_SESSION_HOURS="8")
        assert again.returncode == 0, again.stderr
        told = running.sirena("audit", "show", "--event", "settings_changed", "--format", "jsonl").stdout.splitlines()
        facts = [json.loads(line)["details"] for line in told]
        assert facts == [{"setting": "SIRENA_SESSION_HOURS", "before": "12.0", "after": "8.0"}]
    running.environment["SIRENA_SESSION_HOURS"] = "8"


def test_collecting_from_a_workstation_shows_and_leaves_removing_to_the_server(
    running: Running, tmp_path: Path
) -> None:
    """Nothing there can keep it out of a backup; an administrator, who may remove, is told where to do it."""
    running.sirena("user", "add", "otto", "--role", "admin", "--no-password")
    administrator = running.sirena("token", "create", "--user", "otto").stdout.strip()
    for token in (running.token, administrator):
        desk = {
            "MLFLOW_TRACKING_URI": f"https://localhost:{running.settings.port}",
            "MLFLOW_TRACKING_TOKEN": token,
            "MLFLOW_TRACKING_SERVER_CERT_PATH": str(authority_file(running.settings)),
            "SIRENA_HOME": str(tmp_path / "desk"),
        }
        shown = running.sirena("gc", **desk)
        assert (shown.returncode, "Versions by what needs them" in shown.stdout) == (0, True), shown.stderr
    refused = running.sirena("gc", "--yes", **desk)
    assert (refused.returncode, "only the server can remove versions" in refused.stderr) == (2, True), refused.stderr
    assert "on the server: sirena gc --yes" in refused.stderr


def test_a_part_that_crashes_comes_back(running: Running) -> None:
    """Killed outright, it answers again by itself."""
    before = running.stack.supervisor.states()["service"].process_id
    assert before
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + 180
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
    assert [pid for pid in pids if not _is_gone(pid)] == []
    told = running.sirena("status")
    assert (told.returncode, "cannot be read: postgresql does not run" in told.stdout) == (1, True)
    assert running.sirena("down").stdout.strip() == "nothing was running"
    assert running.sirena("up").returncode == 0
    status, runs = running.get("/api/2.0/mlflow/experiments/search?max_results=5")
    assert (status, b"Default" in runs) == (200, True)
