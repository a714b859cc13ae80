"""Drift of a quarter against the year before and against training."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from sirena.domain.errors import UsageError
from sirena.domain.language import Language
from sirena.domain.truth_table import TruthTable
from sirena.panel.frame import Isolates
from sirena.stewardship.drawing import draw
from sirena.stewardship.drift import Comparison, Drift, Measure, Side, measure_drift
from sirena.stewardship.drift_charts import drift_chart
from sirena.stewardship.drift_populations import TrainingCounts, year_before
from sirena.stewardship.drift_words import drift_document, what_is_compared
from sirena.stewardship.isolates import read_isolates
from sirena.stewardship.periods import Period
from sirena.stewardship.results import interpret_results
from sirena.training.counts import HospitalCounts
from sirena.training.tested import count_tested
from sirena.whonet.reading import read_file
from sirena.whonet.synthetic import generate_hospital
from tests.unit.stewardship.hospitals import TODAY, editions

SINCE = "2025-10-01"


@cache
def _hospital() -> pl.DataFrame:
    return generate_hospital(7000, seed=11)


@cache
def _tables() -> Mapping[str, TruthTable]:
    return editions("CLSI 2025").tables([name for name in _hospital().columns if name.endswith("_NM")])


def _drift(
    folder: Path,
    table: pl.DataFrame,
    *,
    training: Mapping[str, Mapping[str, Mapping[str, Mapping[str, int]]]] | None = None,
    period: Period | None = None,
    whole: bool = False,
) -> Drift:
    path = folder / "hospital.csv"
    table.write_csv(path)
    file = read_file(path)
    tables = _tables()
    return measure_drift(
        read_isolates(file, TODAY),
        interpret_results(Isolates.of_file(file), lambda column: tables.get(column.model_column)),
        lambda column: tables.get(column.model_column),
        training=None if training is None else TrainingCounts(training),
        period=period,
        whole=whole,
    )


def _rows(quarter: Mapping[str, int], year: Mapping[str, int], *, organism: str = "eco") -> pl.DataFrame:
    """Return E. coli's ciprofloxacin MICs of the last quarter of 2025 and of the year before, by number."""
    rows = [
        {"SPEC_DATE": day, "SPEC_TYPE": "bl", "ORGANISM": code, "CIP_NM": mic}
        for day, mics, code in (("2025-11-02", quarter, organism), ("2025-02-03", year, "eco"))
        for mic, number in mics.items()
        for _ in range(number)
    ]
    return pl.DataFrame(rows)


def _one(drift: Drift, measure: Measure, what: str = "", side: Side = Side.LAST_YEAR) -> Comparison:
    (comparisons,) = [one.comparisons for one in drift.sides if one.side is side]
    (found,) = [one for one in comparisons if (one.measure, one.what) == (measure, what)]
    return found


def test_a_hospital_that_does_not_change_does_not_drift(tmp_path: Path) -> None:
    """Of 7,000 isolates by the same rules in every year."""
    drift = _drift(tmp_path, _hospital())
    assert drift.period == Period.read("2025-Q4")
    assert drift.sides[0].judged_count > 200
    assert not drift.is_found


def test_a_change_that_was_put_in_is_found_and_nothing_else(tmp_path: Path) -> None:
    """From October on every E. coli resists ciprofloxacin."""
    is_changed = (pl.col("SPEC_DATE") >= SINCE) & pl.col("CIP_NM").is_not_null() & (pl.col("ORGANISM") == "eco")
    changed = _hospital().with_columns(pl.when(is_changed).then(pl.lit(">4")).otherwise("CIP_NM").alias("CIP_NM"))
    drift = _drift(tmp_path, changed)
    assert {(one.column, one.measure, one.what) for one in drift.sides[0].drifting_comparisons} == {
        ("CIP_NM", Measure.CATEGORY, "S"),
        ("CIP_NM", Measure.CATEGORY, "R"),
    }
    resistant = _one_of(drift, "CIP_NM", "R")
    assert resistant.difference is not None
    assert resistant.difference > 0.1
    assert abs(resistant.by_organisms or 0) < 0.02


def _one_of(drift: Drift, column: str, what: str) -> Comparison:
    (found,) = [one for one in drift.sides[0].comparisons if (one.column, one.what) == (column, what)]
    return found


def test_what_other_organisms_make_is_told_apart(tmp_path: Path) -> None:
    """Where P. aeruginosa takes the place of E. coli and neither changes, all of the difference is the organisms'."""
    table = pl.concat([_rows({"0.25": 20}, {"0.25": 80}), _rows({">4": 80}, {}, organism="pae")])
    pae = pl.DataFrame({"SPEC_DATE": "2025-03-03", "SPEC_TYPE": "bl", "ORGANISM": "pae", "CIP_NM": [">4"] * 20})
    resistant = _one(_drift(tmp_path, pl.concat([table, pae])), Measure.CATEGORY, "R")
    assert (resistant.share, resistant.share_before) == (0.8, 0.2)
    assert resistant.by_organisms == pytest.approx(0.6)


def test_fewer_than_thirty_results_are_not_judged(tmp_path: Path) -> None:
    """However far apart they are; thirty are."""
    few = _drift(tmp_path, _rows({">4": 29}, {"0.25": 500}))
    assert not _one(few, Measure.CATEGORY, "R").is_judged
    assert not few.is_found
    assert _drift(tmp_path, _rows({">4": 30}, {"0.25": 500})).is_found


def test_a_difference_below_five_points_is_no_drift(tmp_path: Path) -> None:
    """However sure; one of five is."""
    small = _drift(tmp_path, _rows({">4": 45, "0.25": 955}, {"0.25": 1000}))
    assert (_one(small, Measure.CATEGORY, "R").low or 0) > 0
    assert not small.is_found
    assert _drift(tmp_path, _rows({">4": 50, "0.25": 950}, {"0.25": 1000})).is_found


def test_the_more_is_judged_the_surer_a_difference_must_be(tmp_path: Path) -> None:
    """The same numbers among forty other antimicrobials have a wider interval."""
    alone = _rows({">4": 40, "0.25": 60}, {">4": 100, "0.25": 300})
    drugs = [name for name in _hospital().columns if name.endswith("_NM")]
    together = alone.with_columns(pl.col("CIP_NM").alias(name) for name in drugs if name != "CIP_NM")
    narrow = _one(_drift(tmp_path, alone), Measure.CATEGORY, "R")
    wide = _one_of(_drift(tmp_path, together), "CIP_NM", "R")
    assert narrow.low is not None
    assert wide.low is not None
    assert wide.low < narrow.low


def test_refusals_are_compared_by_reason(tmp_path: Path) -> None:
    """Cells that became unreadable, told as the reason they are."""
    drift = _drift(tmp_path, _rows({"many": 40, "0.25": 60}, {"0.25": 400}))
    refused = _one(drift, Measure.REFUSAL, "unreadable_mic")
    assert refused.drifts
    assert "CIM" in what_is_compared(refused, Language.SPANISH)


@pytest.mark.parametrize(
    ("measure", "changed"),
    [
        (Measure.ORGANISM, {"ORGANISM": "kpn"}),
        (Measure.SPECIMEN, {"SPEC_TYPE": "ur"}),
        (Measure.MIC, {"CIP_NM": "0.06"}),
    ],
)
def test_what_the_other_side_never_had_drifts(tmp_path: Path, measure: Measure, changed: dict[str, str]) -> None:
    """A new organism, kind of specimen or MIC in a tenth of the results."""
    table = _rows({"0.25": 900}, {"0.25": 2000})
    new = table.head(100).with_columns(pl.lit(text).alias(name) for name, text in changed.items())
    drift = _drift(tmp_path, pl.concat([table, new]))
    assert [one.measure for one in drift.sides[0].drifting_comparisons] == [measure]
    assert _one(drift, measure).share == 0.1


def test_training_is_answered_by_the_same_tables(tmp_path: Path) -> None:
    """Its counts get today's categories; refusals are listed and not judged."""
    training = {"CIP_NM": {"eco": {"blood": {"0.25": 300, ">=8": 100}}}}
    drift = _drift(tmp_path, _rows({">4": 60, "many": 40}, {}), training=training)
    resistant = _one(drift, Measure.CATEGORY, "R", Side.TRAINING)
    assert (resistant.events_before, resistant.n_before, resistant.drifts) == (100, 400, True)
    refused = _one(drift, Measure.REFUSAL, "unreadable_mic", Side.TRAINING)
    assert (refused.events, refused.is_judged) == (40, False)


def test_a_training_beside_the_same_hospital_does_not_drift(tmp_path: Path) -> None:
    """What `sirena.training.tested` keeps of a file is what is compared with the next."""
    labelled = generate_hospital(7000, seed=12, labels=lambda frame, _: pl.repeat("S", frame.height, eager=True))
    path = tmp_path / "training.csv"
    labelled.write_csv(path)
    tally = HospitalCounts.of_file(read_file(path), seed=0).tally
    kept = {column: count_tested(part) for (column,), part in tally.partition_by("column", as_dict=True).items()}
    drift = _drift(tmp_path, _hospital(), training=kept, whole=True)
    (side,) = drift.sides
    assert (side.side, side.judged_count > 200, side.drifting_comparisons) == (Side.TRAINING, True, ())


def test_without_dates_there_is_no_last_year(tmp_path: Path) -> None:
    """The whole file is compared with training, or with nothing."""
    undated = _rows({">4": 40}, {"0.25": 40}).drop("SPEC_DATE")
    assert _drift(tmp_path, undated).sides == ()
    drift = _drift(tmp_path, undated, training={"CIP_NM": {"eco": {"blood": {"0.25": 40}}}})
    assert [side.side for side in drift.sides] == [Side.TRAINING]
    assert drift.results == 80


def test_a_period_without_results_is_refused(tmp_path: Path) -> None:
    """With the days, and a remedy."""
    with pytest.raises(UsageError, match="2019-01-01"):
        _drift(tmp_path, _rows({">4": 40}, {}), period=Period.read("2019"))


def test_the_year_before_the_twenty_ninth_of_february_begins_in_march() -> None:
    """There is no such day in most years."""
    assert year_before(Period.read("2024-02-29..2024-03-31")) == Period.read("2023-03-01..2024-02-28")


def test_the_document_holds_every_comparison(tmp_path: Path) -> None:
    """With the rule by which they were judged."""
    drift = _drift(tmp_path, _rows({">4": 40, "0.25": 60}, {"0.25": 400}))
    document = drift_document(drift, "reference · CLSI 2025")
    (side,) = document["sides"]
    assert document["drift"] is True
    assert document["rule"]["least_difference"] == 0.05
    assert side["period"] == {"first": "2024-10-01", "last": "2025-09-30"}
    assert len(side["comparisons"]) == len(drift.sides[0].comparisons)


def test_the_chart_names_what_drifts_in_the_readers_language(tmp_path: Path) -> None:
    """Antimicrobials that drift stand first; one of too few results is left out."""
    table = _rows({">4": 40, "0.25": 60}, {"0.25": 400}).with_columns(pl.lit("1").alias("AMK_NM"))
    table = table.with_columns(pl.when(pl.int_range(pl.len()) < 5).then(pl.lit("1")).alias("GEN_NM"))
    chart = drift_chart(_drift(tmp_path, table), Language.SPANISH)
    assert chart is not None
    drawing = draw(chart.specification, "svg").decode()
    assert "deriva: S -40,0, R +40,0" in drawing
    assert drawing.index("Ciprofloxacino") < drawing.index("Amikacina")
    assert "Gentamicina" not in drawing
