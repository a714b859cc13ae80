"""The hospital that can be counted: what was put in stands in the truth, and is in the file."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from sirena.cli import build_app
from sirena.domain.errors import UsageError
from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.synthetic_stays import TRUTH, CountedHospital, generate_counted_hospital

ROWS = 4000


@pytest.fixture(scope="module")
def hospital() -> CountedHospital:
    """Large enough for every share to be seen."""
    return generate_counted_hospital(ROWS, 1)


@pytest.fixture(scope="module")
def both(hospital: CountedHospital) -> pl.DataFrame:
    """File and truth side by side; columns of the truth in capitals with a T before them."""
    return hospital.frame.hstack(hospital.truth.rename({name: f"T_{name}" for name in TRUTH}))


def test_it_has_the_columns_of_the_plain_hospital_and_more(hospital: CountedHospital) -> None:
    """All text, one row of truth for each row of the file."""
    plain = set(generate_hospital(1, 1).columns)
    more = {"SPEC_REAS", "DATE_ADMIS", "ISOL_NUM", "MRSA", "ESBL", "INDUC_CLI", "BETA_LACT"}
    assert set(hospital.frame.columns) == plain | more
    assert {pl.String} == set(hospital.frame.dtypes) == set(hospital.truth.dtypes)
    assert hospital.truth.columns == list(TRUTH)
    assert hospital.frame["ROW_IDX"].equals(hospital.truth["ROW_IDX"])
    assert hospital.frame.height == ROWS


def test_the_same_seed_gives_the_same_hospital_and_truth() -> None:
    """And another seed another one."""
    first, again, other = (generate_counted_hospital(200, seed) for seed in (7, 7, 8))
    assert_frame_equal(first.frame, again.frame)
    assert_frame_equal(first.truth, again.truth)
    assert not first.frame.equals(other.frame)


def test_an_episode_is_one_patient_and_one_strain_within_thirty_days(both: pl.DataFrame) -> None:
    """But for what was acquired or not grown; many episodes have several specimens."""
    grown = both.filter((pl.col("T_KIND") != "no_growth") & (pl.col("T_OUTBREAK") == "0"))
    days = pl.col("T_DATE").str.to_date()
    facts = grown.group_by("T_EPISODE").agg(
        pl.col("T_PATIENT").n_unique(),
        pl.col("ORGANISM").n_unique(),
        (days.max() - days.min()).dt.total_days().alias("days"),
        pl.len(),
        pl.col("GEN_NM").n_unique().alias("gentamicin"),
    )
    assert set(facts.select("T_PATIENT", "ORGANISM", "gentamicin").rows()) == {(1, 1, 1)}
    assert facts.filter(pl.col("days") > 30).is_empty()
    assert facts.filter(pl.col("len") > 1).height > 0.4 * facts.height


def test_what_was_acquired_is_resistant_and_was_not_before(both: pl.DataFrame) -> None:
    """The truth names the test; an earlier specimen of the episode was not at its highest dilution."""
    rows = both.filter(pl.col("T_ACQUIRED").is_not_null())
    assert rows.height > 20
    for row in rows.iter_rows(named=True):
        assert row[row["T_ACQUIRED"]].startswith(">=")
        earlier = both.filter(
            (pl.col("T_EPISODE") == row["T_EPISODE"])
            & pl.col("T_ACQUIRED").is_null()
            & (pl.col("T_KIND") != "no_growth")
        )[row["T_ACQUIRED"]]
        assert not earlier.str.starts_with(">").any()


def test_gaps_and_reasons_are_where_the_truth_says(both: pl.DataFrame) -> None:
    """Blank patients and dates, swabs, cultures without growth."""
    blank = pl.col("T_BLANK").fill_null("")
    assert both.filter(pl.col("PATIENT_ID").is_null() != (blank == "patient")).is_empty()
    assert both.filter(pl.col("SPEC_DATE").is_null() != (blank == "date")).is_empty()
    assert both.filter((pl.col("SPEC_REAS") == "sur") != (pl.col("T_KIND") == "screening")).is_empty()
    assert both.filter((pl.col("ORGANISM") == "xxx") != (pl.col("T_KIND") == "no_growth")).is_empty()
    mics = [name for name in both.columns if name.endswith("_NM")]
    assert both.filter(pl.col("ORGANISM") == "xxx").select(mics).null_count().row(0) == (
        both.filter(pl.col("ORGANISM") == "xxx").height,
    ) * len(mics)
    assert set(both.filter(pl.col("SPEC_REAS") == "sur")["SPEC_TYPE"]) <= {"re", "th", "sk"}
    shares = both["T_KIND"].value_counts(normalize=True)
    assert dict(shares.iter_rows())["screening"] == pytest.approx(0.08, abs=0.02)


def test_first_of_year_is_what_a_plain_recount_finds(both: pl.DataFrame) -> None:
    """Row by row, in the order of the file: the oldest diagnostic isolate of patient, organism and year."""
    seen: set[tuple[str, str, str]] = set()
    for row in both.iter_rows(named=True):
        counts = row["T_KIND"] == "diagnostic" and row["SPEC_DATE"] is not None
        key = row["PATIENT_ID"] or f"row {row['ROW_IDX']}", row["ORGANISM"], (row["SPEC_DATE"] or "")[:4]
        assert (row["T_FIRST_OF_YEAR"] == "1") == (counts and key not in seen)
        if counts:
            seen.add(key)
    assert 0.4 * both.height < len(seen) < 0.85 * both.height


def test_resistance_grows_over_the_years_as_the_truth_says(both: pl.DataFrame) -> None:
    """Ciprofloxacin in E. coli: drawn from 15 % in 2019 to 45 % in 2025."""
    rows = both.filter(pl.col("T_TREND").is_not_null())
    years = rows.group_by(rows["T_DATE"].str.slice(0, 4).alias("year")).agg(
        pl.col("CIP_NM").str.starts_with(">").mean().alias("share"), pl.col("T_TREND").cast(pl.Float64).mean()
    )
    by_year = {year: (share, truth) for year, share, truth in years.iter_rows()}
    assert by_year["2019"][1] < 0.2 < 0.4 < by_year["2025"][1]
    assert by_year["2019"][0] < by_year["2025"][0]


def test_the_outbreak_is_one_strain_in_one_ward_in_sixty_days(both: pl.DataFrame) -> None:
    """Twelve patients, resistant to carbapenems."""
    rows = both.filter(pl.col("T_OUTBREAK") == "1")
    assert rows.height == rows["PATIENT_ID"].n_unique() == 12
    assert set(rows.select("ORGANISM", "WARD", "MEM_NM").rows()) == {("kpn", "icu", ">=16")}
    assert rows.select("T_DATE").min().item() >= "2023-03-01"
    assert rows.select("T_DATE").max().item() < "2023-05-01"
    assert generate_counted_hospital(50, 1).truth["OUTBREAK"].unique().to_list() == ["0"]


def test_the_cold_months_have_more_episodes(both: pl.DataFrame) -> None:
    """Half as many again in December to February and June to August."""
    cold = both["T_DATE"].str.slice(5, 2).is_in(["12", "01", "02", "06", "07", "08"]).mean()
    assert cold == pytest.approx(0.6, abs=0.03)


def test_phenotypes_agree_with_the_mics(both: pl.DataFrame) -> None:
    """MRSA and ESBL by their MICs, D tests where erythromycin alone is resistant, BLNAR seldom."""
    mrsa = both.filter(pl.col("MRSA").is_not_null())
    assert set(mrsa["ORGANISM"]) == {"sau"}
    assert mrsa.filter((pl.col("MRSA") == "+") & pl.col("OXA_NM").str.starts_with("<")).is_empty()
    assert {"+", "-"} == set(both["ESBL"].drop_nulls()) == set(both["INDUC_CLI"].drop_nulls()) == set(mrsa["MRSA"])
    assert set(both.filter(pl.col("BETA_LACT").is_not_null())["ORGANISM"]) == {"hin"}


def test_admission_birth_and_origin_agree_with_the_specimen(both: pl.DataFrame) -> None:
    """Nobody is admitted after the specimen or born after admission, and hospital origin is more than two days."""
    stayed = (pl.col("T_DATE").str.to_date() - pl.col("DATE_ADMIS").str.to_date()).dt.total_days()
    inside = both.filter(pl.col("DATE_ADMIS").is_not_null())
    assert inside.filter((stayed < 0) | ((stayed > 2) != (pl.col("T_ORIGIN") == "HO"))).is_empty()
    assert both.filter(pl.col("DATE_BIRTH") > pl.col("T_DATE")).is_empty()
    assert set(both.filter(pl.col("DATE_ADMIS").is_null())["WARD_TYPE"]) == {"out", "eme"}


def test_the_plain_hospital_is_what_it_was(tmp_path: Path) -> None:
    """Without --episodes the file is the same as ever; --truth needs them."""
    runner, app = CliRunner(), build_app()
    plain, counted, truth = (str(tmp_path / name) for name in ("plain.csv", "counted.csv", "truth.csv"))
    assert runner.invoke(app, ["synthesize", "-n", "50", "-o", plain]).exit_code == 0
    assert_frame_equal(pl.read_csv(plain, infer_schema=False), generate_hospital(50, 1))
    result = runner.invoke(app, ["synthesize", "-n", "50", "-o", counted, "--episodes", "--truth", truth])
    assert result.exit_code == 0
    assert pl.read_csv(truth, infer_schema=False).columns == list(TRUTH)
    assert isinstance(runner.invoke(app, ["synthesize", "-o", plain, "--truth", truth]).exception, UsageError)


def test_no_isolates_is_wrong_use() -> None:
    """An empty hospital counts nothing."""
    with pytest.raises(UsageError):
        generate_counted_hospital(0, 1)
