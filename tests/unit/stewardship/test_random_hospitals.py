"""Small random hospitals, counted as the program does and again in plain Python, row by row."""

from collections import defaultdict
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirena.stewardship.cells import antibiogram_cells
from sirena.stewardship.combinations import combination_counts, combination_shares
from sirena.stewardship.counts import Counts
from sirena.stewardship.first_isolates import FirstIsolates, Mode
from sirena.stewardship.results import DrugResults, from_categories

HOSPITALS = 10_000
_LARGEST = 14
_DRUGS = ("CIP_NM", "CRO_EM", "AMK_NM")
_CATEGORIES = ("S", "S", "I", "SDD", "R", "NS", None)
_LEVEL = {"S": 1.0, "I": 1.5, "SDD": 1.5, "R": 2.0, "NS": 2.0}
_DAYS = 20
Row = dict[str, object]


def _hospitals() -> tuple[pl.DataFrame, dict[str, DrugResults]]:
    """Draw 10,000 hospitals at once: the hospital is part of the species, so nothing of one is of another."""
    random = np.random.default_rng(20_261_129)
    hospital = np.repeat(np.arange(HOSPITALS), random.integers(1, _LARGEST + 1, HOSPITALS))
    count = len(hospital)
    days = random.integers(0, 90, count)
    patients = [None if patient == 4 else int(patient) for patient in random.integers(0, 5, count)]
    frame = pl.DataFrame(
        {
            "row": np.arange(count, dtype=np.uint32),
            "hospital": hospital,
            "patient": pl.Series(patients, dtype=pl.UInt64),
            "species": [f"{place}:{kind}" for place, kind in zip(hospital, random.integers(0, 2, count), strict=True)],
            "specimen": pl.Series(["bl", "ur", None]).gather(random.integers(0, 3, count)),
            "site": pl.repeat("unknown", count, eager=True),
            "date": [date(2024, 11, 20) + timedelta(days=int(day)) for day in days],
            "stratum": pl.repeat("all", count, eager=True),
        }
    ).with_columns(pl.col("date").dt.year().cast(pl.String).alias("period"))
    categories = {drug: pl.Series(_CATEGORIES).gather(random.integers(0, 7, count)).to_list() for drug in _DRUGS}
    results = {drug: from_categories(drug, texts) for drug, texts in categories.items()}
    ordered = frame.with_columns(pl.Series(drug, texts) for drug, texts in categories.items()).sort("date", "row")
    return ordered, results


FRAME, RESULTS = _hospitals()


def _differs(one: Row, other: Row) -> bool:
    pairs = [(one[drug], other[drug]) for drug in _DRUGS if one[drug] and other[drug]]
    return sum(abs(_LEVEL[str(first)] - _LEVEL[str(second)]) for first, second in pairs) >= 2


def _plain(rows: list[Row], mode: Mode) -> list[Row]:
    """Choose first isolates one row after the other, in the order of time."""
    kept: list[Row] = []
    begun: dict[tuple[object, ...], date] = {}
    before: dict[tuple[object, ...], Row] = {}
    for row in rows:
        who = ("nobody", row["row"]) if row["patient"] is None else ("patient", row["patient"])
        key: tuple[object, ...] = (*who, row["species"])
        day = row["date"]
        assert isinstance(day, date)
        if mode is Mode.EPISODE:
            counts = key not in begun or (day - begun[key]).days >= _DAYS
            if counts:
                begun[key] = day
        else:
            key = (*key, day.year, row["specimen"] if mode is Mode.SPECIMEN else "")
            counts = mode is Mode.ALL or key not in before
            if mode is Mode.PHENOTYPE and not counts:
                counts = _differs(before[key], row)
            before[key] = row
        if counts:
            kept.append(row)
    return kept


@pytest.mark.parametrize("mode", list(Mode))
def test_first_isolates_are_those_of_a_plain_reckoning(mode: Mode) -> None:
    """Every row of 10,000 hospitals, whatever the rule."""
    ours = FRAME.filter(FirstIsolates(mode, _DAYS).choose(FRAME, RESULTS))["row"].to_list()
    assert ours == [row["row"] for row in _plain(FRAME.to_dicts(), mode)]


def test_counts_and_percentages_are_those_of_a_plain_reckoning() -> None:
    """Every cell of 10,000 hospitals: isolates, tested, n, each category, %S, %R and S+I."""
    kept = FRAME.filter(FirstIsolates().choose(FRAME, RESULTS))
    counts = Counts.of(kept, RESULTS)
    expected: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    isolates: dict[str, int] = defaultdict(int)
    for row in _plain(FRAME.to_dicts(), Mode.PATIENT):
        isolates[str(row["species"])] += 1
        for drug in _DRUGS:
            if row[drug] is not None:
                expected[str(row["species"]), drug][str(row[drug])] += 1
    cells = antibiogram_cells(counts)
    assert cells.height == len(expected)
    for cell in cells.iter_rows(named=True):
        own = expected[cell["species"], cell["column"]]
        n = sum(own.values())
        assert (cell["n"], cell["tested"], cell["isolates"]) == (n, n, isolates[cell["species"]])
        assert all(cell[name] == own[name] for name in ("S", "SDD", "I", "R", "NS"))
        assert cell["percent_s"] == pytest.approx(100 * own["S"] / n)
        assert cell["percent_r"] == pytest.approx(100 * (own["R"] + own["NS"]) / n)
        exposure = 100 * (own["S"] + own["I"]) / n if cell["guideline"] == "EUCAST" else None
        assert cell["percent_s_i"] == (None if exposure is None else pytest.approx(exposure))
        assert cell["low"] <= 100 * own["S"] / n <= cell["high"]


def test_counts_of_parts_add_up() -> None:
    """Patients counted on two machines and added give the cells of the whole."""
    kept = FRAME.filter(FirstIsolates().choose(FRAME, RESULTS)).head(20_000)
    parts = [Counts.of(kept.filter(pl.col("row") % 2 == half), RESULTS) for half in (0, 1)]
    assert antibiogram_cells(Counts.added(parts)).equals(antibiogram_cells(Counts.of(kept, RESULTS)))


@settings(max_examples=10)
@given(part=st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_combinations_of_parts_add_up(part: list[int]) -> None:
    """However hospitals are shared out among up to four machines, the sum is what one of them counts."""
    columns, kept = ("CIP_NM", "AMK_NM"), FRAME.head(120)
    machine = pl.Series(part).gather((kept["hospital"] % len(part)).cast(pl.UInt32))
    parts = [combination_counts(kept.filter(machine == number), RESULTS, columns) for number in sorted(set(part))]
    assert combination_shares(pl.concat(parts)).equals(combination_shares(combination_counts(kept, RESULTS, columns)))
