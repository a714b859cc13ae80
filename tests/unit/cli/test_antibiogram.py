"""``sirena antibiogram`` as a user runs it."""

import json
import zipfile
from pathlib import Path

import polars as pl
import pytest

from tests.command_line import run_command

ROWS = (
    "PATIENT_ID,SPEC_DATE,SPEC_TYPE,SPEC_REAS,ORGANISM,AMK_NM\n1,2024-01-05,bl,dia,eco,2\n1,2024-02-05,bl,dia,eco,2\n"
)


@pytest.fixture
def isolates(tmp_path: Path) -> Path:
    """Two isolates of one patient."""
    path = tmp_path / "isolates.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".json", ".html", ".xlsx"])
def test_every_form_is_written(capfd: pytest.CaptureFixture[str], isolates: Path, tmp_path: Path, suffix: str) -> None:
    """With the edition that counted, and the repeat left out."""
    target = tmp_path / f"out{suffix}"
    ended = run_command(capfd, ["antibiogram", isolates, "-o", target, "--guideline", "CLSI 2025"])
    assert ended.code == 0, ended.errors
    assert "1 of 2 isolates counted" in ended.errors
    if suffix == ".xlsx":
        with zipfile.ZipFile(target) as workbook:
            assert "CLSI 2025" in workbook.read("xl/sharedStrings.xml").decode()
    else:
        assert "CLSI 2025" in target.read_text(encoding="utf-8")
    if suffix == ".json":
        (cell,) = json.loads(target.read_text(encoding="utf-8"))["cells"]
        assert (cell["n"], cell["S"], cell["percent_s"]) == (1, 1, 100.0)


def test_a_table_for_programs_has_its_dictionary(
    capfd: pytest.CaptureFixture[str], isolates: Path, tmp_path: Path
) -> None:
    """Parquet keeps the types; what each column means stands in a file beside it."""
    target, meanings = tmp_path / "out.parquet", tmp_path / "dictionary.csv"
    ended = run_command(
        capfd, ["antibiogram", isolates, "-o", target, "--guideline", "CLSI 2025", "--dictionary", meanings]
    )
    assert ended.code == 0, ended.errors
    table = pl.read_parquet(target)
    assert table.select("n", "percent_s", "few").row(0) == (1, 100.0, True)
    assert pl.read_csv(meanings)["column"].to_list() == table.columns


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["-o", "out.docx"], "suffix"),
        (["-o", "out.csv", "--charts", "nowhere"], "--charts"),
        (["-o", "out.csv", "--no-expert-rules", "--rules", "ours.csv"], "--rules"),
        (["-o", "out.csv", "--by", "floor"], "--by"),
        (["-o", "out.csv", "--first", "second"], "--first"),
        (["-o", "out.csv", "--period", "last year"], "--period"),
        (["-o", "out.csv", "--leave-out", "sur"], "--leave-out"),
        (["-o", "out.csv", "--reference", "--combination", "AMK+TZP"], "--combination"),
    ],
)
def test_wrong_use_is_told_by_its_option(
    capfd: pytest.CaptureFixture[str],
    isolates: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    sentence: str,
) -> None:
    """Exit code 2, and a remedy."""
    monkeypatch.chdir(isolates.parent)
    ended = run_command(capfd, ["antibiogram", isolates, *options])
    assert ended.code == 2
    assert sentence in ended.errors
    assert "remedy" in ended.errors
