"""What is said after a file was answered."""

import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sirena.cli.file_remarks import tell_counts
from sirena.domain.category import Category, Reason
from sirena.domain.truth_table import ANSWERS, answer_code
from sirena.panel.column_answers import ColumnTally
from sirena.panel.file_tallies import AnswerCounts


def test_columns_without_a_model_are_named_once_with_counts(capfd: pytest.CaptureFixture[str]) -> None:
    """Whoever reads it knows which model to train, the most wanted first."""
    counts = np.zeros((3, len(ANSWERS)), dtype=np.int64)
    for row, results in enumerate((3, 0, 12)):
        counts[row, answer_code(Category.NI, Reason.NO_MODEL)] = results
        counts[row, answer_code(Category.S)] = 5
    answer_counts = AnswerCounts(rows=20, columns=3)
    for row, column in enumerate(("AMC_NM", "AMK_NM", "TOB_NM")):
        answer_counts.add(ColumnTally(column, counts[row], (), {}))
    tell_counts(answer_counts)
    told = [line for line in capfd.readouterr().err.splitlines() if "without a model" in line]
    assert told == ["  columns without a model: TOB_NM 12, AMC_NM 3"]


def test_a_file_is_answered_though_nobody_can_be_told(tmp_path: Path) -> None:
    """A script may close standard error; the answers are written all the same, and nothing else into their file."""
    isolates, answered = tmp_path / "isolates.csv", tmp_path / "answered.csv"
    isolates.write_text("ORGANISM;SPEC_TYPE;AMK_NM\neco;ur;2\n")
    command = [sys.executable, "-m", "sirena.cli", "reference", str(isolates), "-o", str(answered)]
    process = subprocess.run(["sh", "-c", f"exec {shlex.join(command)} 2>&-"], check=False)
    assert process.returncode == 0
    header, line = answered.read_text(encoding="utf-8-sig").splitlines()
    assert dict(zip(header.split(";"), line.split(";"), strict=True))["Eti_AMK_NM"] == "S"
