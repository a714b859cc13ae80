"""`sirena reference`: a file in, the same file with categories out."""

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from sirena.whonet.reading import read_file
from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.writing import write_file
from tests.command_line import Ended, run_command

ROWS = [
    {"PATIENT_ID": "p1", "ORGANISM": "eco", "SPEC_TYPE": "bl", "AMK_NM": "4", "AMP_NM": "<=2", "AMK_ND30": "17"},
    {"PATIENT_ID": "p2", "ORGANISM": "kpn", "SPEC_TYPE": "ur", "AMK_NM": ">64", "AMP_NM": "<=2", "AMK_ND30": "17"},
    {"PATIENT_ID": "p3", "ORGANISM": "xyzzy", "SPEC_TYPE": "bl", "AMK_NM": "abc", "AMP_NM": "4", "AMK_ND30": ""},
    {"PATIENT_ID": "p4", "ORGANISM": "", "SPEC_TYPE": "", "AMK_NM": "", "AMP_NM": "4", "AMK_ND30": ""},
    {"PATIENT_ID": "Ñuñoa", "ORGANISM": "eco", "SPEC_TYPE": "bl", "AMK_NM": "-1", "AMP_NM": "<=16", "AMK_ND30": ""},
]
STAMP = {"SIRENA": "reference · CLSI 2026"}
Run = Callable[..., Ended]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command."""
    return lambda *arguments: run_command(capfd, arguments)


@pytest.fixture
def isolates(tmp_path: Path) -> Path:
    """A small file with everything that may happen in one."""
    path = tmp_path / "isolates.csv"
    pl.DataFrame(ROWS).write_csv(path)
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_mic_column_gets_its_category_and_nothing_else_changes(run: Run, isolates: Path, tmp_path: Path) -> None:
    """Columns, order and cells of the input stay; expected resistance precedes breakpoints."""
    ended = run("reference", isolates, "-o", tmp_path / "out.csv")
    assert ended.code == 0, ended.errors
    answered = rows_of(tmp_path / "out.csv")
    assert list(answered[0]) == [
        "PATIENT_ID", "ORGANISM", "SPEC_TYPE", "AMK_NM", "Eti_AMK_NM", "AMP_NM", "Eti_AMP_NM", "AMK_ND30", "SIRENA",
    ]  # fmt: skip
    assert {row["SIRENA"] for row in answered} == {"reference · CLSI 2026"}
    assert [{name: row[name] for name in ROWS[0]} for row in answered] == ROWS
    assert [row["Eti_AMK_NM"] for row in answered] == ["S", "R", "NI", "", "NI"]
    assert [row["Eti_AMP_NM"] for row in answered] == ["S", "R", "NI", "NI", "NI"]


def test_the_summary_counts_and_names_places_and_no_contents(run: Run, isolates: Path, tmp_path: Path) -> None:
    """NI by reason, unreadable cells by row, zones once; never a cell."""
    told = run("reference", isolates, "-o", tmp_path / "out.csv").errors
    assert "5 isolates, 2 MIC columns, 9 results  S 2  R 2  NI 5" in told
    for reason in (
        "censored: 1",
        "unreadable_mic: 1",
        "impossible_mic: 1",
        "unknown_organism: 1",
        "missing_organism: 1",
    ):
        assert f"NI {reason}" in told
    assert "zone diameters in mm are no MICs: AMK_ND30" in told
    assert "column AMK_NM" in told
    assert "row 4" in told
    assert not any(secret in told for secret in ("abc", "Ñuñoa", "xyzzy", "p3"))


def test_options_change_what_they_say(run: Run, isolates: Path, tmp_path: Path) -> None:
    """Intrinsic resistance off, and the number of a censored MIC read as it stands."""
    out = tmp_path / "out.csv"
    assert run("reference", isolates, "-o", out, "--no-intrinsic", "--censored", "whonet", "--basis").code == 0
    answered = rows_of(out)
    assert [row["Eti_AMP_NM"] for row in answered] == ["S", "S", "NI", "NI", "I"]
    assert [row["Eti_AMK_NM_reason"] for row in answered] == ["", "", "unreadable_mic", "", "impossible_mic"]
    assert "CLSI 2026" in answered[0]["Eti_AMK_NM_basis"]
    assert [row["Eti_AMK_NM_basis"] for row in answered[2:4]] == [
        "The value is not an MIC; write for example 0.5, <=0.25 or >16.",
        "",
    ]


def test_the_basis_is_told_in_spanish_too(run: Run, isolates: Path, tmp_path: Path) -> None:
    """The guideline's row, or the reason of the NI."""
    assert run("reference", isolates, "-o", tmp_path / "out.csv", "--basis", "--language", "es").code == 0
    answered = rows_of(tmp_path / "out.csv")
    assert answered[0]["Eti_AMK_NM_basis"].startswith("Enterobacterales; cualquier sitio; S <= 4, R >= 16 (CLSI 2026")
    assert answered[1]["Eti_AMP_NM_basis"].startswith("resistencia intrínseca")
    assert answered[2]["Eti_AMP_NM_basis"].startswith("Microorganismo desconocido")


def test_the_basis_of_expected_resistance_says_so(run: Run, isolates: Path, tmp_path: Path) -> None:
    """K. pneumoniae and ampicillin: R at any MIC, marked."""
    run("reference", isolates, "-o", tmp_path / "out.csv", "--basis")
    answered = rows_of(tmp_path / "out.csv")
    assert answered[1]["Eti_AMP_NM"] == "R"
    assert answered[1]["Eti_AMP_NM_basis"].startswith("expected resistance")


def test_each_column_is_answered_by_its_own_guideline(run: Run, tmp_path: Path) -> None:
    """CLSI and EUCAST in one file; an edition named takes the place of the newest of its guideline alone."""
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text("ORGANISM,AMK_NM,AMK_EM,AMK_FM\neco,8,8,8\n", encoding="utf-8")
    ended = run("reference", path, "-o", out, "--basis")
    assert ended.code == 0, ended.errors
    (row,) = rows_of(out)
    assert (row["Eti_AMK_NM"], row["Eti_AMK_NM_basis"].partition("(")[2][:9]) == ("I", "CLSI 2026")
    assert "EUCAST 2026" in row["Eti_AMK_EM_basis"]
    assert (row["Eti_AMK_FM"], row["Eti_AMK_FM_reason"]) == ("NI", "no_breakpoint")
    assert row["SIRENA"] == "reference · CLSI 2026, EUCAST 2026"
    assert "no edition of their guideline is known, so NI in every row: AMK_FM" in ended.errors
    run("reference", path, "-o", out, "--guideline", "EUCAST 2025")
    assert rows_of(out)[0]["SIRENA"] == "reference · CLSI 2026, EUCAST 2025"
    run("reference", path, "-o", out, "--guideline", "EUCAST 2025", "--guideline", "CLSI 2025")
    assert rows_of(out)[0]["SIRENA"] == "reference · CLSI 2025, EUCAST 2025"


def test_the_specimen_chooses_the_site(run: Run, tmp_path: Path) -> None:
    """Pneumococcus and penicillin 0.12: susceptible in blood, resistant in cerebrospinal fluid."""
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text("ORGANISM,SPEC_TYPE,PEN_NM\nspn,bl,0.12\nspn,LCR,0.12\nspn,,0.12\nspn,Zzyzx,0.12\n", "utf-8")
    ended = run("reference", path, "-o", out)
    assert ended.code == 0, ended.errors
    assert [row["Eti_PEN_NM"] for row in rows_of(out)] == ["S", "R", "S", "S"]
    assert [row["Eti_PEN_NM_mark"] for row in rows_of(out)] == ["", "", "not_meningitis", "not_meningitis"]
    assert "unknown specimens: 1 rows" in ended.errors
    assert "Zzyzx" not in ended.errors
    run("reference", path, "-o", out, "--site", "unknown")
    assert [row["Eti_PEN_NM"] for row in rows_of(out)] == ["S", "S", "S", "S"]
    run("reference", path, "-o", out, "--site", "CSF")
    assert [row["Eti_PEN_NM"] for row in rows_of(out)] == ["R", "R", "R", "R"]


def test_a_category_by_a_row_for_urine_alone_is_marked(run: Run, tmp_path: Path) -> None:
    """In blood there is none; where the site is unknown the mark says what the category holds for."""
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text("ORGANISM,SPEC_TYPE,NIT_NM\neco,bl,16\neco,orina,16\neco,,16\n", encoding="utf-8")
    ended = run("reference", path, "-o", out, "--basis")
    answered = rows_of(out)
    assert [row["Eti_NIT_NM"] for row in answered] == ["NI", "S", "S"]
    assert [row["Eti_NIT_NM_mark"] for row in answered] == ["", "", "urine_only"]
    assert [row["Eti_NIT_NM_reason"] for row in answered] == ["other_site", "", ""]
    assert answered[2]["Eti_NIT_NM_basis"].startswith("urine isolates only: order Enterobacterales;")
    assert "marked urine_only: 1" in ended.errors
    for suffix in (".dbf", ".sir"):
        assert run("reference", path, "-o", tmp_path / f"out{suffix}").code == 0
        written = read_file(tmp_path / f"out{suffix}").frame
        assert written["Mk_NIT_NM"].to_list() == [None, None, "urine_only"]


def test_an_indication_answers_only_when_it_is_asked_for(run: Run, tmp_path: Path) -> None:
    """Endocarditis has rows of its own in EUCAST; no specimen tells it."""
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text("ORGANISM,PEN_EM\nsan,0.5\n", encoding="utf-8")
    assert run("reference", path, "-o", out, "--indication", "endocarditis", "--basis").code == 0
    wrong = run("reference", path, "-o", out, "--indication", "toothache")
    assert (wrong.code, "endocarditis" in wrong.errors) == (2, True)


def test_a_workbook_has_a_sheet_with_the_grounds(run: Run, isolates: Path, tmp_path: Path) -> None:
    """Each ground of each column once, with how many answers rest on it; the isolates stay on the first sheet."""
    out = tmp_path / "out.xlsx"
    assert run("reference", isolates, "-o", out).code == 0
    assert read_file(out).frame.columns[-1] == "SIRENA"
    grounds = read_file_sheet(out, "Grounds")
    assert grounds["column"].to_list().count("AMK_NM") == 1
    amikacin = grounds.filter(pl.col("column") == "AMK_NM").row(0, named=True)
    assert (amikacin["edition"], amikacin["susceptible"], amikacin["resistant"]) == ("CLSI 2026", "4", "16")
    assert amikacin["spanish"].startswith("Enterobacterales; cualquier sitio")
    assert "expected_resistance" in grounds["kind"].to_list()


def read_file_sheet(path: Path, sheet: str) -> pl.DataFrame:
    """Return a sheet of a workbook, every cell text."""
    return pl.read_excel(path, sheet_name=sheet, infer_schema_length=0)


def test_a_category_column_already_there_is_refused_kept_or_replaced(run: Run, tmp_path: Path) -> None:
    """Exit code 2 and nothing written, until the user says what to do."""
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text("ORGANISM,AMK_NM,Eti_AMK_NM\neco,4,R\n", encoding="utf-8")
    refused = run("reference", path, "-o", out)
    assert refused.code == 2
    assert "Eti_AMK_NM" in refused.errors
    assert "--existing keep" in refused.errors
    assert not out.exists()
    assert run("reference", path, "-o", out, "--existing", "keep").code == 0
    assert rows_of(out) == [{"ORGANISM": "eco", "AMK_NM": "4", "Eti_AMK_NM": "R", "Eti_AMK_NM_new": "S", **STAMP}]
    assert run("reference", path, "-o", out, "--existing", "replace").code == 0
    assert rows_of(out) == [{"ORGANISM": "eco", "AMK_NM": "4", "Eti_AMK_NM": "S", **STAMP}]


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".xlsx", ".parquet", ".sqlite"])
def test_every_format_is_written_whole(run: Run, tmp_path: Path, suffix: str) -> None:
    """A synthetic hospital comes back with all its columns, whatever the suffix."""
    path, out = tmp_path / "hospital.csv", tmp_path / f"out{suffix}"
    hospital = generate_hospital(60, seed=3)
    hospital = hospital.select(name for name in hospital.columns if not name.startswith("Eti_"))
    write_file(hospital, path)
    ended = run("reference", path, "-o", out)
    assert ended.code == 0, ended.errors
    before, after = read_file(path), read_file(out)
    added = [name for name in after.frame.columns if name.startswith("Eti_") or name == "SIRENA"]
    kept = [name for name in after.frame.columns if name not in added]
    assert kept == before.frame.columns
    assert set(after.category_columns) == set(before.mic_columns)
    assert after.frame.select(kept).equals(before.frame)


def test_standard_streams_carry_the_file_and_nothing_else(
    run: Run, isolates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pipe, standard output is the file; everything said goes to standard error."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(isolates.read_bytes())))
    ended = run("reference", "-", "-o", "-")
    assert ended.code == 0, ended.errors
    assert [row["Eti_AMK_NM"] for row in csv.DictReader(io.StringIO(ended.output))] == ["S", "R", "NI", "", "NI"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", 1),
        (b"\x00\x01\x02" * 500, 1),
        (b"WARD,AMK_NM\nuci,4\n", 1),
        (b"ORGANISM,AMK_ND30\neco,17\n", 1),
        (b"ORGANISM,AMK_NM,AMK_NM\neco,4,8\n", 1),
        (gzip.compress(b"ORGANISM,AMK_NM\neco,4\n" * 900)[:-30], 1),
    ],
    ids=["empty", "noise", "no organism", "zones only", "duplicate column", "truncated gzip"],
)
def test_bad_input_is_one_message_and_nothing_half_written(run: Run, tmp_path: Path, content: bytes, code: int) -> None:
    """One clear message, an exit code, no output file and no leftovers."""
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    ended = run("reference", path, "-o", tmp_path / "out.csv")
    assert ended.code == code
    assert ended.errors.count("sirena: ") == 1
    assert "Traceback" not in ended.errors
    assert sorted(entry.name for entry in tmp_path.iterdir() if entry.is_file()) == ["in.csv"]


@pytest.mark.parametrize(
    "options",
    [
        ("-o", "out.docx"),
        ("-o", "out.csv", "--guideline", "CLSI 1999"),
        ("-o", "out.csv", "--censored", "guess"),
        ("-o", "out.csv", "--existing", "perhaps"),
        ("-o", "out.csv", "--site", "kidney"),
        ("-o", "out.csv", "--language", "fr"),
        ("-o", "out.csv", "--guideline", "CLSI 2025", "--guideline", "CLSI 2026"),
        ("-o", "out.csv", "--sheet", "x"),
        (),
    ],
)
def test_wrong_use_is_exit_code_2(
    run: Run, isolates: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """Wrong options are told before anything is written."""
    monkeypatch.chdir(isolates.parent)
    assert run("reference", isolates, *options).code == 2
    assert not (isolates.parent / "out.csv").exists()
