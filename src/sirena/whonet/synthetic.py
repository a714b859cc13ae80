"""The synthetic hospital: a WHONET table with MICs for the 41 antimicrobials, of invented patients.

For demonstrations, tests and benchmarks. It uses no guideline: the caller gives the categories (`labels`).
"""

from collections.abc import Callable
from datetime import date
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from sirena.domain.errors import UsageError
from sirena.domain.mic import MAXIMUM_EXPONENT, MINIMUM_EXPONENT, spell_dilution
from sirena.whonet.synthetic_profiles import (
    CLASSES,
    DRUGS,
    SPECIES,
    SPECIMENS,
    WARDS,
    Spread,
    is_tested_only_in_urine,
    spreads_of,
)

Labels = Callable[[pl.DataFrame, str], pl.Series]
"""Function of the table and the name of an MIC column that returns the categories of its cells, null for none."""

_FIRST_DAY: Final = date(2019, 1, 1)
_DAYS: Final = (date(2025, 12, 31) - _FIRST_DAY).days + 1
_LAST_NAMES: Final = (
    "Albarrosa", "Bermejal", "Cantoviejo", "Dominguera", "Espinal", "Fontalba", "Garzonedo", "Higueral", "Ibarrondo",
    "Jaramares", "Lomavieja", "Montecillo", "Nogaleda", "Ñandubá", "Olmedilla", "Pedregosa", "Quintanal", "Robledano",
    "Sauceda", "Torrealta", "Umbralejo", "Valdeluna", "Yerbabuena", "Zarzalejo",
)  # fmt: skip
_FIRST_NAMES: Final = (
    "Alba", "Benito", "Celia", "Darío", "Elsa", "Fermín", "Gala", "Hugo", "Inés", "Joaquín", "Lía", "Martín", "Nora",
    "Óscar", "Pía", "Raúl", "Sofía", "Tomás", "Úrsula", "Víctor",
)  # fmt: skip
AGE_GROUPS: Final = ((1, "<1"), (5, "1-4"), (12, "5-11"), (25, "12-24"), (55, "25-54"), (75, "55-74"), (200, "75+"))
"""Years of age below which a group ends, and WHONET's name of the group."""

_WILD_TYPE_WIDTH: Final = 0.75
_RESISTANT_WIDTH: Final = 1.1
"""Standard deviations of the MICs of wild types and of resistant isolates, in two-fold dilutions."""
_BETWEEN_SHARE: Final = 0.1
"""Share of MICs that lie anywhere between wild type and resistant: stepwise mutants, and scatter of the method."""
_SHARED_RESISTANCE: Final = 0.85
"""Correlation of resistance among the antimicrobials of a class."""

_INSTRUMENTS: Final = (0.6, 0.25, 0.15)
"""Shares of three instruments: one reports ``>=`` its highest dilution, one ``>`` the dilution below it, the third
is broth microdilution with a range four dilutions wider below and two above."""
_EXPONENTS: Final = MAXIMUM_EXPONENT - MINIMUM_EXPONENT + 1
_COMPARATORS: Final = ("", "<=", ">=", ">")
_SPELLINGS: Final = pl.Series(
    [
        comparator + spell_dilution(exponent)
        for comparator in _COMPARATORS
        for exponent in range(MINIMUM_EXPONENT, MAXIMUM_EXPONENT + 1)
    ]
)
_NOT_TESTED: Final = -1


def generate_hospital(isolates: int, seed: int, *, labels: Labels | None = None) -> pl.DataFrame:
    """Return a WHONET table of a hospital's isolates of 2019 to 2025.

    Args:
        isolates: number of rows, at least 1.
        seed: the same number gives the same table.
        labels: function that fills an ``Eti_`` column after each MIC column; if None, there are no such columns.

    Returns:
        A frame with every column String: patient (fictitious), ward, specimen and organism fields, then ``AMK_NM`` …
        ``VOR_NM``, null if not tested.

    Raises:
        UsageError: `isolates` is less than 1.

    >>> generate_hospital(10, seed=1).height
    10
    """
    if isolates < 1:
        raise UsageError("a hospital needs at least one isolate", hint="Ask for 5000, for example.")
    random = np.random.default_rng(seed)
    weights = np.array([species.weight for species in SPECIES])
    species = random.choice(len(SPECIES), size=isolates, p=weights / weights.sum())
    frame = _patients(random, isolates).hstack(_isolates(random, species))
    urine = (frame["SPEC_TYPE"] == "ur").to_numpy()
    mics = _mics(random, species, urine)
    columns = [pl.Series(f"{drug}_NM", _spell(codes)) for drug, codes in mics.items()]
    frame = frame.hstack(columns)
    return frame if labels is None else _with_labels(frame, [column.name for column in columns], labels)


def _with_labels(frame: pl.DataFrame, columns: list[str], labels: Labels) -> pl.DataFrame:
    ordered_columns: list[pl.Series] = []
    for column in frame:
        ordered_columns.append(column)
        if column.name in columns:
            ordered_columns.append(labels(frame, column.name).cast(pl.String).alias(f"Eti_{column.name}"))
    return pl.DataFrame(ordered_columns)


def _patients(random: np.random.Generator, isolates: int) -> pl.DataFrame:
    """Return invented patients in the order of their specimens; about one isolate in four is of an earlier patient."""
    patients = max(1, round(0.75 * isolates))
    patient = random.integers(patients, size=isolates)
    last_name = random.integers(len(_LAST_NAMES), size=patients)
    first_name = random.integers(len(_FIRST_NAMES), size=patients)
    age = np.clip(
        np.where(random.random(patients) < 0.12, random.integers(0, 12, patients), random.normal(58, 20, patients)),
        0,
        99,
    )
    birth = np.datetime64(_FIRST_DAY) - (age * 365.25 + random.integers(0, 365, patients)).astype("timedelta64[D]")
    specimen_dates = np.datetime64(_FIRST_DAY) + np.sort(random.integers(0, _DAYS, isolates)).astype("timedelta64[D]")
    years = ((specimen_dates - birth[patient]).astype(np.int64) / 365.25).astype(np.int64)
    group = np.searchsorted([limit for limit, _ in AGE_GROUPS], years, side="right")
    return pl.DataFrame(
        {
            "ROW_IDX": _text(np.arange(1, isolates + 1)),
            "COUNTRY_A": pl.repeat("TST", isolates, eager=True),
            "LABORATORY": pl.repeat("SIR", isolates, eager=True),
            "PATIENT_ID": "F" + _text(patient + 1).str.zfill(7),
            "LAST_NAME": pl.Series(_LAST_NAMES).gather(last_name[patient]),
            "FIRST_NAME": pl.Series(_FIRST_NAMES).gather(first_name[patient]),
            "SEX": pl.Series(["f", "m"]).gather(random.integers(2, size=patients)[patient]),
            "DATE_BIRTH": pl.Series(birth[patient]).cast(pl.String),
            "AGE": _text(years),
            "AGE_GRP": pl.Series([name for _, name in AGE_GROUPS]).gather(group),
            "SPEC_NUM": _text(np.arange(1, isolates + 1) + 190_000),
            "SPEC_DATE": pl.Series(specimen_dates).cast(pl.String),
        }
    )


def _isolates(random: np.random.Generator, species: NDArray[np.int64]) -> pl.DataFrame:
    ward = random.choice(len(WARDS), size=len(species), p=[share for _, _, share in WARDS])
    kinds = sorted({kind for shares in SPECIMENS.values() for kind in shares})
    specimen = np.empty(len(species), dtype=np.int64)
    for number, profile in enumerate(SPECIES):
        rows = np.flatnonzero(species == number)
        shares = SPECIMENS[profile.specimens]
        specimen[rows] = random.choice([kinds.index(kind) for kind in shares], size=len(rows), p=list(shares.values()))
    return pl.DataFrame(
        {
            "WARD": pl.Series([name for name, _, _ in WARDS]).gather(ward),
            "WARD_TYPE": pl.Series([kind for _, kind, _ in WARDS]).gather(ward),
            "SPEC_TYPE": pl.Series(kinds).gather(specimen),
            "ORGANISM": pl.Series([profile.code for profile in SPECIES]).gather(species),
            "ORG_TYPE": pl.Series([profile.org_type for profile in SPECIES]).gather(species),
            "LOCAL_ORG": pl.Series([profile.name for profile in SPECIES]).gather(species),
        }
    )


def _mics(
    random: np.random.Generator, species: NDArray[np.int64], urine: NDArray[np.bool_]
) -> dict[str, NDArray[np.int64]]:
    """Return for each antimicrobial the positions of its MICs in `_SPELLINGS`; `_NOT_TESTED` without a result."""
    results = {drug: np.full(len(species), _NOT_TESTED, dtype=np.int64) for drug in DRUGS}
    instrument = random.choice(len(_INSTRUMENTS), size=len(species), p=_INSTRUMENTS)
    for number, profile in enumerate(SPECIES):
        rows = np.flatnonzero(species == number)
        shared_tendencies = {name: random.standard_normal(len(rows)) for name in sorted(set(CLASSES.values()))}
        for drug, spread in spreads_of(profile).items():
            own = random.standard_normal(len(rows))
            tendency = shared_tendencies.get(CLASSES.get(drug, ""), own)
            tendency = np.sqrt(_SHARED_RESISTANCE) * tendency + np.sqrt(1 - _SHARED_RESISTANCE) * own
            if drug not in CLASSES:
                tendency = own
            codes = _read_panel(_true_mics(random, spread, tendency), spread, instrument[rows])
            is_tested = random.random(len(rows)) < spread.tested_share
            if is_tested_only_in_urine(drug):
                is_tested &= urine[rows]
            results[drug][rows] = np.where(is_tested, codes, _NOT_TESTED)
    return results


def _true_mics(random: np.random.Generator, spread: Spread, tendency: NDArray[np.float64]) -> NDArray[np.int64]:
    """Draw the exponents of true MICs: of wild types, of resistant isolates, and of some between the two.

    Args:
        random: source of chance.
        spread: distribution of the antimicrobial's MICs.
        tendency: one standard normal number per isolate; those in the upper tail are resistant.
    """
    count = len(tendency)
    resistant = tendency > ndtri(1 - spread.resistant_share)
    centre = np.where(resistant, spread.resistant, spread.wild_type)
    width = np.where(resistant, _RESISTANT_WIDTH, _WILD_TYPE_WIDTH)
    exponents = np.rint(centre + width * random.standard_normal(count)).astype(np.int64)
    low, high = sorted((spread.wild_type, spread.resistant))
    between = random.integers(low, high, size=count, endpoint=True)
    return np.where(random.random(count) < _BETWEEN_SHARE, between, exponents)


def _read_panel(exponents: NDArray[np.int64], spread: Spread, instrument: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the MICs that an instrument reports for true MICs, as positions in `_SPELLINGS`."""
    wide = instrument == 2
    lowest = np.where(wide, np.maximum(spread.lowest - 4, MINIMUM_EXPONENT + 1), spread.lowest)
    highest = np.where(wide, np.minimum(spread.highest + 2, MAXIMUM_EXPONENT - 1), spread.highest)
    strictly_above = (instrument > 0) & (exponents >= highest)
    comparator = np.select([exponents <= lowest, strictly_above, exponents >= highest], [1, 3, 2], 0)
    reported_exponents = np.clip(exponents, lowest, highest) - strictly_above
    return comparator * _EXPONENTS + reported_exponents - MINIMUM_EXPONENT


def _spell(codes: NDArray[np.int64]) -> pl.Series:
    return _SPELLINGS.gather(pl.Series(codes).set(pl.Series(codes == _NOT_TESTED), None))


def _text(numbers: NDArray[np.int64]) -> pl.Series:
    return pl.Series(numbers).cast(pl.String)
