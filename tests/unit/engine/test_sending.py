"""What commands send to a cluster can be sent, and to count nobody's name is; no cluster is needed to see it."""

import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import polars as pl
import pytest
from ray import cloudpickle

from sirena.acts import answering_release
from sirena.acts.answering_release import AnsweringRelease
from sirena.engine import Part, Result, cluster
from sirena.engine.sealing import Seal
from sirena.panel.compiled import Panel
from tests.command_line import run_command
from tests.unit.acts.test_long_files import tables

NAME = "Nobody Whatsoever"


class Sending:
    """Works here on what was sealed and opened again, as a cluster does elsewhere."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        """Of each pass over the file, its work and its first part."""

    def in_turn(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """See `Engine.in_turn`."""
        seal = Seal.random()
        there = seal.decrypt(seal.encrypt(work, cloudpickle.dumps))
        for number, part in enumerate(parts):
            if not number:
                self.sent.append(cloudpickle.dumps((work, part)))  # type: ignore[no-untyped-call]  # a library without types
            yield pickle.loads(pickle.dumps(there(seal.decrypt(seal.encrypt(part, cloudpickle.dumps)))))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Sending:
    """Stand for the cluster, and a release for the active one."""
    sending = Sending()

    def stands() -> AbstractContextManager[Sending]:
        return nullcontext(sending)

    monkeypatch.setattr(cluster, "ray_engine", stands)
    origin = {"model": "modelo", "version": "1", "release": "panel_SIR/1", "edition": "CLSI 2026", "basis": "reference"}
    panel = Panel(tables(), dict.fromkeys(tables(), origin), "panel_SIR/1")
    monkeypatch.setattr(answering_release, "load_for_answers", lambda _: AnsweringRelease(panel, False))
    return sending


@pytest.fixture
def isolates(tmp_path: Path) -> Path:
    """Return a file of isolates of somebody."""
    path = tmp_path / "isolates.csv"
    pl.DataFrame(
        {
            "PATIENT_ID": [f"{number}" for number in range(60)],
            "LAST_NAME": NAME,
            "ORGANISM": ["eco", "kpn", "pae"] * 20,
            "SPEC_TYPE": "bl",
            "SPEC_DATE": "2026-01-05",
            "AMK_NM": ["2", "16", "x"] * 20,
            "Eti_AMK_NM": ["S", "I", ""] * 20,
        }
    ).write_csv(path)
    return path


@pytest.mark.parametrize(
    "command",
    [
        ["interpret", "--basis", "--existing", "keep"],
        ["antibiogram"],
        ["antibiogram", "--reference"],
        ["reference", "--existing", "keep"],
        ["cells"],
    ],
    ids=" ".join,
)
def test_what_a_command_sends_can_be_sent(
    capfd: pytest.CaptureFixture[str], engine: Sending, isolates: Path, tmp_path: Path, command: list[str]
) -> None:
    """The same is written as without a cluster."""
    name, *options = command
    written = []
    suffix = ".cells.parquet" if name == "cells" else ".csv"
    for works in ("local", "ray"):
        target = tmp_path / f"{works}{suffix}"
        ended = run_command(capfd, [name, isolates, "-o", target, *options, "--engine", works])
        assert ended.code == 0, ended.errors
        written.append(target.read_bytes())
    assert written[0] == written[1]
    assert len(engine.sent) == 2


def test_counting_sends_nobodys_name(
    capfd: pytest.CaptureFixture[str], engine: Sending, isolates: Path, tmp_path: Path
) -> None:
    """To be parsed, rows are sent as they are; to be counted, the columns that are counted."""
    ended = run_command(capfd, ["cells", isolates, "-o", tmp_path / "x.cells.parquet", "--engine", "ray"])
    assert ended.code == 0, ended.errors
    parsed, counted = engine.sent
    assert NAME.encode() in parsed
    assert NAME.encode() not in counted


def test_a_file_that_is_counted_as_a_whole_is_told(
    capfd: pytest.CaptureFixture[str], engine: Sending, isolates: Path, tmp_path: Path
) -> None:
    """Who asked a cluster learns that it has nothing to do."""
    pl.read_csv(isolates, infer_schema=False).write_excel(source := tmp_path / "isolates.xlsx")
    ended = run_command(capfd, ["antibiogram", source, "-o", tmp_path / "x.csv", "--reference", "--engine", "ray"])
    assert ended.code == 0, ended.errors
    assert "one machine works on it" in ended.errors
    assert engine.sent == []
