"""Charts: what they show, where breakpoints stand, and that they can be drawn."""

from functools import cache

import polars as pl
import pytest

from sirena.domain.language import Language
from sirena.stewardship.antibiogram import Request
from sirena.stewardship.chart import Chart
from sirena.stewardship.charts import heat_map, histograms
from sirena.stewardship.counting import CountedFile
from sirena.stewardship.drawing import FORMATS, draw
from sirena.stewardship.report import report_charts
from sirena.stewardship.strata import Stratum
from tests.unit.stewardship.facts import read
from tests.unit.stewardship.hospitals import counted_file


@cache
def of_edition(edition: str) -> CountedFile:
    """Count two years and two wards of E. coli: 40 isolates in each of both, and 10 in a third year."""
    letter = "EM" if edition.startswith("EUCAST") else "NM"
    rows = []
    for number in range(90):
        year = 2023 + number // 40
        mic = ">2" if number % 4 == 0 else "0.5" if number % 4 == 1 else "<=0.25"
        rows.append(
            {
                "PATIENT_ID": f"{number}",
                "SPEC_DATE": f"{year}-03-01",
                "SPEC_TYPE": "ur",
                "WARD": "b" if number % 2 else "a",
                "ORGANISM": "eco",
                f"CIP_{letter}": mic,
                f"AMK_{letter}": "2" if number < 20 else "",
            }
        )
    return counted_file(read(rows), Request(by=(Stratum.WARD,), trend=True), edition)


def drawn(section: str, edition: str = "CLSI 2025") -> Chart:
    """Return the one chart of a section."""
    (chart,) = report_charts(of_edition(edition), Language.ENGLISH)[section]
    return chart


def test_fewer_than_thirty_isolates_have_no_colour_in_the_heat_map() -> None:
    """Ciprofloxacin has one, amikacin of 20 isolates has a star instead."""
    records = drawn("heat_map").specification["data"]["values"]
    assert {record["drug"]: (record["share"], record["text"]) for record in records} == {
        "CIP": (pytest.approx(48.9, abs=0.1), "49"),
        "AMK": (None, "100*"),
    }


def test_a_trend_shows_each_year_with_its_interval_and_few_isolates_hollow() -> None:
    """Ten of forty in each year; the third year has ten isolates."""
    records = drawn("trends").specification["data"]["values"]
    assert [(record["stratum"], record["few"]) for record in records] == [
        ("2023", False),
        ("2024", False),
        ("2025", True),
    ]
    assert [record["share"] for record in records[:2]] == [25, 25]
    assert (round(records[0]["low"], 1), round(records[0]["high"], 1)) == (14.2, 40.2)


def test_wards_stand_by_name() -> None:
    """The first has the more resistant isolates and is not put last or first for it."""
    records = drawn("wards").specification["data"]["values"]
    assert [(record["stratum"], round(record["share"])) for record in records] == [("a", 51), ("b", 0)]


@pytest.mark.parametrize("edition", ["CLSI 2025", "EUCAST 2025"])
def test_breakpoints_stand_on_the_edge_between_dilutions(edition: str) -> None:
    """CLSI R >= 1 stands left of 1, EUCAST R > 0.5 right of 0.5: the same edge; S ends right of 0.25."""
    layers = drawn("distributions", edition).specification["layer"]
    assert [line["edge"] for line in layers[1]["data"]["values"]] == [-1.5, -0.5]


def test_mics_beyond_the_dilutions_tested_have_a_tone_of_their_own() -> None:
    """``<=0.25`` and ``>2``, which is 4 or more; 0.5 is exact and I."""
    records = drawn("distributions").specification["data"]["values"]
    bars = [(record["left"] + 0.42, record["category"], record["censored"], record["to"]) for record in records]
    assert sorted(bars) == [(-2, "S", True, 44), (-1, "I", False, 23), (2, "R", True, 23)]


def test_nothing_to_show_is_no_chart() -> None:
    """An antibiogram of nothing has neither map nor distribution."""
    cells = of_edition("CLSI 2025").antibiogram.cells.clear()
    empty = pl.DataFrame(schema={"species": pl.String, "column": pl.String, "mic": pl.Int8, "n": pl.Int64})
    assert [*heat_map(cells, Language.SPANISH), *histograms(empty, {}, Language.SPANISH)] == []


@pytest.mark.parametrize("form", FORMATS)
def test_a_chart_is_drawn_in_every_form(form: str) -> None:
    """Without browser or network."""
    content = draw(drawn("distributions").specification, form)
    assert content.startswith({"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}[form])
    assert form != "svg" or b"Ciprofloxacin" in content
