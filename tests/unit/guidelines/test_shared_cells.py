"""The reference tables answer the graded questions as those who wrote them down do, but for what a page names."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
DOCUMENT = REPOSITORY / "docs" / "reference" / "cell-differences.md"
LARGEST_SHARE = 0.005
"""Of the questions, the share that may be answered otherwise."""


def load_script() -> ModuleType:
    """The script that makes the page."""
    path = REPOSITORY / "scripts" / "write_cell_differences.py"
    spec = importlib.util.spec_from_file_location("write_cell_differences", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SCRIPT: Any = load_script()


@pytest.fixture(scope="module")
def cells(shared_data: Path) -> list[Any]:
    """All shared questions."""
    return list(SCRIPT.read_cells(shared_data / "reference"))


@pytest.fixture(scope="module")
def differences(cells: list[Any]) -> list[Any]:
    """What our tables answer otherwise."""
    return list(SCRIPT.differences(cells))


def test_all_editions_are_asked_at_all_the_sites(cells: list[Any]) -> None:
    """The check would say little if the questions had gone astray."""
    assert len(cells) > 39_000
    assert {cell.edition for cell in cells} == {"CLSI 2025", "CLSI 2026", "EUCAST 2025", "EUCAST 2026"}
    assert {"unknown", "csf", "urine", "blood"} <= {cell.site.value for cell in cells}


@pytest.mark.parametrize("grade", sorted(SCRIPT.GRAVE))
def test_no_difference_is_grave(differences: list[Any], grade: str) -> None:
    """No S for R, no S where nothing may be said, no I for R."""
    assert [item.cell for item in differences if item.grade == grade] == []


def test_few_questions_are_answered_otherwise(cells: list[Any], differences: list[Any]) -> None:
    """At most one in two hundred, in each edition."""
    for edition in {cell.edition for cell in cells}:
        asked = sum(cell.edition == edition for cell in cells)
        assert sum(item.cell.edition == edition for item in differences) <= LARGEST_SHARE * asked


def test_every_difference_is_listed_with_its_reason(cells: list[Any], differences: list[Any]) -> None:
    """The page is what the comparison says today."""
    assert [item.cell for item in differences if item.reason is SCRIPT.Reason.UNEXPLAINED] == []
    assert SCRIPT.document(cells, differences) == DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("expected", "answer", "grade"),
    [
        ("R", "S", "S for R"),
        ("NS", "S", "S for R"),
        ("NI", "S", "S where nothing may be said"),
        ("R", "I", "I for R"),
        ("R", "SDD", "I for R"),
        ("I", "S", "other"),
        ("R", "NI", "other"),
        ("NI", "R", "other"),
        ("S", "R", "other"),
    ],
)
def test_a_wrong_answer_is_graded_by_what_it_would_do_to_a_patient(expected: str, answer: str, grade: str) -> None:
    """An R too many costs a treatment, an S too many a patient."""
    assert SCRIPT.grade(expected, answer) == grade


def test_a_wrong_answer_is_seen() -> None:
    """Were the right answer another one, the comparison would say so: it does not pass whatever is asked."""
    right = SCRIPT.Cell("CLSI 2026", "eco", "AMK", "4", SCRIPT.Site.UNKNOWN, "S", frozenset())
    wrong = replace(right, expected="R")
    assert list(SCRIPT.differences([right, replace(wrong, alternatives=frozenset({"S"}))])) == []
    (difference,) = SCRIPT.differences([wrong])
    assert (difference.answer, difference.grade) == ("S", "S for R")
    assert difference.reason is SCRIPT.Reason.UNEXPLAINED
