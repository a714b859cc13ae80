"""A tenth of the graded questions through the whole chain: trained, certified, released, asked by file and by HTTP."""

import contextlib
import csv
import gzip
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import polars as pl
import pytest

from sirena.cli import main
from tests.prepared_interpreter import PreparedPopen

Question = dict[str, str]

_LETTERS: Final = {"CLSI": "N", "EUCAST": "E"}
_YEARS: Final = ("2025", "2026")
_SHARE: Final = 0.1
_DIFFERING: Final = 0.005
"""Largest share of the questions that may be answered otherwise."""


def _questions(shared_data: Path) -> list[Question]:
    """Return the questions to the antimicrobials that are asked most, until they are a tenth of all."""
    rows: list[Question] = []
    for name in ("cells_shared.csv.gz", "further/cells_shared.csv.gz"):
        with gzip.open(shared_data / "reference" / "facts" / name, "rt", encoding="utf-8") as stream:
            rows += list(csv.DictReader(stream))
    chosen: set[tuple[str, str]] = set()
    count = 0
    for pair, number in Counter((row["edition"], row["drug"]) for row in rows).most_common():
        if count >= _SHARE * len(rows):
            break
        chosen.add(pair)
        count += number
    # a screen or a route is asked for by name, which no specimen does
    return [row for row in rows if (row["edition"], row["drug"]) in chosen]


def _column(question: Question) -> str:
    return f"{question['drug']}_{_LETTERS[question['edition'].split()[0]]}M"


def _record(question: Question) -> dict[str, str]:
    return {"ORGANISM": question["organism"], "SPEC_TYPE": question["specimen"], _column(question): question["mic"]}


def _grave(question: Question, answer: str) -> bool:
    """Tell S for R, S where nothing may be said, and I for R."""
    right = {question["expected"], *filter(None, question["alternatives"].split("|"))}
    if answer in right:
        return False
    return (answer == "S" and bool(right & {"R", "NS", "NI"})) or (answer in ("I", "SDD") and "R" in right)


def _sirena(*arguments: object) -> None:
    """Run a command that must succeed."""
    output = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
    ):
        patch.setattr(sys, "argv", ["sirena", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
    assert left.value.code in (0, None), output.getvalue()


@contextlib.contextmanager
def _service(home: Path) -> Iterator[str]:
    log = home / "serve.log"
    with log.open("w") as errors:
        process = PreparedPopen([sys.executable, "-m", "sirena.cli", "serve", "--port", "0"], stderr=errors)
    try:
        url = None
        while url is None and process.poll() is None:
            url = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
        assert url, log.read_text()
        yield url.group()
    finally:
        process.terminate()
        process.wait(20)


def _by_file(home: Path, questions: list[Question]) -> list[str]:
    asked, answered = home / "asked.csv", home / "answered.csv"
    records = pl.DataFrame([_record(question) for question in questions], infer_schema_length=None)
    records.write_csv(asked)
    _sirena("interpret", asked, "-o", answered)
    rows = pl.read_csv(answered, infer_schema=False).to_dicts()
    return [row[f"Eti_{_column(question)}"] for row, question in zip(rows, questions, strict=True)]


def _over_http(home: Path, questions: list[Question]) -> list[str]:
    with _service(home) as url:
        body = {"dataframe_records": [_record(question) for question in questions]}
        answer = httpx.post(f"{url}/invocations", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    records = answer.json()["predictions"]
    return [record[f"Eti_{_column(question)}"] for record, question in zip(records, questions, strict=True)]


@pytest.mark.parametrize("year", _YEARS)
def test_a_tenth_of_the_graded_questions_is_answered_right_by_a_release(
    year: str, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By file and over HTTP alike: nothing grave, and at most one in two hundred otherwise."""
    questions = [question for question in _questions(shared_data) if question["edition"].endswith(year)]
    assert len(questions) > 1_500
    assert {question["specimen"] for question in questions} >= {"", "ur", "bl"}
    monkeypatch.setenv("SIRENA_HOME", str(tmp_path / "home"))
    hospital = tmp_path / "hospital.csv"
    columns = sorted({_column(question) for question in questions})
    pl.DataFrame({"ORGANISM": ["eco"], **{column: ["1"] for column in columns}}).write_csv(hospital)
    editions = [argument for name in _LETTERS for argument in ("--guideline", f"{name} {year}")]
    drugs = ",".join(sorted({question["drug"] for question in questions}))
    _sirena("train", hospital, "--labels", "reference", "--drugs", drugs, *editions)
    _sirena("promote", "--all", "--to", "production")
    _sirena("release", "create", "--from", "production")
    _sirena("release", "activate", "latest")
    by_file = _by_file(tmp_path, questions)
    assert _over_http(tmp_path, questions) == by_file
    differing = [
        (question, answer)
        for question, answer in zip(questions, by_file, strict=True)
        if answer not in {question["expected"], *filter(None, question["alternatives"].split("|"))}
    ]
    assert [pair for pair in differing if _grave(*pair)] == []
    assert len(differing) <= _DIFFERING * len(questions)
