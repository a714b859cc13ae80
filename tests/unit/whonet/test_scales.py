"""The scale of a whole column: sums of two agents, thousands."""

from pathlib import Path

import pytest

from sirena.domain.notation import NOT_READ
from sirena.whonet.mapping import load_mapping
from sirena.whonet.problems import ProblemClass
from sirena.whonet.reading import read_file
from sirena.whonet.scales import Scale, read_scale


def test_sums_are_told_from_first_agent_figures_by_the_values() -> None:
    """Only sums, one of them 20 or more: unmistakable, comparators kept."""
    texts = ["<=20", "40", "80", "160", ">=320", "10"]
    assert dict(read_scale("SXT", texts)) == {
        "<=20": "<=1", "40": "2", "80": "4", "160": "8", ">=320": ">=16", "10": "0.5",
    }  # fmt: skip


@pytest.mark.parametrize("texts", [["2", "0.5", "<=1", "4"], ["2/38", "<=1/19"], ["abc", "R"]])
def test_figures_of_the_first_agent_stay(texts: list[str]) -> None:
    """As does a sum written out as a ratio."""
    assert not read_scale("SXT", texts)


def test_sums_beside_first_agent_figures_are_not_read() -> None:
    """Two laboratories in one column: neither reading would hold for all."""
    assert dict(read_scale("SXT", ["2", "40"])) == {"40": NOT_READ}
    assert dict(read_scale("SXT", ["10", "5"])) == {"10": NOT_READ, "5": NOT_READ}


def test_a_mapping_decides() -> None:
    """Sums, or figures of the first agent that happen to be 20."""
    assert dict(read_scale("SXT", ["2", "40"], Scale.SUM)) == {"40": "2"}
    assert dict(read_scale("SXT", ["2", "40"], Scale.FIRST)) == {"40": "64"}


def test_other_antimicrobials_have_no_sums() -> None:
    """20 of amikacin is 20."""
    assert not read_scale("AMK", ["20", "40"])


def test_thousands_are_not_read_unless_all_figures_have_three_decimals() -> None:
    """1.000 is one in a column of 0.500 and 2.000, and may be a thousand beside 512."""
    assert dict(read_scale("FOS", ["1.000", "512", "0.5"])) == {"1.000": NOT_READ}
    assert not read_scale("FOS", ["1.000", "0.500", "16.000"])


def test_what_was_read_otherwise_is_always_reported(tmp_path: Path) -> None:
    """By column and row, and the mapping's word too."""
    path = tmp_path / "a.csv"
    path.write_text("ORGANISM,SXT_NM\neco,40\neco,2\n")
    assert [problem.problem_class for problem in read_file(path).problems] == [ProblemClass.SUM_REFUSED]
    (tmp_path / "m.toml").write_text('[columns.SXT_NM]\nscale = "sum"\n')
    problems = read_file(path, mapping=load_mapping(tmp_path / "m.toml")).problems
    assert [(problem.problem_class, problem.rows) for problem in problems] == [(ProblemClass.SUM_READ, (2,))]
