"""Files in a foreign S3 server are read, answered and counted like files on this machine."""

import math
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from sirena.acts import s3_files
from sirena.acts.file_answering import Output, answer_file
from sirena.acts.file_questions import FileQuestion
from sirena.guidelines.choice import choose_editions
from sirena.guidelines.editions import Editions
from sirena.server.object_store.s3 import Keys
from sirena.whonet.synthetic import generate_hospital
from tests.command_line import Ended, run_command
from tests.foreign_s3 import ForeignS3
from tests.production_machine import closed_port

BUCKET = "laboratory"
_PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def server(foreign: ForeignS3) -> ForeignS3:
    """Return the server, with a bucket."""
    foreign.client().create_bucket(Bucket=BUCKET)
    return foreign


@dataclass(frozen=True)
class Laboratory:
    """Files on this machine, the same files in the bucket, and commands to run on them."""

    server: ForeignS3
    folder: Path
    patch: pytest.MonkeyPatch
    capfd: pytest.CaptureFixture[str]

    def use(self, keys: Keys, endpoint: str) -> None:
        """Set keys and endpoint, as an operator does."""
        self.patch.setenv("AWS_ACCESS_KEY_ID", keys.access)
        self.patch.setenv("AWS_SECRET_ACCESS_KEY", keys.secret)
        self.patch.setenv("MLFLOW_S3_ENDPOINT_URL", endpoint)

    def sirena(self, *arguments: object) -> Ended:
        """Run a command."""
        return run_command(self.capfd, arguments)

    def done(self, *arguments: object) -> str:
        """Run a command that must succeed; return its output."""
        ended = self.sirena(*arguments)
        assert ended.code == 0, ended.errors
        return ended.output + ended.errors

    def content(self, key: str) -> bytes:
        """Return a file of the bucket."""
        return bytes(self.server.client().get_object(Bucket=BUCKET, Key=key)["Body"].read())


@pytest.fixture
def laboratory(
    server: ForeignS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Laboratory:
    """Return a laboratory of two hospitals."""
    here = Laboratory(server, tmp_path, monkeypatch, capfd)
    here.use(server.keys, server.endpoint)
    for seed, name in enumerate(("north", "south")):
        path = tmp_path / f"{name}.csv"
        generate_hospital(300, seed=seed).write_csv(path)
        server.client().upload_file(str(path), BUCKET, f"2026/{name}.csv")
    return here


@pytest.fixture
def meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for temporary files, which is used for nothing else."""
    folder = tmp_path / "meanwhile"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".sqlite"])
def test_a_file_is_answered_from_there_to_there(laboratory: Laboratory, meanwhile: Path, suffix: str) -> None:
    """The same bytes as on this machine; the message names both, and nothing is left behind."""
    there = f"s3://{BUCKET}/answers/north{suffix}"
    said = laboratory.done("reference", f"s3://{BUCKET}/2026/north.csv", "-o", there)
    assert f"written to {there}" in said
    laboratory.done("reference", laboratory.folder / "north.csv", "-o", laboratory.folder / f"here{suffix}")
    assert laboratory.content(f"answers/north{suffix}") == (laboratory.folder / f"here{suffix}").read_bytes()
    assert list(meanwhile.iterdir()) == []


def test_a_program_answers_a_file_from_there_in_any_thread(laboratory: Laboratory, meanwhile: Path) -> None:
    """One call does, and prints nothing; only the first thread could take SIGTERM for itself."""
    editions = choose_editions(Editions())

    def answered() -> int:
        report = answer_file(
            Path(f"s3://{BUCKET}/2026/north.csv"),
            Output(Path(f"s3://{BUCKET}/answers/thread.csv")),
            lambda file: FileQuestion.by_editions(file, editions),
        )
        return report.counts.rows

    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(answered).result() == 300
    assert laboratory.capfd.readouterr() == ("", "")
    laboratory.done("reference", laboratory.folder / "north.csv", "-o", laboratory.folder / "here.csv")
    assert laboratory.content("answers/thread.csv") == (laboratory.folder / "here.csv").read_bytes()
    assert list(meanwhile.iterdir()) == []


def test_an_answer_is_read_again_from_there(laboratory: Laboratory) -> None:
    """A format that programs of this machine open by its name."""
    there = f"s3://{BUCKET}/again/north.sqlite"
    laboratory.done("reference", laboratory.folder / "north.csv", "-o", there)
    again = laboratory.folder / "again.csv"
    laboratory.done("reference", there, "-o", again, "--existing", "replace")
    laboratory.done("reference", laboratory.folder / "north.csv", "-o", laboratory.folder / "here.csv")
    assert again.read_text() == (laboratory.folder / "here.csv").read_text()


def test_a_cluster_answers_a_file_from_there(laboratory: Laboratory) -> None:
    """The same bytes as of a file of this machine."""
    answers = [laboratory.folder / name for name in ("cluster.csv", "here.csv")]
    asked = ["reference", f"s3://{BUCKET}/2026/south.csv", "-o", str(answers[0]), "--engine", "ray"]
    # Ray takes its settings when it is imported, so another cluster of the same process would decide here
    subprocess.run([sys.executable, "-m", "sirena.cli", *asked], check=True, stderr=subprocess.DEVNULL)
    laboratory.done("reference", laboratory.folder / "south.csv", "-o", answers[1])
    assert answers[0].read_bytes() == answers[1].read_bytes()


def test_a_star_names_several_files(laboratory: Laboratory) -> None:
    """Cells of all of them are those of the files of this machine."""
    cells = [laboratory.folder / f"{name}.cells.parquet" for name in ("there", "here")]
    labelled = [laboratory.folder / f"{name}.parquet" for name in ("north", "south")]
    for path in labelled:
        laboratory.done("reference", path.with_suffix(".csv"), "-o", path)
        laboratory.server.client().upload_file(str(path), BUCKET, f"labelled/{path.name}")
    laboratory.done("cells", f"s3://{BUCKET}/labelled/*", "-o", cells[0])
    laboratory.done("cells", *labelled, "-o", cells[1])
    assert cells[0].read_bytes() == cells[1].read_bytes()


def test_an_antibiogram_is_counted_from_there(laboratory: Laboratory) -> None:
    """And sent there."""
    counted = "--reference", "--first", "all"
    laboratory.done("antibiogram", f"s3://{BUCKET}/2026/north.csv", "-o", f"s3://{BUCKET}/north.csv", *counted)
    laboratory.done("antibiogram", laboratory.folder / "north.csv", "-o", laboratory.folder / "here.csv", *counted)
    assert laboratory.content("north.csv") == (laboratory.folder / "here.csv").read_bytes()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (f"s3://{BUCKET}/2026/none.csv", "no such object"),
        (f"s3://{BUCKET}/none/*.csv", "no such object"),
        ("s3://nowhere/2026/north.csv", "no such bucket"),
    ],
)
@pytest.mark.parametrize("command", ["interpret", "reference", "antibiogram", "cells"])
def test_what_is_missing_is_told(laboratory: Laboratory, command: str, source: str, said: str) -> None:
    """One line with its place, another with what helps; nothing is written."""
    answer = laboratory.folder / "answer.cells.parquet"
    refused(laboratory, [command, source, "-o", answer], f"sirena: {source}: {said}")
    assert not answer.exists()


def test_names_that_no_file_of_this_machine_may_have(laboratory: Laboratory, meanwhile: Path) -> None:
    """A key of S3 may be four times as long; none of two strokes is taken for another."""
    long = f"s3://{BUCKET}/{'ñ' * 300}.csv"
    laboratory.done("reference", laboratory.folder / "north.csv", "-o", long)
    laboratory.done("reference", long, "-o", laboratory.folder / "again.csv", "--existing", "replace")
    assert list(meanwhile.iterdir()) == []
    laboratory.server.client().put_object(Bucket=BUCKET, Key="strokes//a.csv", Body=b"")
    answer = laboratory.folder / "strokes.cells.parquet"
    for key in ("strokes//a.csv", "strokes/*"):
        refused(
            laboratory, ["cells", f"s3://{BUCKET}/{key}", "-o", answer], f"s3://{BUCKET}/strokes//a.csv: a key with"
        )


def test_a_folder_for_temporary_files_that_is_away_is_told(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other is taken, which may lie on a disk that is not encrypted."""
    away, answer = laboratory.folder / "away", laboratory.folder / "answer.csv"
    monkeypatch.setenv("TMPDIR", str(away))
    monkeypatch.setattr(tempfile, "tempdir", None)
    refused(laboratory, ["reference", f"s3://{BUCKET}/2026/north.csv", "-o", answer], "TMPDIR: ", str(away))


def test_a_place_that_takes_no_answer_is_told_before_the_file_is_read(laboratory: Laboratory) -> None:
    """Of a bucket that is not there, and of one of somebody else."""
    there = "s3://nowhere/answer.csv"
    refused(laboratory, ["reference", laboratory.folder / "no.csv", "-o", there], f"{there}: no such bucket")
    laboratory.use(laboratory.server.guest("visitor"), laboratory.server.endpoint)
    there = f"s3://{BUCKET}/answer.csv"
    refused(laboratory, ["reference", laboratory.folder / "no.csv", "-o", there], f"{there}: ", "AccessDenied")


def test_the_file_that_is_read_is_never_replaced(laboratory: Laboratory) -> None:
    """Nor by a command that was given a star."""
    source = f"s3://{BUCKET}/2026/north.csv"
    refused(laboratory, ["reference", source, "-o", source], f"{source}: is the file that is read")
    cells = f"s3://{BUCKET}/country.cells.parquet"
    laboratory.done("reference", laboratory.folder / "north.csv", "-o", laboratory.folder / "north.parquet")
    laboratory.done("cells", laboratory.folder / "north.parquet", "-o", cells)
    refused(laboratory, ["cells", f"s3://{BUCKET}/*.cells.parquet", "-o", cells], f"{cells}: is the file that is read")


def test_wrong_keys_and_an_endpoint_that_is_down_are_told(laboratory: Laboratory) -> None:
    """The secret stands nowhere."""
    source, answer = f"s3://{BUCKET}/2026/north.csv", laboratory.folder / "answer.csv"
    wrong = Keys(laboratory.server.keys.access, "not-the-secret"), Keys("nobody", "not-the-secret")
    for keys, code in zip(wrong, ("SignatureDoesNotMatch", "InvalidAccessKeyId"), strict=True):
        laboratory.use(keys, laboratory.server.endpoint)
        told = refused(laboratory, ["reference", source, "-o", answer], f"{source}: ", f"accept the keys: {code}")
        assert "not-the-secret" not in told
    with closed_port() as nowhere:
        laboratory.use(laboratory.server.keys, f"http://127.0.0.1:{nowhere}")
        refused(laboratory, ["reference", source, "-o", answer], f"{source}: ", "does not answer")
    assert not answer.exists()


def test_a_file_that_is_no_table_is_named_as_it_was_given(laboratory: Laboratory, meanwhile: Path) -> None:
    """The folder in which it lay meanwhile is not."""
    laboratory.server.client().put_object(Bucket=BUCKET, Key="letter.csv", Body=b"Dear colleague,\nthank you\n")
    answer = laboratory.folder / "answer.csv"
    ended = laboratory.sirena("reference", f"s3://{BUCKET}/letter.csv", "-o", answer)
    assert ended.code != 0
    assert f"sirena: s3://{BUCKET}/letter.csv: " in ended.errors
    assert str(meanwhile) not in ended.errors
    assert list(meanwhile.iterdir()) == []


def test_a_connection_that_breaks_is_told(laboratory: Laboratory, meanwhile: Path) -> None:
    """Each time that the file comes, before its end."""
    with breaking_midway(laboratory.server.endpoint) as endpoint:
        laboratory.use(laboratory.server.keys, endpoint)
        source, answer = f"s3://{BUCKET}/2026/north.csv", laboratory.folder / "answer.csv"
        refused(laboratory, ["reference", source, "-o", answer], f"{source}: the S3 endpoint does not answer")
    assert not answer.exists()
    assert list(meanwhile.iterdir()) == []


def test_a_file_that_changes_while_it_is_fetched_is_told(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is answered a file of which one half is older than the other."""
    there = {"Bucket": BUCKET, "Key": "changing.csv"}
    laboratory.server.client().put_object(**there, Body=bytes(9 * 1024**2))
    fetching = s3_files._client()
    monkeypatch.setattr(s3_files, "_PIECE", 5 * 1024**2)
    monkeypatch.setattr(s3_files, "_client", lambda: fetching)

    def change(**_: object) -> None:
        laboratory.server.client().put_object(**there, Body=b"another")

    fetching.meta.events.register_first("after-call.s3.GetObject", change, unique_id="once")
    answer = laboratory.folder / "answer.csv"
    refused(laboratory, ["reference", f"s3://{BUCKET}/changing.csv", "-o", answer], "changing.csv: changed while")


@pytest.mark.parametrize(("variable", "value"), [("AWS_PROFILE", "nobody"), ("MLFLOW_S3_ENDPOINT_URL", "http://[::1")])
def test_a_wrong_setting_is_named(laboratory: Laboratory, variable: str, value: str) -> None:
    """What cannot be asked is not said to be down."""
    laboratory.patch.delenv("AWS_ACCESS_KEY_ID")
    laboratory.patch.delenv("AWS_SECRET_ACCESS_KEY")
    laboratory.patch.setenv(variable, value)
    ended = laboratory.sirena("reference", f"s3://{BUCKET}/2026/north.csv", "-o", laboratory.folder / "answer.csv")
    assert ended.code == 2
    assert variable in ended.errors


def test_a_command_that_is_ended_leaves_nothing_behind(laboratory: Laboratory, meanwhile: Path) -> None:
    """By SIGTERM, while an endpoint that never answers is asked."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        laboratory.use(laboratory.server.keys, f"http://127.0.0.1:{silent.getsockname()[1]}")
        silent.settimeout(_PATIENCE_SECONDS)
        answer = str(laboratory.folder / "answer.csv")
        command = [sys.executable, "-m", "sirena.cli", "reference", f"s3://{BUCKET}/a.csv", "-o", answer]
        with subprocess.Popen(command) as process:
            asked, _ = silent.accept()
            with asked:
                (lies,) = meanwhile.iterdir()
                assert lies.stat().st_mode & 0o777 == 0o700
                process.send_signal(signal.SIGTERM)
                assert process.wait(_PATIENCE_SECONDS) == 130
    assert list(meanwhile.iterdir()) == []


@contextmanager
def breaking_midway(endpoint: str) -> Iterator[str]:
    """Give the address of a way to a server on which no answer longer than some headers arrives whole."""
    host, port = endpoint.removeprefix("http://").split(":")

    class Way(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((host, int(port))) as server:
                asking = threading.Thread(target=pass_on, args=(self.request, server), daemon=True)
                asking.start()
                pass_on(server, self.request, at_most=8192)
                self.request.shutdown(socket.SHUT_RDWR)
                asking.join(_PATIENCE_SECONDS)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Way) as way:
        serving = threading.Thread(target=way.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{way.server_address[1]}"
        finally:
            way.shutdown()
            serving.join()


def pass_on(source: socket.socket, target: socket.socket, at_most: float = math.inf) -> None:
    """Pass on what is sent, until that is so many bytes or the sender ends."""
    passed = 0
    with suppress(OSError):
        while passed < at_most and (data := source.recv(4096)):
            target.sendall(data)
            passed += len(data)


def refused(laboratory: Laboratory, arguments: Sequence[object], *told: str) -> str:
    """Run a command that is refused with the exit code for a missing file; return its messages."""
    ended = laboratory.sirena(*arguments)
    assert ended.code == 2, ended.errors
    first, *_ = ended.errors.splitlines()
    assert all(words in first for words in told), ended.errors
    return ended.errors
