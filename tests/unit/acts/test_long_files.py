"""A long file is answered part by part: the same bytes and the same words as answered whole."""

import contextlib
import csv
import gzip
import io
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sirena.acts.file_answering import Output, answer, open_for_answers
from sirena.acts.file_questions import FileQuestion, rules_to_apply
from sirena.cli.file_remarks import tell_about_answers, tell_about_problems, tell_counts, tell_if_unreadable
from sirena.domain.errors import SirenaError
from sirena.domain.language import Language
from sirena.domain.truth_table import TruthTable
from sirena.engine import Engine, EngineError, Part, Result
from sirena.engine.local import LOCAL
from sirena.guidelines.choice import choose_editions
from sirena.guidelines.editions import Editions
from sirena.panel.file_answers import FileAnswers, PartAnswers
from sirena.panel.placement import Existing
from sirena.settings.catalogue import load_settings
from sirena.whonet import quotes, streamed, streamed_columns, text_parts
from sirena.whonet.distinct_texts import DistinctTexts
from sirena.whonet.reading import read_file
from sirena.whonet.writing import write_file

NEEDLESS = ("pandas.core", "numpy.ma", "rich", "sqlalchemy", "sirena.stewardship.expert")
"""Modules that a file without expert rules, answered for nobody who watches, does not need."""
HEADER = [
    *("SPEC_NUM", "LAST_NAME", "ORGANISM", "LOCAL_ORG", "SPEC_TYPE"),
    *("AMK_NM", "SXT_NM", "CIP_NM", "Cipro", "GEN_ND10"),
]
ORGANISMS = ("eco", "pae", "E. coli BLEE (+)", "EPI", "kpn", "S. aureus (SARM)", "what?", "ORGANISM", "")
MICS = ("4", "<=2", "0,5", "16", ">32", "", "", "23", "R", "20", "40", "1.000", "0.064", "12345678Z", "mg/L")
NAMES = ("Pérez", "Ñandú", "O'Neil", "two\nlines", 'Ana "la" R', "a;b,c", "", "ΩΩ", '"open', "x" * 60)
WHOLE = 10**12
_TABLES: dict[str, TruthTable] = {}


@dataclass(frozen=True)
class Asked:
    """How a file is asked."""

    suffix: str = ".csv"
    basis: Language | None = None
    rules: bool = False
    existing: Existing = Existing.REFUSE
    csv_style: str = "keep"


def tables() -> dict[str, TruthTable]:
    """Return the reference's tables of the columns that occur, compiled once."""
    if not _TABLES:
        editions = choose_editions(Editions(load_settings().editions_folder), (), None)
        _TABLES.update(editions.tables(["AMK_NM", "SXT_NM", "CIP_NM"]))
    return _TABLES


def outcome(
    source: Path, asked: Asked, shortest: int, part: int = 0, engine: Engine = LOCAL
) -> tuple[bytes | None, str, bool]:
    """Return what was written, what was said, and whether the file was read part by part."""
    target = source.with_name(f"answer{asked.suffix}")
    target.unlink(missing_ok=True)
    output = Output(target, asked.existing, asked.basis, asked.csv_style)
    in_parts = False
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            with open_for_answers(source, output, shortest=shortest, part=part, engine=engine) as isolates:
                in_parts = isolates.parts is not None
                question = FileQuestion(
                    lambda column: tables().get(column.model_column),
                    stamp="release 3 · CLSI 2026",
                    source=lambda column: f"{column.name}/1",
                    zones=True,
                    rules=rules_to_apply(asked.rules),
                )
                tell_if_unreadable(isolates.file)
                answered = answer(isolates, output, question)
                tell_about_answers(answered)
                tell_counts(answered.counts)
                tell_about_problems(answered.file, answered.problems)
        except SirenaError as error:
            print(error, error.hint, file=sys.stderr)
    words = "\n".join(line for line in said.getvalue().splitlines() if line.strip())
    assert not list(source.parent.glob(".*.part"))
    if not target.exists():
        return None, words, in_parts
    # gzip is of the same text, but packed part by part
    content = gzip.decompress(target.read_bytes()) if asked.suffix.endswith(".gz") else target.read_bytes()
    return content, words, in_parts


def hospital(rows: int = 60) -> list[list[str]]:
    """Return rows in which everything occurs."""
    return [
        [
            str(number),
            NAMES[number % len(NAMES)],
            ORGANISMS[number % 7],
            "",
            ("ur", "bl", "", "csf", "zz")[number % 5],
            *(MICS[(number * step + number // 7) % len(MICS)] for step in (1, 2, 3, 5, 7)),
        ]
        for number in range(rows)
    ]


def spelt(rows: list[list[str]], delimiter: str = ";", quoting: int = csv.QUOTE_MINIMAL, newline: str = "\n") -> str:
    """Return rows as delimited text."""
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, quoting=quoting, lineterminator=newline).writerows(rows)  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.fixture(autouse=True, scope="module")
def _short_records() -> Iterator[None]:
    """Let a short text have many parts: a quotation is looked at over 2,000 bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quotes, "_LONGEST_RECORD", 1_000)
        patch.setattr(text_parts, "LOOKAHEAD", 2_000)
        yield


OPTIONS = (
    Asked(),
    Asked(basis=Language.SPANISH),
    Asked(rules=True, csv_style="plain"),
    Asked(csv_style="excel-es"),
    Asked(".tsv"),
    Asked(".csv.gz", basis=Language.ENGLISH),
)


ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16")


@pytest.mark.parametrize(
    ("asked", "encoding"),
    [
        *((OPTIONS[0], encoding) for encoding in ENCODINGS),
        *((asked, "utf-8") for asked in OPTIONS[1:]),
        *((asked, ENCODINGS[1 + number % 3]) for number, asked in enumerate(OPTIONS[1:])),
    ],
    ids=str,
)
def test_text_is_the_same_byte_for_byte(asked: Asked, encoding: str, tmp_path: Path) -> None:
    """In every style and encoding, with grounds and expert rules; the same is said of it."""
    rows = [HEADER, *([cell.replace("ΩΩ", "") for cell in row] for row in hospital())]
    source = tmp_path / "isolates.csv"
    source.write_bytes(spelt(rows).encode(encoding))
    whole = outcome(source, asked, WHOLE)
    parts = outcome(source, asked, 0, 400)
    assert parts[2]
    assert whole[:2] == parts[:2]
    assert whole[0]


@pytest.mark.parametrize("last", ["Ñandú".encode("cp1252"), "Ñandú".encode(), "Ñ".encode()[:1]])
def test_a_letter_far_down_tells_the_code_page(last: bytes, tmp_path: Path) -> None:
    """The text begins as UTF-8 would, for longer than its beginning is looked at."""
    source = tmp_path / "isolates.csv"
    rows = "".join(f"{number},eco,4\n" for number in range(20_000)).encode()
    source.write_bytes(b"LAST_NAME,ORGANISM,AMK_NM\n" + rows + b"1,eco," + last)
    whole, parts = outcome(source, Asked(), WHOLE), outcome(source, Asked(), 0, 100_000)
    assert parts[2]
    assert whole[:2] == parts[:2]


def test_a_mark_in_the_last_part_gives_every_part_its_column(tmp_path: Path) -> None:
    """An antimicrobial for urine only, in a row without a specimen."""
    rows = [[str(number), "", "eco", "", "ur", "4", "", "", "", ""] for number in range(90)]
    source = tmp_path / "isolates.csv"
    source.write_text(spelt([HEADER, *rows, ["91", "", "pae", "", "", "4", "", "", "", ""]]))
    whole, parts = outcome(source, Asked(), WHOLE), outcome(source, Asked(), 0, 400)
    assert parts[2]
    assert whole[:2] == parts[:2]
    assert b"Eti_AMK_NM_mark" in (whole[0] or b"").splitlines()[0]


def test_a_border_may_stand_anywhere(tmp_path: Path) -> None:
    """Parts of every length, over quoted lines, blank rows, units and repeated headers."""
    units = ["", "", "", "", "", "mg/L", "mg/L", "mg/L", "mg/L", "mm"]
    rows = [HEADER, units, *hospital(14), [], HEADER, *hospital(9), [], []]
    source = tmp_path / "isolates.csv"
    source.write_bytes(spelt(rows, newline="\r\n").encode())
    whole = outcome(source, Asked(), WHOLE)
    read = 0
    for part in range(60, 1500, 61):
        parts = outcome(source, Asked(), 0, part)
        read += parts[2]
        assert whole[:2] == parts[:2]
    assert read > 12


def test_what_is_wrong_is_said_in_the_same_words(tmp_path: Path) -> None:
    """Ragged rows, an open mark, another table, NUL bytes, no organism, an answer already there."""
    good = spelt([HEADER, *hospital(12)])
    for number, text in enumerate(
        (
            good + "1;2;3\n" + good.partition("\n")[2] + "1;2\n",
            good + '77;"open;eco;;ur;4;4;4;4;4\n78;b";eco;;ur;4;4;4;4;4\n',
            good + "ORGANISM;AMK_NM;CIP_NM;a;b;c;d;e;f;g\n",
            good + "9;a\0;eco;;ur;4;4;4;4;4\n",
            good.replace("ORGANISM", "X").replace("LOCAL_ORG", "Y"),
            good.replace("GEN_ND10", "Eti_AMK_NM"),
            good.replace("GEN_ND10", "SIRENA"),
            good.splitlines()[0] + "\n\n\n",
            "".join(line + ";\n" for line in good.replace("two\nlines", "").splitlines()),
            good.replace("GEN_ND10", ""),
        )
    ):
        source = tmp_path / f"{number}.csv"
        source.write_bytes(text.encode())
        assert outcome(source, Asked(), WHOLE)[:2] == outcome(source, Asked(), 0, 300)[:2]


CELLS = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(ORGANISMS),
    st.sampled_from(("ur", "", "bl", "zz", "Orina")),
    *(st.sampled_from(MICS) for _ in range(4)),
)


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(
    cells=st.lists(CELLS, min_size=1, max_size=25),
    breaks=st.lists(st.integers(0, 25), max_size=3),
    part=st.integers(60, 900),
    delimiter=st.sampled_from(";,\t|"),
    quoting=st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
    newline=st.sampled_from(("\n", "\r\n", "\r")),
    bare=st.booleans(),
    ends=st.sampled_from(("", "\x1a", "\n\n")),
    packed=st.booleans(),
    asked=st.sampled_from(OPTIONS),
)
def test_any_text_is_answered_alike(
    tmp_path_factory: pytest.TempPathFactory,
    cells: list[tuple[str, ...]],
    breaks: list[int],
    part: int,
    delimiter: str,
    quoting: int,
    newline: str,
    bare: bool,
    ends: str,
    packed: bool,
    asked: Asked,
) -> None:
    """Whatever stands in it: what is written, what is said, and what is refused."""
    header = ["NHC", "COMMENT", "ORGANISM", "SPEC_TYPE", "AMK_NM", "SXT_NM", "CIP" if bare else "CIP_NM", "Gentamicina"]
    rows = [[str(number), *row] for number, row in enumerate(cells)]
    for position in breaks:
        rows.insert(position, [] if position % 2 else header)
    text = spelt([header, *rows], delimiter, quoting, newline) + ends
    content = text.encode("cp1252", "replace") if bare else text.encode()
    source = tmp_path_factory.mktemp("long") / "isolates.csv"
    source.write_bytes(gzip.compress(content) if packed else content)
    assert outcome(source, asked, WHOLE)[:2] == outcome(source, asked, 0, part)[:2]


@pytest.mark.parametrize(("suffix", "read"), [(".parquet", pl.read_parquet), (".arrow", pl.read_ipc)])
def test_a_format_of_columns_is_the_same_table(
    suffix: str, read: Callable[[Path], pl.DataFrame], tmp_path: Path
) -> None:
    """Read in batches and written in groups, from text and from such a file with numbers in it; all of it is text."""
    source, typed = tmp_path / "isolates.csv", tmp_path / f"typed{suffix}"
    source.write_text(spelt([HEADER, *hospital(40)]))
    frame = read_file(source).frame
    write_file(frame.with_columns(pl.col("SPEC_NUM").cast(pl.Int64), pl.lit(0.5).alias("IPM_NM")), typed)
    target = tmp_path / f"answer{suffix}"
    for path in (source, typed):
        whole = outcome(path, Asked(suffix), WHOLE)
        answered = read(target)
        parts = outcome(path, Asked(suffix), 0, 300 if path is source else 7)
        assert parts[2]
        assert whole[1] == parts[1]
        written = read(target)
        assert set(written.dtypes) == {pl.String}
        assert written.equals(answered)
        assert outcome(path, Asked(), WHOLE)[:2] == outcome(path, Asked(), 0, 300 if path is source else 7)[:2]


def test_an_arrow_file_of_any_kind_of_text_is_read_alike(tmp_path: Path) -> None:
    """Views, numbered texts with empty ones among them, and one packed batch, as Polars, pandas and R write them."""
    source = tmp_path / "isolates.csv"
    source.write_text(spelt([HEADER, *hospital(60)]))
    frame = read_file(source).frame.with_columns(pl.col("AMK_NM").fill_null(""))
    expected, _, _ = outcome(source, Asked(csv_style="plain"), WHOLE)
    other = tmp_path / "isolates.feather"

    def read_in_parts() -> bytes | None:
        whole, parts = outcome(other, Asked(), WHOLE), outcome(other, Asked(), 0, 7)
        assert parts[2]
        assert whole[:2] == parts[:2]
        return parts[0]

    frame.write_ipc(other)
    assert read_in_parts() == expected
    frame.cast(pl.Categorical).write_ipc(other, compression="lz4", compat_level=pl.CompatLevel.oldest())
    assert read_in_parts() == expected
    numbered = pa.dictionary(pa.int8(), pa.string())
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    table = table.cast(pa.schema([(name, numbered if name == "AMK_NM" else pa.string()) for name in frame.columns]))
    with ipc.new_file(other, table.schema) as writer:
        writer.write_table(table)
    assert read_in_parts() == expected


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow"])
def test_a_column_that_turns_out_to_hold_many_texts_is_answered_alike(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept as numbers in its first parts and as text from then on."""
    monkeypatch.setattr(streamed, "_FEW", 12)
    monkeypatch.setattr(streamed_columns, "_LOOKED_AT", 30)
    wards = [["A", "B", ""][number % 3] if number < 40 else f"ward {number}" for number in range(120)]
    rows = [[ward, *row[1:]] for ward, row in zip(wards, hospital(120), strict=True)]
    source = tmp_path / "isolates.csv"
    source.write_text(spelt([["WARD", *HEADER[1:]], *rows]))
    part = 400
    if suffix != ".csv":
        frame = read_file(source).frame
        source, part = tmp_path / f"isolates{suffix}", 20
        write_file(frame, source)
    whole, parts = outcome(source, Asked(), WHOLE), outcome(source, Asked(), 0, part)
    assert parts[2]
    assert whole[:2] == parts[:2]


def test_texts_that_only_a_files_dictionary_holds_decide_nothing() -> None:
    """A part of a dictionary's rows, some of them empty."""
    array = pa.DictionaryArray.from_arrays(pa.array([3, 0, None, 1, None, 0], pa.int32()), ["a", "b", "unused", "c"])
    texts = DistinctTexts()
    codes = texts.encode(array[1:])
    assert texts.texts == ["a", "b"]
    assert codes.to_pylist() == [0, None, 1, None, 0]


def test_a_table_of_one_row_per_drug_is_read_whole(tmp_path: Path) -> None:
    """The rows of one isolate may stand anywhere."""
    source = tmp_path / "long.csv"
    source.write_text("Muestra,Microorganismo,Antibiotico,CMI\n" + "1,eco,Amikacina,4\n2,eco,Amikacina,8\n" * 3)
    assert not outcome(source, Asked(), 0, 60)[2]


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet", ".arrow"])
@pytest.mark.parametrize("complete", [0, 2])
def test_nothing_is_left_of_work_that_was_interrupted(
    complete: int, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a part of the answer nor the rows that were laid down, whether parts were written already or not."""
    source = tmp_path / "isolates.csv"
    source.write_text(spelt([HEADER, *hospital(300)]))
    target = tmp_path / f"answer{suffix}"
    target.write_text("before")
    parts = itertools.count()
    of_part = FileAnswers.of_part

    def interrupt(answers: FileAnswers, frame: pl.DataFrame) -> PartAnswers:
        if next(parts) >= complete:
            raise KeyboardInterrupt
        return of_part(answers, frame)

    monkeypatch.setattr(FileAnswers, "of_part", interrupt)
    output = Output(target, Existing.REFUSE, None)
    question = FileQuestion(lambda column: tables().get(column.model_column), stamp="x")
    with open_for_answers(source, output, shortest=0, part=400) as isolates:
        assert isolates.parts is not None
        with pytest.raises(KeyboardInterrupt):
            answer(isolates, output, question)
    assert target.read_text() == "before"
    assert {path.name for path in tmp_path.iterdir()} == {"isolates.csv", target.name}


class _Failing:
    """An engine that fails, as a cluster does whose machines are gone."""

    def in_turn(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:  # noqa: ARG002
        raise EngineError("the cluster is gone", hint="look at it")


@pytest.mark.parametrize("suffix", [".csv", ".arrow"])
def test_an_engine_that_fails_is_said_and_the_file_is_not_blamed(tmp_path: Path, suffix: str) -> None:
    """Nothing is written, and nobody is told that the file cannot be read in parts."""
    source = tmp_path / f"isolates{suffix}"
    write_file(pl.DataFrame(hospital(), HEADER, orient="row"), source)
    assert outcome(source, Asked(), 0, 400, _Failing()) == (None, "the cluster is gone look at it", False)


def test_a_long_file_does_not_wait_for_what_it_does_not_need(tmp_path: Path) -> None:
    """Some words of Arrow's import pandas, some of Polars' masked arrays: that takes longer than many isolates."""
    rows = [["eco", "ur", "<=2"], ["", "", ""], ["kpn", "", "16"]]
    program = "import sys; from sirena.cli import main; from sirena.whonet import streamed; streamed.SHORTEST = 0\n"
    targets = []
    for suffix in (".csv", ".arrow"):
        source, target = tmp_path / f"isolates{suffix}", tmp_path / f"answer{suffix}"
        write_file(pl.DataFrame(rows, ["ORGANISM", "SPEC_TYPE", "AMK_NM"], orient="row"), source)
        program += (
            f"sys.argv = ['sirena', 'reference', {str(source)!r}, '-o', {str(target)!r}]\n"
            "try: main()\n"
            "except SystemExit as end:\n"
            "    if end.code: raise\n"
            f"needless = sys.modules.keys() & {set(NEEDLESS)}\n"
            f"if needless: sys.exit('{suffix} imports ' + ', '.join(needless))\n"
        )
        targets.append(target)
    process = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert all(target.exists() for target in targets)
