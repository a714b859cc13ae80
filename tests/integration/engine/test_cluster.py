"""A file on a Ray cluster of several machines: what is written is what one machine writes, whoever ends meanwhile."""

import contextlib
import os
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest
import ray
from ray.cluster_utils import Cluster

from sirena.acts.hospital_counting import count_files
from sirena.domain.errors import SirenaError
from sirena.domain.language import Language
from sirena.engine import Engine, Part, Result, cluster
from sirena.engine.cluster import ClusterError, ray_engine
from sirena.engine.local import LOCAL
from sirena.stewardship.antibiogram import Request
from sirena.stewardship.counting import open_to_count
from sirena.stewardship.exports import as_csv
from sirena.stewardship.strata import Stratum
from sirena.training.shared_cells import write_cells
from sirena.whonet.synthetic import generate_hospital
from tests.unit.acts.test_long_files import WHOLE, Asked, outcome
from tests.unit.stewardship.hospitals import TODAY, counted_file

ISOLATES = 8_000
PART = 100_000
"""Bytes of a part, so that a short file has many."""
_SHARED = 100 * 1024**2
"""Bytes of shared memory of a machine that works: little enough to be filled."""
_STARTS = 4
_PATIENCE = 600
"""Tenths of a second."""


def started(machines: Cluster, **how: Any) -> Any:
    """Start a machine; Ray gives it half a minute, which a busy one may need several times."""
    for _ in range(_STARTS - 1):
        try:
            return machines.add_node(**how)
        except Exception:  # noqa: BLE001 - Ray raises no other class
            continue
    return machines.add_node(**how)


@pytest.fixture(scope="module")
def machines() -> Iterator[Cluster]:
    """Give a cluster of a machine that asks and two that work, each a raylet of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        standing = Cluster()
        started(standing, num_cpus=0, include_dashboard=False)
        for _ in range(2):
            started(standing, num_cpus=1, object_store_memory=_SHARED)
        patch.setenv(cluster.ADDRESS_VARIABLE, standing.address)
        yield standing
        standing.shutdown()  # type: ignore[no-untyped-call]  # a library without types


@pytest.fixture(scope="module")
def engine(machines: Cluster) -> Iterator[Engine]:
    """Give what works on them."""
    with ray_engine() as works:
        yield works


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of isolates."""
    path = tmp_path_factory.mktemp("cluster") / "hospital.csv"
    generate_hospital(ISOLATES, seed=5).write_csv(path)
    return path


@dataclass
class Ending:
    """A cluster of which a machine is killed once two parts of a file are done."""

    engine: Engine
    machines: Cluster
    on_pass: int
    """Over the file: the first parses its parts, the second answers or counts them."""
    passes: int = 0
    parts: int = 0
    """Done after the machine was killed, in that pass."""

    def in_turn(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """Work on the parts."""
        self.passes += 1
        if self.passes != self.on_pass:
            yield from self.engine.in_turn(work, parts)
            return
        one_more = started(self.machines, num_cpus=1)
        for number, result in enumerate(self.engine.in_turn(work, parts)):
            if number == 1:
                self.machines.remove_node(one_more, allow_graceful=False)
            self.parts = number - 1
            yield result


@pytest.mark.parametrize(
    ("asked", "on_pass"),
    [
        (Asked(basis=Language.SPANISH, rules=True), 2),
        (Asked(".parquet"), 1),
        (Asked(".arrow"), 2),
    ],
)
def test_a_machine_that_ends_midway_changes_nothing(
    machines: Cluster, engine: Engine, hospital: Path, asked: Asked, on_pass: int
) -> None:
    """The answer is complete, and the words beside it are the same, as of one machine."""
    content, words, _ = outcome(hospital, asked, 0, PART)
    ending = Ending(engine, machines, on_pass)
    written, said, in_parts = outcome(hospital, asked, 0, PART, ending)
    assert in_parts
    assert content is not None
    assert written == content
    # Ray says too that a machine ended
    assert [line for line in said.splitlines() if line in words.splitlines()] == words.splitlines()
    assert ending.parts > 10


def test_a_model_is_learnt_from_the_same_cells(
    machines: Cluster, engine: Engine, hospital: Path, tmp_path: Path
) -> None:
    """Cells counted on the cluster are, byte for byte, the file that one machine writes; a machine ends meanwhile."""
    written = []
    labelled = tmp_path / "labelled.csv"
    label = pl.when(pl.col("AMK_NM").str.contains("[>6]")).then(pl.lit("R")).otherwise(pl.lit("S"))
    pl.read_csv(hospital, infer_schema=False).with_columns(label.alias("Eti_AMK_NM")).write_csv(labelled)
    ending = Ending(engine, machines, 2)
    for shortest, works in ((WHOLE, LOCAL), (0, ending)):
        (counts,) = count_files(
            [labelled], 0, sheet=None, mapping=None, shortest=shortest, part=PART, engine=works
        ).values()
        path = tmp_path / "hospital.cells.parquet"
        assert write_cells(counts, path)["results"].sum() > ISOLATES / 4
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert ending.parts > 10


def test_an_antibiogram_is_the_same(machines: Cluster, engine: Engine, hospital: Path) -> None:
    """Shares of patients counted on the cluster make the antibiogram of the whole; a machine ends meanwhile."""
    counts = []
    ending = Ending(engine, machines, 2)
    for shortest, works in ((WHOLE, LOCAL), (0, ending)):
        with open_to_count(
            hospital, folder=hospital.parent, today=TODAY, shortest=shortest, part=PART, most_rows=1_500, engine=works
        ) as to_count:
            counted = counted_file(to_count, Request(by=(Stratum.WARD,), wisca=True))
        counts.append((as_csv(counted.antibiogram, Language.ENGLISH), counted.alerts, counted.quality))
    assert counts[0] == counts[1]
    assert ending.parts > 2


def test_parts_are_taken_as_they_are_needed(engine: Engine) -> None:
    """However long a file is, no more of its parts are on the way than its processors take, and a few."""
    taken = 0
    # one that was killed a moment ago may still count
    processors = int(ray.cluster_resources()["CPU"])  # type: ignore[no-untyped-call]  # a library without types

    def parts() -> Iterator[int]:
        nonlocal taken
        for number in range(40):
            taken += 1
            yield number

    for number, result in enumerate(engine.in_turn(abs, parts())):
        assert result == number
        assert taken - number <= processors + 4
    assert taken == 40


class _Opened:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.trace,)


def test_a_cluster_of_another_version_is_refused_before_it_opens_anything(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another Sirena or Polars on its machines could answer otherwise, and make something else of what it is sent."""
    opened = tmp_path / "opened"
    list(engine.in_turn(type, [_Opened(opened)]))
    assert opened.exists()
    opened.unlink()
    for other in ("sirena", "polars"):
        monkeypatch.setattr(cluster, "version", lambda name, other=other: "0.0.1" if name == other else version(name))
        with pytest.raises(ClusterError, match=rf"has {other} \d\S*, this one {other} 0\.0\.1$"):
            list(engine.in_turn(type, [_Opened(opened)]))
    assert not opened.exists()


def _fail(part: str) -> None:
    raise SirenaError(part, hint="a hint")


class _OfTwoTextsError(Exception):
    """Cannot be unpickled: its class wants two texts."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


def _fail_unsendably(part: str) -> None:
    raise _OfTwoTextsError(part, part)


def test_what_a_part_raises_is_raised_and_stands_in_no_log(machines: Cluster, engine: Engine, hospital: Path) -> None:
    """The error is the very one, and nothing of a patient is in what the cluster writes."""
    secret = "Nobody Whatsoever"
    source = hospital.with_name("names.csv")
    rows = pl.read_csv(hospital, infer_schema=False).with_columns(LAST_NAME=pl.lit(secret))
    rows.write_csv(source)
    with pytest.raises(SirenaError, match=secret) as raised:
        list(engine.in_turn(_fail, [secret]))
    assert raised.value.hint == "a hint"
    with pytest.raises(ClusterError, match="_OfTwoTextsError"):
        list(engine.in_turn(_fail_unsendably, [secret]))
    content, _, _ = outcome(source, Asked(), 0, PART, engine)
    assert content is not None
    assert secret.encode() in content
    assert machines.head_node is not None
    logs = Path(machines.head_node.get_session_dir_path())
    written = [path.read_bytes() for path in logs.rglob("*") if path.is_file()]
    assert len(written) > 10
    assert not any(secret.encode() in text for text in written)


def _repeated(part: bytes) -> bytes:
    return part * 4_000_000


def test_whatever_is_written_to_a_disk_of_the_cluster_tells_of_nobody(machines: Cluster, engine: Engine) -> None:
    """Shared memory that is full is written to a disk; what is found there holds no text that was sent."""
    secret = b"Nobody Whatsoever"
    assert machines.head_node is not None
    session = Path(machines.head_node.get_session_dir_path())
    results = engine.in_turn(_repeated, [secret] * 8)
    assert secret in next(results)
    spilt: list[Path] = []
    for _ in range(_PATIENCE):
        spilt = [path for path in session.rglob("ray_spilled_objects*/*") if path.stat().st_size > 1_000_000]
        if spilt:
            break
        time.sleep(0.1)
    assert spilt
    assert not any(secret in path.read_bytes() for path in spilt)
    assert len(list(results)) == 7


def _held(part: tuple[int, Path]) -> int:
    """Leave a trace, and end when nobody waits any more; the first at once."""
    number, folder = part
    Path(folder, str(number)).touch()
    for _ in range(_PATIENCE):
        if not number or Path(folder, "nobody waits").exists():
            break
        time.sleep(0.1)
    return number


def test_when_nobody_takes_results_any_more_parts_that_wait_are_not_begun(engine: Engine, tmp_path: Path) -> None:
    """Others who ask the cluster need not wait for what nobody wants."""
    results = engine.in_turn(_held, ((number, tmp_path) for number in range(5)))
    assert next(results) == 0
    for _ in range(_PATIENCE):
        if len(list(tmp_path.iterdir())) == 3:  # on each of both machines one
            break
        time.sleep(0.1)
    assert isinstance(results, Generator)
    results.close()
    (tmp_path / "nobody waits").touch()
    assert list(engine.in_turn(abs, range(5))) == [*range(5)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2", "nobody waits"]


def addresses(process: int) -> set[str]:
    """Return the addresses on which a process and its descendants listen, as `/proc` tells."""
    sockets = set()
    for one in (process, *(descendant.pid for descendant in psutil.Process(process).children(recursive=True))):
        for descriptor in Path(f"/proc/{one}/fd").glob("*"):
            with contextlib.suppress(FileNotFoundError):
                sockets.add(str(descriptor.readlink()))
    rows = [row.split() for table in ("tcp", "tcp6") for row in Path("/proc/net", table).read_text().splitlines()[1:]]
    # an IPv4 address ends an IPv6 one that stands for it
    places = [row[1].partition(":")[0][-8:] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]
    return {socket.inet_ntoa(bytes.fromhex(place)[::-1]) for place in places}


def test_without_an_address_a_cluster_is_made_and_cleared_away(hospital: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command answers as always; its cluster lies where nobody else looks or reaches; nothing is left."""
    monkeypatch.delenv(cluster.ADDRESS_VARIABLE, raising=False)
    answers = []
    with tempfile.TemporaryDirectory() as temporary:  # pytest's own is too long a path for Ray's sockets
        for name in ("local", "ray"):
            command = [sys.executable, "-m", "sirena.cli", "reference", str(hospital), "-o", "-", "--engine", name]
            with subprocess.Popen(
                command, env={**os.environ, "TMPDIR": temporary}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            ) as process:
                assert process.stdout is not None
                answers.append(process.stdout.read(1))
                listening = addresses(process.pid)
                private = {path.name: stat.S_IMODE(path.stat().st_mode) for path in Path(temporary).iterdir()}
                answers[-1] += process.stdout.read()
            assert process.returncode == 0
            assert listening == ({"127.0.0.1"} if name == "ray" else set())
            assert [mode for path, mode in private.items()] == ([0o700] if name == "ray" else [])
        assert list(Path(temporary).iterdir()) == []
    assert answers[0] == answers[1]
