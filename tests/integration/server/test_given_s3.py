"""A stack whose artifacts lie in the S3 server of somebody else: keys, bucket and ports of its own."""

import hashlib
import json
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sirena.server.object_store.s3 import Keys, credentials_file
from sirena.server.tls.certificates import authority_file
from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.writing import write_file
from tests.foreign_s3 import ForeignS3
from tests.integration.backup.machines import Machine, machine
from tests.production_machine import closed_port
from tests.workstation import Workstation, workstation

pytestmark = pytest.mark.slow

BUCKET = "hospital-artifacts"
SIZE = 20 * 2**20
"""More than one part of a multipart upload."""
CLIENT = """
import hashlib, os, sys, mlflow
from pathlib import Path
sent = Path("sent.bin")
sent.write_bytes(os.urandom(int(sys.argv[1])))
with mlflow.start_run() as run:
    mlflow.log_artifact(str(sent))
found = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="sent.bin", dst_path="back"))
print(run.info.run_id, *(hashlib.sha256(file.read_bytes()).hexdigest() for file in (sent, found)))
"""


@dataclass(frozen=True)
class Given:
    """The server of somebody else, our stack, and a refused start that waits for an endpoint that is down."""

    foreign: ForeignS3
    server: Machine
    waiting: Machine
    refused: "subprocess.Popen[str]"


@pytest.fixture(scope="module")
def given(foreign: ForeignS3) -> Iterator[Given]:
    """Bring the stack up by the command; beside it, another waits in vain for its endpoint."""
    with (
        closed_port() as nowhere,
        machine(s3_endpoint_url=f"http://127.0.0.1:{nowhere}", user="eva") as waiting,
    ):
        refused = with_keys(waiting, foreign.keys).begin("up", "--profile", "production")
        places = {"s3_endpoint_url": foreign.endpoint, "s3_bucket": BUCKET}
        try:
            with machine(user="eva", poll_seconds=1.0, backup_at="off", **places) as bare:
                server = with_keys(bare, foreign.keys)
                begun = server.sirena("up", "--profile", "production")
                assert begun.returncode == 0, begun.stderr
                yield Given(foreign, server, waiting, refused)
        finally:
            refused.kill()
            refused.communicate()


@dataclass(frozen=True)
class MachineWithKeys(Machine):
    """A machine whose operator has set the keys of a given endpoint."""

    keys: Keys

    @property
    def environment(self) -> dict[str, str]:
        """What its operator has set, the keys among it."""
        return {
            **super().environment,
            "AWS_ACCESS_KEY_ID": self.keys.access,
            "AWS_SECRET_ACCESS_KEY": self.keys.secret,
        }


def with_keys(machine: Machine, keys: Keys) -> MachineWithKeys:
    """Return a machine with keys."""
    return MachineWithKeys(machine.settings, keys)


def done(ended: "subprocess.CompletedProcess[str]") -> str:
    """Return what a command printed, once it is sure that it did what it was asked."""
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def trainer(given: Given, tmp_path_factory: pytest.TempPathFactory) -> Workstation:
    """A scientist."""
    return workstation(given.server, "ana", "scientist", tmp_path_factory.mktemp("people"))


def test_no_part_of_our_own_store_runs_or_exists(given: Given) -> None:
    """Nor does `status` speak of one."""
    told = done(given.server.sirena("status"))
    assert "mlflow" in told
    assert not {"s3", "ceph-monitor", "ceph-store"} & {line.split()[0] for line in told.splitlines() if line.split()}
    assert not (given.server.home / "ceph").exists()
    assert credentials_file(given.server.settings).stat().st_mode & 0o777 == 0o600


def test_mlflows_client_takes_an_artifact_there_and_back(given: Given, trainer: Workstation) -> None:
    """Through TLS, access service and MLflow; the very bytes lie in the bucket of the foreign server."""
    run, sent, back = done(trainer.run("-c", CLIENT, str(SIZE))).split()[-3:]
    assert sent == back
    (key,) = [key for key in given.foreign.objects(BUCKET) if key.endswith(f"{run}/artifacts/sent.bin")]
    body = given.foreign.client().get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert (len(body), hashlib.sha256(body).hexdigest()) == (SIZE, sent)


def test_from_training_to_an_answer_a_backup_and_a_drill(given: Given, trainer: Workstation) -> None:
    """Register, promote, release and answer; backup and drill read and write the foreign server alone."""
    approver = workstation(given.server, "berta", "approver", trainer.folder.parent)
    write_file(generate_hospital(200, 1), trainer.folder / "hospital.csv")
    done(trainer.sirena("train", "hospital.csv", "--drugs", "AMK", "--labels", "reference"))
    done(approver.sirena("promote", "--all", "--to", "production"))
    done(trainer.sirena("release", "create", "--from", "production"))
    done(approver.sirena("release", "activate", "latest"))
    assert [key for key in given.foreign.objects(BUCKET) if key.endswith(".keras")]
    assert answer_to(given.server, approver)["Eti_AMK_NM"] == "S"
    assert "KEEP A COPY of" in given.server.sirena("backup").stderr
    told = done(given.server.sirena("drill"))
    assert f"objects were put into bucket {BUCKET}-drill, which holds them as sent" in told
    assert "answers as recorded of panel_SIR/1" in told
    assert f"{BUCKET}-drill" not in {one["Name"] for one in given.foreign.client().list_buckets()["Buckets"]}


def answer_to(server: Machine, person: Workstation) -> dict[str, str]:
    """Return what the entry answers about one isolate, once the release is there."""
    request = urllib.request.Request(
        f"https://localhost:{server.settings.https_port}/invocations",
        data=json.dumps({"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": "<=2"}]}).encode(),
        headers={"Authorization": f"Bearer {person.token}", "Content-Type": "application/json"},
    )
    context = ssl.create_default_context(cafile=str(authority_file(server.settings)))
    end = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(request, context=context, timeout=60) as answer:
                found: dict[str, str] = json.load(answer)["predictions"][0]
                return found
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 503 or time.monotonic() > end:
                raise
            time.sleep(0.3)


def test_wrong_keys_are_told_before_anything_starts(given: Given) -> None:
    """One line says what and where, another what helps; the secret stands in neither."""
    wrong = Keys(given.foreign.keys.access, "not-the-secret")
    for keys, code in ((wrong, "SignatureDoesNotMatch"), (Keys("nobody", "x"), "InvalidAccessKeyId")):
        said = refused_start(given, keys, BUCKET)
        assert f"the S3 endpoint {given.foreign.endpoint} does not accept the keys: {code}" in said
        assert "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said
        assert keys.secret not in said.replace("endpoint", "").split()


def test_wrong_keys_leave_what_runs_and_its_keys_alone(given: Given) -> None:
    """`up` on the running stack with a mistyped key is refused, and the stack goes on with the keys it had."""
    kept = credentials_file(given.server.settings).read_text()
    refused = with_keys(given.server, Keys("nobody", "x")).sirena("up", "--profile", "production")
    assert (refused.returncode, "does not accept the keys" in refused.stderr) == (1, True)
    assert credentials_file(given.server.settings).read_text() == kept
    assert "mlflow" in done(given.server.sirena("status"))


def test_a_bucket_that_is_missing_and_may_not_be_made_is_told(given: Given) -> None:
    """The keys hold and may make no bucket."""
    said = refused_start(given, given.foreign.guest("guest"), "nowhere")
    assert "has no bucket 'nowhere', and these keys may not make it: " in said
    assert "make the bucket there and let the keys read and write it, or correct SIRENA_S3_BUCKET" in said


def test_a_bucket_of_somebody_else_is_told(given: Given) -> None:
    """It is there, and the keys may not enter it."""
    said = refused_start(given, given.foreign.guest("stranger"), BUCKET)
    assert f"refused bucket {BUCKET!r}: AccessDenied" in said
    assert "let the keys list, read, write and delete in it" in said


def test_an_endpoint_that_is_down_is_told_after_a_minute(given: Given) -> None:
    """The start has waited since the module began, as for a server that boots at the same time."""
    _, said = given.refused.communicate(timeout=300)
    assert given.refused.returncode == 1
    assert f"{given.waiting.settings.s3_endpoint_url} does not answer: EndpointConnectionError" in said
    assert "start it, or correct MLFLOW_S3_ENDPOINT_URL" in said
    assert_nothing_started(given.waiting)


def refused_start(given: Given, keys: Keys, bucket: str) -> str:
    """Start another server with these; return what it said as it was refused."""
    with machine(s3_endpoint_url=given.foreign.endpoint, s3_bucket=bucket, user="eva") as other:
        refused = with_keys(other, keys).sirena("up", "--profile", "production")
        assert refused.returncode == 1
        assert "Traceback" not in refused.stderr
        assert_nothing_started(other)
        return refused.stderr


def assert_nothing_started(server: Machine) -> None:
    """No cluster, no supervisor, no keys that do not hold."""
    assert not (server.home / "postgresql").exists()
    assert not credentials_file(server.settings).exists()
    assert not server.stack.supervisor.is_running()
