"""Bad input: one clear message, exit code 1 or 2, at once, and never a patient's data or a stack trace."""

import contextlib
import gzip
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest

from sirena.cli import main
from sirena.domain.errors import SirenaError, UsageError
from sirena.whonet.errors import UnavailableFileError, UnreadableFileError
from sirena.whonet.reading import read_file, read_stream
from sirena.whonet.source import Bounds
from sirena.whonet.writing import write_file

Run = Callable[..., tuple[int, str, str]]
GOOD = b"PATIENT_ID,LAST_NAME,ORGANISM,AMK_NM\n" + b"4711,Garzonedo,eco,4\n" * 200
SECRETS = ("4711", "Garzonedo")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process; returns exit code, standard output and standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sirena", *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            main()
        output = capsys.readouterr()
        code = leaving.value.code
        return (code if isinstance(code, int) else 0 if code is None else 1), output.out, output.err

    return call


def frame(rows: int = 200) -> pl.DataFrame:
    """A table that every format holds."""
    return pl.DataFrame({"LAST_NAME": ["Garzonedo"] * rows, "ORGANISM": ["eco"] * rows, "AMK_NM": ["4"] * rows})


def cut(suffix: str, share: float = 0.6) -> Callable[[Path], None]:
    """Return a maker of a file of which only the beginning is there."""

    def make(path: Path) -> None:
        whole = path.with_name(f"whole{suffix}")
        rows = [str(random.Random(number).random()) for number in range(3000)]
        write_file(pl.DataFrame({"ORGANISM": ["eco"] * 3000, "COMMENT": rows}), whole)
        data = whole.read_bytes()
        path.write_bytes(data[: int(share * len(data))])

    return make


def damage(suffix: str) -> Callable[[Path], None]:
    """Return a maker of a file with noise in its middle."""

    def make(path: Path) -> None:
        whole = path.with_name(f"whole{suffix}")
        rows = [str(random.Random(number).random()) for number in range(3000)]
        write_file(pl.DataFrame({"ORGANISM": ["eco"] * 3000, "COMMENT": rows}), whole)
        data = bytearray(whole.read_bytes())
        start = min(len(data) // 3, 4096)
        data[start:-100] = random.Random(1).randbytes(len(data) - start - 100)
        path.write_bytes(data)

    return make


def content(data: bytes) -> Callable[[Path], None]:
    """Return a maker of a file with this content."""

    def make(path: Path) -> None:
        path.write_bytes(data)

    return make


def other_database(path: Path) -> None:
    """Make an SQLite file that is not WHONET's."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE Recipes (Garzonedo TEXT)")
    connection.commit()
    connection.close()


BAD = {
    "empty": (content(b""), "the file is empty"),
    "empty gzip": (content(gzip.compress(b"")), "the file is empty"),
    "header only": (content(b"ORGANISM,AMK_NM\n"), "a header and no isolates"),
    "header and blank lines": (content(b"ORGANISM,AMK_NM\n\n,\n\n"), "a header and no isolates"),
    "no header": (content(b"4711,Garzonedo,eco,4\n" * 3), "names no WHONET column"),
    "other table": (content(b"name,price\napple,3\n"), "names no WHONET column"),
    "prose": (content(b"Dear Garzonedo,\nplease find attached\n"), "names no WHONET column"),
    "truncated gzip": (content(gzip.compress(GOOD * 50)[:-12]), "the gzip file is cut off"),
    "damaged gzip": (content(b"\x1f\x8b\x08" + b"\xff" * 500), "the gzip file is damaged"),
    "duplicate columns": (content(b"ORGANISM,AMK_NM,AMK_NM\neco,4,8\n"), "AMK_NM and AMK_NM"),
    "long row": (content(GOOD + b"4711,Garzonedo,eco,4,8\n"), "row 202 has 5 cells where the header has 4"),
    "short row": (content(GOOD + b"4711,Garz"), "row 202 has 2 cells where the header has 4"),
    "long first row": (content(b"ORGANISM,AMK_NM\neco,4,8\n"), "row 2 has 3 cells where the header has 2"),
    "open quotation mark": (
        content(GOOD + b'4711,"Garzonedo,eco,4\n4712,x",eco,4\n'),
        "row 202 holds an open quotation mark",
    ),
    "NUL bytes": (content(GOOD + b"4711,\0,eco,4\n"), "row 202 holds NUL bytes"),
    "NUL bytes far down": (content(GOOD * 20 + b"4711,\0,eco,4\n"), "holds NUL bytes"),
    "all NUL": (content(bytes(100_000)), "no format that is read"),
    "broken UTF-8": (content(b"\xef\xbb\xbf" + GOOD + b"4711,\xa9,eco,4\n"), "row 202 is not utf-8-sig text"),
    "cut UTF-16": (content(GOOD.decode().encode("utf-16")[:-1]), "is not utf-16-le text"),
    "image": (content(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40), "no format that is read"),
    "noise": (content(random.Random(1).randbytes(100_000)), "no format that is read"),
    "other database": (other_database, "has no table Isolates; it has Recipes"),
    "cut workbook": (cut(".xlsx"), "not a spreadsheet, or a damaged one"),
    "cut database": (cut(".sqlite"), "SQLite file is damaged"),
    "cut parquet": (cut(".parquet"), "Parquet file is damaged"),
    "cut Arrow": (cut(".arrow"), "Arrow file is damaged"),
    "cut dBASE": (cut(".dbf"), "cut off"),
    "cut header of dBASE": (cut(".dbf", 0.0004), "no format|damaged|names no WHONET"),
    "damaged workbook": (damage(".xlsx"), "not a spreadsheet, or a damaged one"),
    "damaged database": (damage(".sqlite"), "SQLite file is damaged"),
    "damaged parquet": (damage(".parquet"), "Parquet file is damaged"),
    "damaged Arrow": (damage(".arrow"), "Arrow file is damaged"),
    "zip of something": (content(b"PK\x03\x04" + b"x" * 1000), "not a spreadsheet"),
    "old Word document": (content(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000)), "not a spreadsheet"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_files_are_one_clear_message(kind: str, run: Run, tmp_path: Path) -> None:
    """Exit code 1 or 2, the reason with a remedy, nothing else, and nothing written."""
    make, complaint = BAD[kind]
    path = tmp_path / "w2024hos.hos"
    make(path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SirenaError, match=complaint):
        read_file(path)
    code, output, error = run("inspect", path)
    assert code in (1, 2)
    assert output == ""
    assert "remedy:" in error
    assert len(error.splitlines()) == 2
    assert not any(secret in error for secret in SECRETS)
    assert before == sorted(tmp_path.iterdir())


def test_a_missing_file_is_wrong_use(run: Run, tmp_path: Path) -> None:
    """Exit code 2."""
    code, _, error = run("inspect", tmp_path / "nowhere.dbf")
    assert (code, "no such file" in error) == (2, True)


def test_a_folder_is_wrong_use(run: Run, tmp_path: Path) -> None:
    """Exit code 2."""
    code, _, error = run("inspect", tmp_path)
    assert (code, "is a folder" in error) == (2, True)


def test_a_file_without_permission_is_told(tmp_path: Path) -> None:
    """As another user, since root may read everything."""
    path = tmp_path / "isolates.csv"
    path.write_bytes(GOOD)
    path.chmod(0)
    if os.geteuid() != 0:
        with pytest.raises(UnavailableFileError, match="no permission"):
            read_file(path)
        return
    for folder in (path, *path.parents):
        folder.chmod(folder.stat().st_mode | (0o111 if folder.is_dir() else 0))
    os.seteuid(65534)
    try:
        with pytest.raises(UnavailableFileError, match="no permission"):
            read_file(path)
    finally:
        os.seteuid(0)


def test_a_wrong_sheet_lists_the_sheets(run: Run, tmp_path: Path) -> None:
    """Exit code 2, with what could be chosen."""
    write_file(frame(), tmp_path / "book.xlsx")
    code, _, error = run("inspect", tmp_path / "book.xlsx", "--sheet", "2024")
    assert (code, "no sheet 2024" in error, "Isolates" in error) == (2, True, True)


def test_no_organism_column_fails_after_the_report(run: Run, tmp_path: Path) -> None:
    """The rest of the file is described all the same."""
    path = tmp_path / "isolates.csv"
    path.write_text("PATIENT_ID,AMK_NM\n4711,4\n")
    code, output, error = run("inspect", path)
    assert (code, "no column names the organism" in error) == (1, True)
    assert "AMK_NM" in output


MEASURE = """
import resource, sys
from sirena.whonet.reading import read_file
import sirena.domain.errors
def read_bytes():
    with open("/proc/self/io") as stream:
        return int(stream.readline().split()[1])
resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    before = read_bytes()
    try:
        read_file(path)
    except sirena.domain.errors.SirenaError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print((read_bytes() - before) / 1024**2, (peak - resident) / 1024)
"""
"""Prints how many MiB each refused file had read of it, and by how many MiB the memory grew."""


def noise(letters: bytes) -> bytes:
    """A mebibyte of chance."""
    return bytes(random.Random(1).choices(letters, k=1024**2))


def test_200_megabytes_of_noise_are_refused_at_once_and_in_little_memory(tmp_path: Path) -> None:
    """Bytes, letters, letters below a header: the beginning is enough to tell."""
    letters = noise(bytes(range(32, 127)) + b"\n;,,\t|")
    paths: list[Path] = []
    for header, block in ((b"", random.Random(1).randbytes(1024**2)), (b"", letters), (b"ORGANISM,AMK_NM\n", letters)):
        paths.append(tmp_path / f"noise-{len(paths)}.csv")
        with paths[-1].open("wb") as stream:
            stream.write(header)
            for _ in range(200):
                stream.write(block)
    result = subprocess.run([sys.executable, "-c", MEASURE, *paths], capture_output=True, text=True, check=True)
    for path in paths:
        path.unlink()
    measured = [tuple(map(float, line.split())) for line in result.stdout.splitlines()]
    assert len(measured) == len(paths)
    for read, grown in measured:
        assert read < 20
        assert grown < 50


def test_a_gzip_bomb_does_not_fill_the_memory(tmp_path: Path) -> None:
    """A packed file that unpacks to far more than a table would is refused on the way."""
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", 9) as stream:
        stream.write(b"ORGANISM,AMK_NM\n")
        for _ in range(300):
            stream.write(b"eco,4\n" * 170_000)
    result = subprocess.run([sys.executable, "-c", MEASURE, path], capture_output=True, text=True, check=True)
    _, grown = map(float, result.stdout.split())
    assert grown < 200


def test_empty_standard_input_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe that broke gives nothing."""
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(UnreadableFileError, match="standard input: the file is empty"):
            read_file("-")


def test_bad_beginnings_never_end_in_another_error(tmp_path: Path) -> None:
    """Whatever is cut, turned or mixed: a SirenaError or a table."""
    chance = random.Random(7)
    path = tmp_path / "any"
    originals: list[bytes] = [GOOD]
    for suffix in (".dbf", ".sqlite", ".parquet", ".arrow", ".xlsx", ".csv.gz"):
        write_file(frame(), tmp_path / f"good{suffix}")
        originals.append((tmp_path / f"good{suffix}").read_bytes())
    for _ in range(300):
        data = bytearray(chance.choice(originals))
        for _ in range(chance.choice([1, 3, 30])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data[: chance.choice([len(data), chance.randrange(1, len(data))])])
        with contextlib.suppress(SirenaError):
            read_file(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_stream_holds_what_its_bounds_allow(pack: Callable[[bytes], bytes]) -> None:
    """Whoever reads for others allows less than the command line."""
    table = b"ORGANISM,AMK_NM\n" + b"eco,2\n" * 40_000
    assert read_stream(BytesIO(pack(table)), "a", bounds=Bounds(300_000, 100_000)).frame.height == 40_000
    with pytest.raises(UsageError, match="holds more than"):
        read_stream(BytesIO(pack(table)), "a", bounds=Bounds(100_000, 100_000))
