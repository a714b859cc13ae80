"""The synthetic hospital: repeatable, readable, and with evidence for every antimicrobial."""

import csv
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sirena.domain.antimicrobials import ANTIMICROBIALS, FIRST_PANEL
from sirena.domain.errors import UsageError
from sirena.domain.mic import DILUTIONS, MINIMUM_EXPONENT, Interval, encode_mics
from sirena.domain.organisms import ORGANISMS
from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.synthetic_profiles import DRUGS, SPECIES, spreads_of


@pytest.fixture(scope="module")
def hospital() -> pl.DataFrame:
    """The size of the demonstration."""
    return generate_hospital(5000, 1)


def test_it_has_an_mic_column_for_every_antimicrobial_in_order(hospital: pl.DataFrame) -> None:
    """All 41, and no category column, since it knows no guideline."""
    assert set(FIRST_PANEL) < set(DRUGS)
    assert [f"{drug}_NM" for drug in DRUGS] == [name for name in hospital.columns if name.endswith("_NM")]
    assert {pl.String} == set(hospital.dtypes)


def test_every_cell_is_an_mic(hospital: pl.DataFrame) -> None:
    """Instruments write comparators and dilutions that the domain reads."""
    for drug in DRUGS:
        texts = hospital[f"{drug}_NM"].drop_nulls().unique().to_list()
        assert texts
        assert (encode_mics(texts) >= 0).all()


def test_the_same_seed_gives_the_same_hospital() -> None:
    """And another seed another one."""
    assert_frame_equal(generate_hospital(300, 7), generate_hospital(300, 7))
    assert not generate_hospital(300, 7).equals(generate_hospital(300, 8))


def test_every_species_is_known(hospital: pl.DataFrame) -> None:
    """Codes are WHONET's, and all of them grow in five thousand isolates."""
    assert all(species.code in ORGANISMS for species in SPECIES)
    assert {species.code for species in SPECIES} == set(hospital["ORGANISM"])


def test_every_spread_lies_within_its_panel() -> None:
    """A panel reads resistant isolates as resistant, and its range is not empty."""
    for species in SPECIES:
        for spread in spreads_of(species).values():
            assert spread.drug in ANTIMICROBIALS
            assert spread.lowest < spread.highest <= spread.resistant + 5
            assert spread.lowest <= spread.resistant


def test_patients_come_back_with_the_same_name(hospital: pl.DataFrame) -> None:
    """A patient number has one name and one birth date, and some have several isolates."""
    by_patient = hospital.group_by("PATIENT_ID").agg(pl.struct("LAST_NAME", "FIRST_NAME", "DATE_BIRTH").n_unique())
    assert {1} == set(by_patient.to_series(1))
    assert by_patient.height < hospital.height


def test_dates_lie_between_2019_and_2025(hospital: pl.DataFrame) -> None:
    """Seven years, each with isolates, and nobody is born after the specimen."""
    years = hospital["SPEC_DATE"].str.slice(0, 4).cast(pl.Int32)
    assert set(range(2019, 2026)) == set(years)
    assert (hospital["DATE_BIRTH"] <= hospital["SPEC_DATE"]).all()


def test_urinary_drugs_are_tested_in_urine_only(hospital: pl.DataFrame) -> None:
    """Nitrofurantoin has no place in blood."""
    assert {"ur"} == set(hospital.filter(pl.col("NIT_NM").is_not_null())["SPEC_TYPE"])


def test_labels_fill_category_columns_beside_their_tests() -> None:
    """The caller brings the guideline."""
    frame = generate_hospital(
        50, 1, labels=lambda table, name: table[name].is_not_null().replace_strict([True], ["S"], default=None)
    )
    position = frame.columns.index("AMK_NM")
    assert frame.columns[position + 1] == "Eti_AMK_NM"
    assert frame["AMK_NM"].null_count() == frame["Eti_AMK_NM"].null_count()


def test_no_isolates_is_wrong_use() -> None:
    """An empty hospital teaches nothing."""
    with pytest.raises(UsageError):
        generate_hospital(0, 1)


GROUPS = {
    "eco": ["Escherichia coli", "Enterobacterales"],
    "kpn": ["Enterobacterales"],
    "pae": ["Pseudomonas aeruginosa"],
    "aba": ["Acinetobacter"],
    "sau": ["Staphylococcus aureus", "Staphylococcus"],
    "efa": ["Enterococcus faecalis", "Enterococcus"],
    "efm": ["Enterococcus faecium", "Enterococcus"],
    "spn": ["Streptococcus pneumoniae"],
    "cal": ["Candida albicans"],
    "cpa": ["Candida parapsilosis"],
    "ctr": ["Candida tropicalis"],
}
"""Organisms to ask and the breakpoint groups they belong to, the more specific first."""


def test_every_antimicrobial_has_susceptible_and_resistant_isolates(hospital: pl.DataFrame, shared_data: Path) -> None:
    """By the published CLSI breakpoints: S and R for all 41, and in between wherever a breakpoint leaves room."""
    rows = _breakpoints(shared_data)
    for drug in FIRST_PANEL:
        found = {"S": 0, "between": 0, "R": 0}
        has_room = False
        for code, groups in GROUPS.items():
            bounds = next((rows[drug, group] for group in groups if (drug, group) in rows), None)
            if bounds is None:
                continue
            susceptible, resistant = bounds
            has_room |= resistant > 2 * susceptible
            cells = hospital.filter(pl.col("ORGANISM") == code)[f"{drug}_NM"].drop_nulls()
            codes = encode_mics(cells.to_list())
            concentration = 2.0 ** (codes % DILUTIONS + MINIMUM_EXPONENT)
            interval = codes // DILUTIONS
            found["S"] += int(((concentration <= susceptible) & (interval != Interval.AT_LEAST)).sum())
            found["R"] += int(((concentration >= resistant) & (interval != Interval.AT_MOST)).sum())
            between = (concentration > susceptible) & (concentration < resistant) & (interval == Interval.EXACT)
            found["between"] += int(between.sum())
        assert found["S"] >= 5, (drug, found)
        assert found["R"] >= 5, (drug, found)
        assert found["between"] >= (3 if has_room else 0), (drug, found)


def _breakpoints(shared_data: Path) -> dict[tuple[str, str], tuple[float, float]]:
    with (shared_data / "reference" / "breakpoints_2025.csv").open(encoding="utf-8", newline="") as stream:
        return {
            (row["ab"], row["organism_group"]): (float(row["breakpoint_S"]), float(row["breakpoint_R"]))
            for row in csv.DictReader(stream)
            if row["guideline"] == "CLSI 2025" and row["breakpoint_S"] and row["breakpoint_R"]
        }
