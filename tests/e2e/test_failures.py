"""What goes wrong around a command: places, settings, disks. One message, nothing half-written, no stack trace."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.writing import write_file
from tests.command_line import run_command

CAPTURE = pytest.CaptureFixture[str]


@pytest.fixture
def isolates(tmp_path: Path) -> Path:
    """A small WHONET file."""
    path = tmp_path / "isolates.csv"
    path.write_text("LAST_NAME,ORGANISM,AMK_NM\nGarzonedo,eco,4\nGarzonedo,eco,64\n")
    return path


def test_the_input_is_never_replaced(capfd: CAPTURE, isolates: Path, tmp_path: Path) -> None:
    """Not under its own name, and not under another one."""
    before = isolates.read_bytes()
    (tmp_path / "other.csv").symlink_to(isolates)
    for output in (isolates, tmp_path / "other.csv"):
        for command in ("reference", "interpret"):
            ended = run_command(capfd, [command, isolates, "-o", output])
            assert (ended.code, "is the file that is read" in ended.errors) == (2, True)
    assert isolates.read_bytes() == before


@pytest.mark.parametrize(
    ("place", "told"),
    [("nowhere/out.csv", "its folder does not exist"), ("folder.csv", "is a folder"), ("out.pdf", "no format")],
)
@pytest.mark.parametrize("command", ["reference", "interpret"])
def test_a_wrong_destination_is_told_before_the_work(
    capfd: CAPTURE, isolates: Path, tmp_path: Path, command: str, place: str, told: str
) -> None:
    """Exit code 2; interpret does not even ask for a release."""
    (tmp_path / "folder.csv").mkdir()
    ended = run_command(capfd, [command, isolates, "-o", tmp_path / place])
    assert (ended.code, told in ended.errors, "Traceback" in ended.errors) == (2, True, False)
    assert not (tmp_path / "nowhere").exists()


@pytest.fixture
def full_disk(tmp_path: Path) -> Path:
    """A folder on which 64 KiB can be written."""
    folder = tmp_path / "full"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    made = subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("mounting is not permitted here")
    return folder


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".xlsx", ".sqlite", ".dbf", ".parquet"])
def test_a_full_disk_is_one_message_and_leaves_nothing(
    capfd: CAPTURE, full_disk: Path, tmp_path: Path, suffix: str
) -> None:
    """Whatever the format: no half file, no temporary file."""
    try:
        write_file(generate_hospital(4000, 1), tmp_path / "big.csv")
        ended = run_command(capfd, ["reference", tmp_path / "big.csv", "-o", full_disk / f"out{suffix}"])
        left = list(full_disk.iterdir())
    finally:
        subprocess.run(["umount", full_disk], check=True)
    assert (ended.code, "cannot be written" in ended.errors, "Traceback" in ended.errors) == (2, True, False)
    assert left == []


def test_standard_output_that_is_full_is_told(isolates: Path) -> None:
    """The interpreter does not complain a second time when it closes the stream."""
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "sirena.cli", "reference", isolates, "-o", "-"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (ended.returncode, "standard output: cannot be written" in ended.stderr) == (2, True)
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


@pytest.mark.parametrize(("variable", "value"), [("SIRENA_PORT", "abc"), ("SIRENA_PROFILE", "toy")])
def test_a_wrong_setting_is_named(capfd: CAPTURE, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """The environment variable, not the program's own name of it; exit code 2."""
    monkeypatch.setenv(variable, value)
    ended = run_command(capfd, ["serve"])
    assert (ended.code, ended.errors.startswith(f"sirena: wrong setting: {variable}: ")) == (2, True)


def test_a_home_that_cannot_be_made_is_one_message(
    capfd: CAPTURE, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "home").write_text("")
    monkeypatch.setenv("SIRENA_HOME", str(tmp_path / "home"))
    ended = run_command(capfd, ["certify", "modelo_AMK_NM"])
    assert (ended.code, len(ended.errors.splitlines())) == (1, 1)
    assert str(tmp_path / "home") in ended.errors


def test_an_unforeseen_error_repeats_nothing(capfd: CAPTURE, monkeypatch: pytest.MonkeyPatch, isolates: Path) -> None:
    """Its own words and its trace may hold a cell; the place in the program is enough to report it."""

    def fails(*_: object, **__: object) -> None:
        raise ValueError("Garzonedo")

    monkeypatch.setattr("sirena.whonet.reading.read_file", fails)
    ended = run_command(capfd, ["inspect", isolates])
    assert ended.code == 1
    assert "unforeseen error (ValueError) at cli/inspect.py, line" in ended.errors
    assert "Garzonedo" not in ended.errors


@pytest.mark.parametrize("arguments", [(), ("--audit", "nowhere/audit.csv"), ("--audit", "audit.pdf")])
def test_training_without_mlflow_says_so_within_seconds(
    capfd: CAPTURE, monkeypatch: pytest.MonkeyPatch, isolates: Path, arguments: tuple[str, ...]
) -> None:
    """Nothing listens at port 1; a wrong place for the audit is told first."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    ended = run_command(capfd, ["train", isolates, *arguments])
    assert ended.code == (2 if arguments else 1)
    assert arguments or "the MLflow server at http://127.0.0.1:1 does not answer" in ended.errors
    assert "remedy:" in ended.errors


def test_columns_of_unknown_antimicrobials_are_named_and_not_interpretable(capfd: CAPTURE, tmp_path: Path) -> None:
    """Saying nothing about them would read as if the guideline had no breakpoint; AMC and TOB have theirs."""
    (tmp_path / "more.csv").write_text("ORGANISM,AMK_NM,AMC_NM,TOB_NM,QQQ_NM\neco,4,8,2,4\n")
    ended = run_command(capfd, ["reference", tmp_path / "more.csv", "-o", tmp_path / "out.csv"])
    assert ended.code == 0
    assert "so NI in every row: QQQ_NM" in ended.errors
    assert (tmp_path / "out.csv").read_text().splitlines()[1].startswith("eco,4,S,8,S,2,S,4,NI,")


def test_basis_columns_do_not_fit_dbase_names(capfd: CAPTURE, isolates: Path, tmp_path: Path) -> None:
    """A dBASE name has ten letters; nothing is cut in silence, and the remedy names formats that fit."""
    ended = run_command(capfd, ["reference", isolates, "-o", tmp_path / "out.dbf", "--basis"])
    assert (ended.code, "Write .sqlite" in ended.errors, (tmp_path / "out.dbf").exists()) == (2, True, False)


def test_a_demo_that_is_ended_leaves_no_server_behind(tmp_path: Path) -> None:
    """SIGTERM, as `timeout` and service managers send it, while MLflow comes up."""
    command = [sys.executable, "-m", "sirena.cli", "demo"]
    environment = {**os.environ, "SIRENA_HOME": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as demo:
        deadline = time.monotonic() + 180
        while not list(_processes_naming(tmp_path)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        demo.terminate()
        assert b"interrupted" in demo.communicate(timeout=120)[1]
    assert demo.returncode == 130
    assert list(_processes_naming(tmp_path)) == []


def _processes_naming(home: Path) -> Iterator[str]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = file.read_bytes()
            if os.fsencode(home) in words:
                yield words.decode(errors="replace")
