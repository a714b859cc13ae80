"""``sirena drift`` as a user runs it, without models; with them in tests/integration/registry/test_answering.py."""

import json
from pathlib import Path

import pytest

from tests.command_line import run_command

EDITION = ("--guideline", "CLSI 2025")


def hospital(folder: Path, *, resistant: int) -> Path:
    """Write 60 E. coli of the last quarter, so many of them resistant, and 60 susceptible of the year before."""
    days = [("2025-11-03", ">4" if number < resistant else "0.25") for number in range(60)]
    rows = [f"{day},bl,eco,{mic}" for day, mic in (*days, *[("2025-05-03", "0.25")] * 60)]
    path = folder / "hospital.csv"
    path.write_text("\n".join(("SPEC_DATE,SPEC_TYPE,ORGANISM,CIP_NM", *rows)) + "\n", encoding="utf-8")
    return path


def test_drift_is_a_table_a_document_a_chart_and_an_exit_code(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """5 where something drifts, in the language of the locale."""
    file, chart = hospital(tmp_path, resistant=30), tmp_path / "drift.svg"
    monkeypatch.setenv("LANGUAGE", "es")
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    ended = run_command(capfd, ["drift", file, *EDITION, "--chart", chart])
    assert ended.code == 5, ended.errors
    assert "Ciprofloxacino (CIP_NM)" in ended.output
    assert "+50,0" in ended.output
    assert "60 resultados" in ended.errors
    assert "deriva: S -50,0, R +50,0" in chart.read_text(encoding="utf-8")
    ended = run_command(capfd, ["drift", file, *EDITION, "--json"])
    document = json.loads(ended.output)
    assert (ended.code, document["drift"], document["answered_by"]) == (5, True, "reference · CLSI 2025")


def test_no_drift_is_exit_code_0(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """And says how much was looked at."""
    ended = run_command(capfd, ["drift", hospital(tmp_path, resistant=0), *EDITION])
    assert ended.code == 0, ended.errors
    assert "0 drift" in ended.output


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--reference", "--period", "all"], "--period"),
        (["--reference", "--period", "yesterday"], "--period"),
        (["--reference", "--period", "2019"], "2019-01-01"),
        (["--reference", "--chart", "drift.docx"], "--chart"),
    ],
)
def test_wrong_use_is_told(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, options: list[str], sentence: str
) -> None:
    """Exit code 2, and a remedy."""
    ended = run_command(capfd, ["drift", hospital(tmp_path, resistant=0), *options])
    assert ended.code == 2
    assert sentence in ended.errors
    assert "remedy" in ended.errors


def test_without_a_release_the_remedy_names_the_reference(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Which compares with last year alone."""
    ended = run_command(capfd, ["drift", hospital(tmp_path, resistant=0)])
    assert ended.code == 2
    assert "--reference" in ended.errors
