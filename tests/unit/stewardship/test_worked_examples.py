"""The worked examples of ../shared/data/antibiogram/expected.md, to the digit."""

from functools import cache

import numpy as np
import polars as pl
import pytest

from sirena.stewardship.antibiogram import Antibiogram, Request
from sirena.stewardship.exclusions import exclude
from sirena.stewardship.first_isolates import FirstIsolates, Mode
from sirena.stewardship.periods import Period
from sirena.stewardship.results import from_categories
from sirena.whonet.reading import read_file
from tests.unit.stewardship.hospitals import EXAMPLES, TODAY, cell, counted, interpreted, needs_examples

pytestmark = needs_examples
SCREENING = {"SPEC_REAS": ["sur"]}


@cache
def _of_2024() -> Antibiogram:
    file = read_file(EXAMPLES / "m39_small.csv")
    return counted(file, Request(period=Period.read("2024"), screening=SCREENING))


@pytest.mark.parametrize(
    ("rule", "period", "rows"),
    [
        (FirstIsolates(), "2024", [1, 5, 6, 8, 9, 10, 11, 13, 14, 15, 18]),
        (FirstIsolates(), "2025", [4, 19]),
        (FirstIsolates(Mode.EPISODE, 30), "2024", [1, 3, 5, 6, 8, 9, 10, 11, 13, 14, 15, 18]),
        (FirstIsolates(Mode.EPISODE, 14), "2024", [1, 3, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 18]),
        (FirstIsolates(Mode.EPISODE, 365), None, [1, 5, 6, 8, 9, 10, 11, 13, 14, 15, 18]),
        (FirstIsolates(Mode.PHENOTYPE), "2024", [1, 2, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 18]),
        (FirstIsolates(Mode.ALL), "2024", [1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 18]),
        (FirstIsolates(Mode.SPECIMEN), "2024", [1, 2, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 18]),
    ],
)
def test_the_rows_kept_are_those_of_the_example(rule: FirstIsolates, period: str | None, rows: list[int]) -> None:
    """Every rule of first isolates keeps the rows that were worked out by hand."""
    facts, results = interpreted(read_file(EXAMPLES / "m39_small.csv"))
    left = exclude(facts, SCREENING, Period.read(period) if period else None).isolates
    kept = left.filter(rule.choose(left, results))["row"] + 1
    assert sorted(kept.to_list()) == rows


@pytest.mark.parametrize(
    ("column", "counts", "percent", "low", "high"),
    [
        ("CIP_NM", (4, 0, 1, 1, 1, 6), "66.7", "30.0", "90.3"),
        ("CRO_NM", (7, 0, 0, 0, 0, 7), "100.0", "64.6", "100.0"),
        ("FEP_NM", (5, 1, 0, 1, 0, 7), "71.4", "35.9", "91.8"),
        ("AMP_NM", (4, 0, 1, 2, 0, 7), "57.1", "25.0", "84.2"),
    ],
)
def test_e_coli_of_2024_is_as_worked_out(
    column: str, counts: tuple[int, ...], percent: str, low: str, high: str
) -> None:
    """S, SDD, I, R, NI, n, %S and Wilson's interval of each drug."""
    found = cell(_of_2024(), "Escherichia coli", column)
    assert tuple(found[name] for name in ("S", "SDD", "I", "R", "NI", "n")) == counts
    assert [f"{found[name]:.1f}" for name in ("percent_s", "low", "high")] == [percent, low, high]


def test_expected_resistance_has_no_percentage() -> None:
    """K. pneumoniae is resistant to ampicillin by nature."""
    found = cell(_of_2024(), "Klebsiella pneumoniae", "AMP_NM")
    assert (found["n"], found["expected"], found["percent_s"], found["is_expected"]) == (0, 1, None, True)


def test_a_drug_without_s_category_has_no_percent_s() -> None:
    """E. faecium and daptomycin: SDD 1 of 1."""
    found = cell(_of_2024(), "Enterococcus faecium", "DAP_NM")
    assert (found["SDD"], found["n"], found["no_s"], found["percent_s"], found["percent_sdd"]) == (
        1,
        1,
        True,
        None,
        100,
    )


def test_mrsa_and_mssa_are_parted_after_first_isolates() -> None:
    """P04's wound isolate came first and is MSSA; P05's is MRSA."""
    both = cell(_of_2024(), "Staphylococcus aureus", "OXA_NM")
    assert (both["S"], both["R"]) == (1, 1)
    assert cell(_of_2024(), "Staphylococcus aureus (MRSA)", "OXA_NM")["R"] == 1
    assert cell(_of_2024(), "Staphylococcus aureus (MSSA)", "OXA_NM")["S"] == 1


def test_each_step_tells_what_it_lost() -> None:
    """Row 17 has no growth, 16 no date, 7 is a screening swab, 4 and 19 are of 2025, 2, 3 and 12 are repeats."""
    assert [(loss.step, loss.removed_rows) for loss in _of_2024().losses if loss.removed_rows] == [
        ("no_organism", 1),
        ("no_date", 1),
        ("screening", 1),
        ("outside_period", 2),
        ("repeat", 3),
    ]


def test_screening_is_left_out_before_first_isolates_are_chosen() -> None:
    """Otherwise the swab of P03 would take the patient's bloodstream isolate with it: 6 E. coli for 7."""
    assert cell(_of_2024(), "Escherichia coli", "CRO_NM")["isolates"] == 7


@pytest.mark.parametrize(("chosen", "rule"), [("all", Mode.ALL), ("first", Mode.PATIENT)])
def test_the_isolates_of_amr_are_counted_as_amr_counts_them(chosen: str, rule: Mode) -> None:
    """2,000 isolates of AMR for R: n, S, I and R of every species and drug it was asked for agree."""
    frame = pl.read_csv(EXAMPLES / "example_isolates.csv", infer_schema=False)
    expected = pl.read_csv(EXAMPLES / "example_isolates_expected.csv").filter(pl.col("set") == chosen)
    isolates = frame.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        pl.col("patient").rank("dense").cast(pl.UInt64),
        pl.col("mo").alias("species"),
        "name",
        pl.lit(None, dtype=pl.String).alias("specimen"),
        pl.col("date").str.to_date(),
        pl.col("date").str.slice(0, 4).alias("period"),
    ).sort("date", "row")
    kept = isolates.filter(FirstIsolates(rule).choose(isolates))
    known = kept.filter(pl.col("species") != "UNKNOWN")
    if rule is Mode.PATIENT:
        assert 1309 in (kept.height, known.height)
    rows = known["row"].to_numpy()
    wrong = []
    for name, drug, n, s, i, r in expected.select("g", "d", "n", "S", "I", "R").iter_rows():
        kinds = from_categories(f"{drug}_NM", frame[drug].to_list()).kinds[rows[(known["name"] == name).to_numpy()]]
        ours = tuple(int(np.sum(kinds == kind)) for kind in (1, 3, 4))
        if (sum(ours), *ours) != (n, s, i, r):
            wrong.append((name, drug, ours))
    assert wrong == []
    assert expected.height > 80


def test_whonet_tutorial_loses_as_many_repeats_as_whonet() -> None:
    """The 622 isolates of WHONET's own tutorial are 550 first isolates; E. coli 86 to 71, S. aureus 86 to 76."""
    path = EXAMPLES.parent / "reference" / "whonet" / "SampleInputFile.txt"
    if not path.exists():
        pytest.skip("WHONET's tutorial file is missing")
    from sirena.stewardship.isolates import read_isolates

    facts = read_isolates(read_file(path), TODAY)
    left = exclude(facts, {}, None).isolates
    kept = left.filter(FirstIsolates().choose(left))
    species = ("Escherichia coli", "Staphylococcus aureus", "Pseudomonas aeruginosa", "Klebsiella pneumoniae")
    numbers = [(left.filter(species=name).height, kept.filter(species=name).height) for name in species]
    assert (left.height, kept.height) == (622, 550)
    assert numbers == [(86, 71), (86, 76), (32, 31), (23, 23)]
