"""What an antibiogram says, and what it says of files that are not as they should be."""

import json
import re
from pathlib import Path

import polars as pl
import pytest

from sirena.domain.errors import UsageError
from sirena.domain.language import Language
from sirena.stewardship.antibiogram import Request
from sirena.stewardship.combinations import combination_counts, combination_shares
from sirena.stewardship.dates import read_dates
from sirena.stewardship.exports import as_csv, as_json, cells_table, dictionary
from sirena.stewardship.intervals import wilson
from sirena.stewardship.isolates import read_isolates
from sirena.stewardship.mic_quantiles import mic_summaries
from sirena.stewardship.page import render_page
from sirena.stewardship.patient_key import digest_patients
from sirena.stewardship.periods import Period
from sirena.stewardship.results import from_categories
from sirena.stewardship.strata import Stratum
from sirena.stewardship.texts import TEXTS
from sirena.stewardship.wisca import coverage
from tests.unit.stewardship.hospitals import TODAY, cell, codes, counted, counted_file, hospital

HEADER = "PATIENT_ID,SPEC_DATE,SPEC_TYPE,WARD,SPEC_REAS,ORGANISM,AMK_NM,NIT_NM"


def _rows(count: int, text: str = "{number},2024-01-05,ur,med,dia,eco,<=1,16") -> list[str]:
    return [text.format(number=number) for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("events", "trials", "limits"),
    [
        (27, 30, "74.4-96.5"),
        (30, 30, "88.6-100.0"),
        (0, 30, "0.0-11.4"),
        (180, 200, "85.1-93.4"),
        (1, 40, "0.4-12.9"),
    ],
)
def test_wilson_gives_the_limits_of_the_examples(events: int, trials: int, limits: str) -> None:
    """Worked with scipy's binomtest; limits that end on a 5 may be rounded either way."""
    low, high = wilson(events, trials)
    expected = [float(limit) for limit in limits.split("-")]
    assert [100 * float(low), 100 * float(high)] == pytest.approx(expected, abs=0.0501)


def test_mic50_and_mic90_of_the_example() -> None:
    """Half of ten isolates are inhibited at 1 mg/L, nine tenths at no dilution that was tested."""
    from sirena.domain.mic import parse_mic

    texts = ["<=0.25"] * 3 + ["0.5", "1", "2", "4"] + [">4"] * 3
    frame = pl.DataFrame({"mic": [parse_mic(text).code for text in texts]}).with_columns(
        pl.lit("all").alias("stratum"), pl.lit("x").alias("species"), pl.lit("AMK_NM").alias("column"), n=pl.lit(1)
    )
    (row,) = mic_summaries(frame).to_dicts()
    assert [row[name] for name in ("mic50", "mic90", "mic_low", "mic_high")] == ["1", ">4", "<=0.25", ">4"]


def test_a_combination_counts_isolates_tested_for_both() -> None:
    """Four of nine were tested for both, and one of them resists both: 75 %."""
    results = {
        "TZP_NM": from_categories("TZP_NM", ["S", "S", "R", "R", "S", None, None, "R", None]),
        "AMK_NM": from_categories("AMK_NM", ["S", "R", "S", "R", None, "S", "R", None, None]),
    }
    isolates = pl.DataFrame({"row": pl.Series(range(9), dtype=pl.UInt32)}).with_columns(
        pl.lit("all").alias("stratum"), pl.lit("Pseudomonas aeruginosa").alias("species")
    )
    (row,) = combination_shares(combination_counts(isolates, results, ["TZP_NM", "AMK_NM"])).to_dicts()
    assert (row["n"], row["covered"], row["percent"], row["identifying"]) == (4, 3, 75.0, False)


def test_a_combination_of_few_isolates_in_a_ward_is_marked_identifying() -> None:
    """As a cell is."""
    results = {column: from_categories(column, ["S"] * 4) for column in ("TZP_NM", "AMK_NM")}
    isolates = pl.DataFrame({"row": pl.Series(range(4), dtype=pl.UInt32)}).with_columns(
        pl.lit("icu").alias("stratum"), pl.lit("Pseudomonas aeruginosa").alias("species")
    )
    (row,) = combination_shares(combination_counts(isolates, results, ["TZP_NM", "AMK_NM"])).to_dicts()
    assert row["identifying"]


def test_wisca_is_the_posterior_mean_of_the_example() -> None:
    """45 of 60, 21 of 30, 7 of 10; the interval holds AMR's 0.628 to 0.797 within a hundredth."""
    answer = coverage([60, 30, 10], [45, 21, 7])
    assert f"{answer.mean:.5f}" == "0.71751"
    assert [answer.low, answer.high] == pytest.approx([0.628, 0.797], abs=0.01)


def test_a_breakpoint_for_urine_alone_counts_urine_alone(tmp_path: Path) -> None:
    """Nitrofurantoin of a blood isolate, or of one from nobody knows where, is in no denominator."""
    rows = [*_rows(2), "3,2024-01-05,bl,med,dia,eco,<=1,16", "4,2024-01-05,,med,dia,eco,<=1,16"]
    found = cell(counted(hospital(tmp_path, HEADER, rows)), "Escherichia coli", "NIT_NM")
    assert (found["n"], found["elsewhere"], found["urine"], found["partial"]) == (2, 2, True, False)


def test_eucast_without_s_category_shows_i(tmp_path: Path) -> None:
    """P. aeruginosa and ceftazidime: the wild type is I, so there is no %S, and never a 0."""
    header = "PATIENT_ID,SPEC_DATE,SPEC_TYPE,SPEC_REAS,ORGANISM,CAZ_EM"
    rows = [f"{number},2024-01-05,bl,dia,pae,{mic}" for number, mic in enumerate(["2", "4", "8", "32"], 1)]
    found = cell(counted(hospital(tmp_path, header, rows), edition="EUCAST 2025"), "Pseudomonas aeruginosa", "CAZ_EM")
    assert (found["no_s"], found["percent_s"], found["percent_i"], found["percent_r"]) == (True, None, 75, 25)
    assert found["percent_s_i"] == 75


def test_a_breakpoint_that_tells_r_alone_gives_no_percentage(tmp_path: Path) -> None:
    """Gentamicin in brackets (EUCAST, blood): five R of forty would be 100 % R; from urine there is a breakpoint."""
    header = "PATIENT_ID,SPEC_DATE,SPEC_TYPE,ORGANISM,GEN_EM"
    rows = [f"{number},2024-01-05,bl,eco,{16 if number < 5 else 1}" for number in range(40)]
    made = counted(hospital(tmp_path, header, rows), edition="EUCAST 2025")
    shown = cell(made, "Escherichia coli", "GEN_EM")
    assert (shown["n"], shown["R"], shown["NI"], shown["percent_r"]) == (0, 0, 40, None)
    assert "one_sided" in codes(made)
    urine = counted(hospital(tmp_path, header, [row.replace(",bl,", ",ur,") for row in rows]), edition="EUCAST 2025")
    assert cell(urine, "Escherichia coli", "GEN_EM")["percent_r"] == 12.5
    assert "one_sided" not in codes(urine)


def test_thirty_isolates_are_enough_and_fewer_are_marked(tmp_path: Path) -> None:
    """The mark goes at 30; a drug tested in fewer than 70 % is partial."""
    many = cell(counted(hospital(tmp_path, HEADER, _rows(30))), "Escherichia coli", "AMK_NM")
    fewer = [*_rows(20), *_rows(9, "x{number},2024-01-05,ur,med,dia,eco,,16")]
    few = cell(counted(hospital(tmp_path, HEADER, fewer)), "Escherichia coli", "AMK_NM")
    assert (many["few"], few["few"], many["partial"], few["partial"]) == (False, True, False, True)


def test_a_ward_counts_its_own_first_isolates(tmp_path: Path) -> None:
    """A patient moved from one ward to the other counts once in each, and once in the whole."""
    rows = ["1,2024-01-05,ur,med,dia,eco,2,16", "1,2024-02-05,ur,icu,dia,eco,2,16"]
    made = counted(hospital(tmp_path, HEADER, rows), Request(by=(Stratum.WARD, Stratum.QUARTER, Stratum.AGE)))
    assert cell(made, "Escherichia coli", "AMK_NM")["isolates"] == 1
    assert cell(made, "Escherichia coli", "AMK_NM", "icu")["isolates"] == 1
    assert cell(made, "Escherichia coli", "AMK_NM", "med")["identifying"]
    assert cell(made, "Escherichia coli", "AMK_NM", "2024-Q1")["isolates"] == 1
    assert "identifying" in codes(made)


def test_gradient_strips_join_their_dilutions(tmp_path: Path) -> None:
    """An isolate tested by either is one result of the drug; the dilution counts where both are there."""
    header = "PATIENT_ID,SPEC_DATE,SPEC_TYPE,ORGANISM,AMK_NM,AMK_NE"
    rows = ["1,2024-01-05,bl,eco,2,", "2,2024-01-05,bl,eco,,1.5", "3,2024-01-05,bl,eco,64,1"]
    found = cell(counted(hospital(tmp_path, header, rows)), "Escherichia coli", "AMK_NM")
    assert (found["n"], found["S"], found["R"]) == (3, 2, 1)


def test_a_file_without_dates_is_one_period(tmp_path: Path) -> None:
    """It says so, and a period cannot be asked of it."""
    file = hospital(tmp_path, "PATIENT_ID,ORGANISM,AMK_NM", ["1,eco,2", "1,eco,2", "2,eco,2"])
    made = counted(file)
    assert made.isolates == 2
    assert "no_dates" in codes(made)
    with pytest.raises(UsageError, match="period"):
        counted(file, Request(period=Period.read("2024")))


def test_dates_of_1900_are_none(tmp_path: Path) -> None:
    """Nor is a day to come; the rows are lost at their step and told."""
    rows = [*_rows(2), "3,1900-01-01,ur,med,dia,eco,2,16", "4,2093-01-01,ur,med,dia,eco,2,16"]
    made = counted(hospital(tmp_path, HEADER, rows))
    assert made.isolates == 2
    assert "implausible_dates" in codes(made)


def test_a_file_without_patients_is_called_not_deduplicated(tmp_path: Path) -> None:
    """In the title too; zeros and dashes name nobody."""
    made = counted(
        hospital(tmp_path, HEADER, [*_rows(3, "-,2024-01-05,ur,med,dia,eco,2,16"), "0,2024-01-05,ur,m,,eco,2,"])
    )
    assert (made.isolates, made.is_deduplicated) == (4, False)
    assert "not de-duplicated" in render_page(made, Language.ENGLISH)


@pytest.mark.parametrize("period", [None, Period.read("2023-01-01..2024-12-31")])
def test_several_years_say_that_one_edition_reads_them(tmp_path: Path, period: Period | None) -> None:
    """Whether each year is a period or all are one: a trend may be drawn of either."""
    rows = ["1,2023-01-05,bl,icu,,eco,1,", "2,2024-01-05,bl,icu,,eco,1,"]
    assert "one_edition" in codes(counted(hospital(tmp_path, HEADER, rows), Request(period=period)))
    assert "one_edition" not in codes(counted(hospital(tmp_path, HEADER, rows[:1]), Request(period=period)))


def test_two_laboratories_are_told_and_share_no_patient(tmp_path: Path) -> None:
    """Patient 1 of one is not patient 1 of the other."""
    header = "LABORATORY,PATIENT_ID,SPEC_DATE,ORGANISM,AMK_NM"
    made = counted(hospital(tmp_path, header, ["A,1,2024-01-05,eco,2", "B,1,2024-01-06,eco,2", "B,1,2024-01-07,eco,2"]))
    assert made.isolates == 2
    assert "several_laboratories" in codes(made)


def test_a_drug_tested_on_resistant_isolates_alone_is_told(tmp_path: Path) -> None:
    """Amikacin on those that resist ciprofloxacin, and on no other."""
    header = "PATIENT_ID,SPEC_DATE,SPEC_TYPE,ORGANISM,CIP_NM,AMK_NM"
    rows = [f"{number},2024-01-05,bl,eco,{'>2,2' if number < 11 else '<=0.25,'}" for number in range(40)]
    made = counted(hospital(tmp_path, header, rows))
    assert cell(made, "Escherichia coli", "AMK_NM")["selective"]
    assert not cell(made, "Escherichia coli", "CIP_NM")["selective"]
    assert "selective" in codes(made)


def test_columns_of_two_guidelines_stand_apart(tmp_path: Path) -> None:
    """Each by its own guideline, and the file says so."""
    header = "PATIENT_ID,SPEC_DATE,SPEC_TYPE,ORGANISM,CIP_NM,CIP_EM"
    made = counted(hospital(tmp_path, header, ["1,2024-01-05,bl,eco,0.5,", "2,2024-01-05,bl,eco,,0.5"]))
    guidelines = {cell(made, "Escherichia coli", column)["guideline"] for column in ("CIP_NM", "CIP_EM")}
    assert guidelines == {"CLSI", "EUCAST"}
    assert "several_guidelines" in codes(made)


def test_expert_rules_count_and_add_nothing_to_a_denominator(tmp_path: Path) -> None:
    """Penicillin of an MRSA is R, whatever its MIC; TZP, for which staphylococci have no breakpoint, stays out.

    Only MRSA would enter the denominator of TZP, which would show 0 %.
    """
    header = "PATIENT_ID,SPEC_DATE,SPEC_TYPE,ORGANISM,MRSA,PEN_NM,TZP_NM"
    rows = ["1,2024-01-05,bl,sau,+,<=0.12,<=4", "2,2024-01-05,bl,sau,-,<=0.12,<=4"]
    file = hospital(tmp_path, header, rows)
    made = counted(file)
    penicillin, inhibitor = (cell(made, "Staphylococcus aureus", column) for column in ("PEN_NM", "TZP_NM"))
    assert (penicillin["n"], penicillin["S"], penicillin["R"]) == (2, 1, 1)
    assert (inhibitor["n"], inhibitor["NI"], inhibitor["percent_s"]) == (0, 2, None)
    assert made.moved_by_rules == {"MRS": 1}
    assert "MRS 1" in render_page(made, Language.ENGLISH)
    plain = counted_file(file, rules=None).antibiogram
    assert cell(plain, "Staphylococcus aureus", "PEN_NM")["S"] == 2
    assert "Expert rules are off" in render_page(plain, Language.ENGLISH)


def test_an_age_is_completed_years_and_a_birth_before_1970_counts(tmp_path: Path) -> None:
    """Born on 6 January 1939: 84 on the day before the birthday of 2024, 85 on the day."""
    header = "PATIENT_ID,SPEC_DATE,DATE_BIRTH,ORGANISM,AMK_NM"
    rows = ["1,2024-01-05,1939-01-06,eco,2", "2,2024-01-06,1939-01-06,eco,2", "3,2024-01-06,2025-01-06,eco,2"]
    facts = read_isolates(hospital(tmp_path, header, rows), TODAY)
    assert facts.frame["age_group"].to_list() == ["75-84", "85+", None]


def test_a_screening_value_nobody_has_is_refused(tmp_path: Path) -> None:
    """Misspelt, it would leave nothing out in silence; the codes that are there are shown."""
    with pytest.raises(UsageError) as error:
        counted(hospital(tmp_path, HEADER, _rows(2)), Request(screening={"SPEC_REAS": ["sur"]}))
    assert "dia" in error.value.hint


def test_no_export_holds_a_patient(tmp_path: Path) -> None:
    """Neither number nor digest, in none of the forms; the rule and the source stand in each."""
    made = counted(hospital(tmp_path, HEADER, _rows(3, "NHC77{number}1,2024-01-05,ur,med,dia,eco,2,16")))
    for text in (as_csv(made, Language.SPANISH), as_json(made, Language.SPANISH), render_page(made, Language.SPANISH)):
        assert "NHC77" not in text
        assert "CLSI 2025" in text
        assert "primer aislamiento de cada paciente" in text
    assert json.loads(as_json(made, Language.ENGLISH))["cells"][0]["species"] == "Escherichia coli"


def test_the_page_asks_nothing_of_anybody_and_escapes_names(tmp_path: Path) -> None:
    """No script, no address of another place; a ward's name is text."""
    rows = _rows(30, "{number},2024-01-05,ur,<script>alert(1)</script>,dia,eco,2,16")
    page = render_page(counted(hospital(tmp_path, HEADER, rows), Request(by=(Stratum.WARD,))), Language.SPANISH)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert re.findall(r"(?:src|href|url)\s*[=(]", page) == []


def test_a_digest_is_another_in_every_run_and_the_same_within() -> None:
    """Case and blanks make no other patient."""
    numbers = pl.Series(["a1", " A1 ", "b2", None, "--", "000"])
    first, second = digest_patients([numbers]), digest_patients([numbers])
    assert first[0] == first[1] != first[2]
    assert first[3:].to_list() == [None, None, None]
    assert first[0] != second[0]


def test_the_day_comes_first_unless_a_date_says_otherwise() -> None:
    """One date with 13 or more in the second place decides for all of its column."""
    assert read_dates(pl.Series(["2/1/1995 12:00:00 AM", "14/4/2000"]), TODAY).dates[0].month == 1
    assert read_dates(pl.Series(["2/1/1995", "4/14/2000"]), TODAY).dates[0].month == 2
    assert read_dates(pl.Series(["2/1/1995"]), TODAY).is_undecided
    assert read_dates(pl.Series(["20240105", "2024-01-05T10:00"]), TODAY).dates.n_unique() == 1


def test_every_column_of_the_table_is_explained(tmp_path: Path) -> None:
    """In the order of the table, in both languages."""
    made = counted(hospital(tmp_path, HEADER, _rows(2)))
    for language in Language:
        assert cells_table(made, language).columns == dictionary(language).to_series(0).to_list()


def test_both_languages_fill_in_the_same_figures() -> None:
    """No sentence lacks a figure in one of them."""
    texts = [entry for kind in ("words", "modes", "cautions", "columns") for entry in TEXTS[kind].values()]
    for entry in (*texts, *TEXTS["method"], TEXTS["parts"], TEXTS["rules_on"], TEXTS["rules_off"]):
        names = [set(re.findall(r"{(\w+)}", entry[language])) for language in ("en", "es")]
        assert names[0] == names[1], entry["en"]
