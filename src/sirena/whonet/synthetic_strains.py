"""What happens to strains in the hospital of `synthetic_stays`: a trend, acquired resistance, an outbreak, phenotypes.

Each function takes the table and the episode of each row, and returns the changed table and what it changed in each
row.
The rows of an episode have one strain, so whatever is drawn is drawn once for an episode.
"""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Rows = NDArray[np.int64]
"""One number per row, or per episode."""

TREND: Final = ("eco", "CIP_NM")
"""Organism and test whose resistance grows over the years."""
OUTBREAK: Final = ("kpn", "icu", "icu", "bl")
"""Organism, ward, ward type and specimen of the outbreak."""
_TREND_MICS: Final = (">=4", "<=0.25")
_ACQUIRED: Final = (
    ("CIP_NM", ">=4", ("eco", "kpn", "pae", "ecl")),
    ("MEM_NM", ">=16", ("kpn", "pae", "aba")),
    ("CRO_NM", ">=64", ("eco", "kpn", "ecl")),
)
"""Test, MIC after resistance was acquired, organisms in which that happens."""
_OUTBREAK_MICS: Final = {
    "MEM_NM": ">=16",
    "IPM_NM": ">=16",
    "ETP_NM": ">=8",
    "CRO_NM": ">=64",
    "CAZ_NM": ">=64",
    "CIP_NM": ">=4",
    "NIT_NM": None,
    "NOR_NM": None,
    "FOS_NM": None,
}
_PRODUCERS: Final = ("eco", "kpn", "kox", "pmi")
_MRSA_MIC, _ESBL_MIC, _ERYTHROMYCIN_MIC, _CLINDAMYCIN_MIC, _AMPICILLIN_MIC = 4.0, 4.0, 8.0, 4.0, 4.0


def with_trend(
    random: np.random.Generator, frame: pl.DataFrame, episode: Rows, share: NDArray[np.float64]
) -> tuple[pl.DataFrame, pl.Series]:
    """Draw new random results for the test that has a trend, with the share of resistance of each row's episode.

    Returns:
        The table; and the share by which each row's result was drawn, null for other rows.

    >>> hospital = pl.DataFrame({"ORGANISM": ["eco", "kpn"], "CIP_NM": ["0.5", "0.5"]})
    >>> hospital, drawn_by = with_trend(np.random.default_rng(1), hospital, np.arange(2), share=np.ones(2))
    >>> hospital["CIP_NM"].to_list(), drawn_by.to_list()
    (['>=4', '0.5'], ['1.0', None])
    """
    organism, test = TREND
    resistant = random.random(_episodes(episode))[episode] < share
    here = (frame["ORGANISM"] == organism) & frame[test].is_not_null()
    new_mics = pl.Series(np.where(resistant, *_TREND_MICS), dtype=pl.String)
    shares = pl.Series(share).round(4).cast(pl.String)
    return frame.with_columns(new_mics.zip_with(here, frame[test]).alias(test)), _only(here, shares)


def with_acquired(
    random: np.random.Generator, frame: pl.DataFrame, episode: Rows, offset: Rows, acquiring: float
) -> tuple[pl.DataFrame, pl.Series]:
    """Make some strains resistant from the second half of their episode.

    Args:
        random: random number generator.
        frame: the table.
        episode: episode of each row.
        offset: days since the first specimen of the episode.
        acquiring: share of episodes in which this happens.

    Returns:
        The table; and the test to which each row is now resistant, null for other rows.

    >>> mics = dict.fromkeys(("CIP_NM", "MEM_NM", "CRO_NM"), ["<=1", "<=1"])
    >>> hospital, episode = pl.DataFrame({"ORGANISM": ["eco", "eco"]} | mics), np.array([0, 0])
    >>> offset = np.array([0, 9])
    >>> hospital, acquired = with_acquired(np.random.default_rng(1), hospital, episode, offset, acquiring=1.0)
    >>> hospital["CIP_NM"].to_list(), acquired.to_list()
    (['<=1', '>=4'], [None, 'CIP_NM'])
    """
    latest = np.zeros(_episodes(episode), dtype=np.int64)
    np.maximum.at(latest, episode, offset)
    is_chosen = (random.random(_episodes(episode)) < acquiring)[episode]
    late = pl.Series(is_chosen & (offset > 0) & (2 * offset >= latest[episode]))
    acquired_tests = pl.Series([None] * frame.height, dtype=pl.String)
    for test, mic, organisms in _ACQUIRED:
        susceptible = frame[test].is_not_null() & ~frame[test].str.starts_with(">").fill_null(value=True)
        here = late & acquired_tests.is_null() & frame["ORGANISM"].is_in(organisms) & susceptible
        frame = frame.with_columns(_constant(mic, frame.height).zip_with(here, frame[test]).alias(test))
        acquired_tests = _constant(test, frame.height).zip_with(here, acquired_tests)
    return frame, acquired_tests


def with_outbreak(
    random: np.random.Generator, frame: pl.DataFrame, episode: Rows, patients: int, days: int
) -> tuple[pl.DataFrame, Rows]:
    """Give one strain in one ward to a number of patients, each with one specimen.

    Returns:
        The table; and the day of the outbreak on which each specimen was taken, -1 for rows outside it. There is no
        outbreak if the organism has too few episodes with one specimen.

    >>> from sirena.whonet.synthetic import generate_hospital
    >>> hospital = generate_hospital(100, seed=1)
    >>> hospital, day = with_outbreak(np.random.default_rng(1), hospital, np.arange(100), patients=2, days=60)
    >>> hospital.filter(pl.Series(day >= 0)).select("ORGANISM", "WARD", "SPEC_TYPE", "MEM_NM").rows()
    [('kpn', 'icu', 'bl', '>=16'), ('kpn', 'icu', 'bl', '>=16')]
    """
    organism, ward, kind, specimen = OUTBREAK
    alone = np.bincount(episode)[episode] == 1
    candidates = frame.with_row_index("row").filter((pl.col("ORGANISM") == organism) & pl.Series(alone))
    chosen_rows = candidates.unique("PATIENT_ID", keep="first", maintain_order=True)["row"].to_numpy()[:patients]
    day = np.full(frame.height, -1, dtype=np.int64)
    if not len(chosen_rows) or len(chosen_rows) < patients:
        return frame, day
    day[chosen_rows] = np.sort(random.integers(0, days, len(chosen_rows)))
    strain = frame.row(int(chosen_rows[0]), named=True)
    values = {name: strain[name] for name in frame.columns if name.endswith("_NM")} | _OUTBREAK_MICS
    values |= {"WARD": ward, "WARD_TYPE": kind, "SPEC_TYPE": specimen}
    struck = pl.Series(day >= 0)
    new_columns = [
        _constant(value, frame.height).zip_with(struck, frame[name]).alias(name) for name, value in values.items()
    ]
    return frame.with_columns(new_columns), day


def with_phenotypes(random: np.random.Generator, frame: pl.DataFrame, episode: Rows) -> pl.DataFrame:
    """Return the table with columns of tests other than MICs: ``MRSA``, ``ESBL``, ``INDUC_CLI``, ``BETA_LACT``.

    The first two agree with the MICs, and three quarters of their cells are filled. A third of the staphylococci
    resistant to erythromycin alone have inducible resistance, and one in ten resistant *H. influenzae* has no
    beta-lactamase.

    >>> mics = dict.fromkeys(("AMP_NM", "CLI_NM", "CRO_NM", "ERY_NM", "OXA_NM"), [">=8", "<=0.25"])
    >>> hospital = pl.DataFrame({"ORGANISM": ["sau", "sau"]} | mics)
    >>> with_phenotypes(np.random.default_rng(1), hospital, episode=np.array([0, 0]))["MRSA"].to_list()
    ['+', '-']
    """
    chance = random.random((3, _episodes(episode)))[:, episode]
    organism = frame["ORGANISM"]
    is_filled = pl.Series(chance[0] < 0.75)
    staphylococci = organism == "sau"
    inducible = staphylococci & at_least(frame["ERY_NM"], _ERYTHROMYCIN_MIC)
    inducible &= frame["CLI_NM"].is_not_null() & ~at_least(frame["CLI_NM"], _CLINDAMYCIN_MIC)
    haemophilus = (organism == "hin") & frame["AMP_NM"].is_not_null()
    producer = at_least(frame["AMP_NM"], _AMPICILLIN_MIC) & pl.Series(chance[2] >= 0.1)
    tests = {
        "MRSA": (is_filled & staphylococci & frame["OXA_NM"].is_not_null(), at_least(frame["OXA_NM"], _MRSA_MIC)),
        "ESBL": (
            is_filled & organism.is_in(_PRODUCERS) & frame["CRO_NM"].is_not_null(),
            at_least(frame["CRO_NM"], _ESBL_MIC),
        ),
        "INDUC_CLI": (inducible, pl.Series(chance[1] < 1 / 3)),
        "BETA_LACT": (haemophilus, producer),
    }
    signs = {
        name: _only(is_tested, _constant("+", frame.height).zip_with(positive, _constant("-", frame.height)))
        for name, (is_tested, positive) in tests.items()
    }
    return frame.with_columns(series.alias(name) for name, series in signs.items())


def at_least(mics: pl.Series, concentration: float) -> pl.Series:
    """Return True for each MIC at or above a concentration in mg/L; ``>2`` counts as 4, an empty cell as below.

    >>> at_least(pl.Series(["2", ">2", "<=4", None]), 4).to_list()
    [False, True, False, False]
    """
    number = mics.str.strip_chars("<>=").cast(pl.Float64)
    lowest = number * pl.Series(np.where(mics.str.contains(r"^>[^=]").fill_null(value=False).to_numpy(), 2.0, 1.0))
    return ((lowest >= concentration) & ~mics.str.starts_with("<")).fill_null(value=False)


def _episodes(episode: Rows) -> int:
    return int(episode.max()) + 1


def _constant(value: str | None, length: int) -> pl.Series:
    return pl.repeat(value, length, dtype=pl.String, eager=True)


def _only(rows: pl.Series, values: pl.Series) -> pl.Series:
    return values.zip_with(rows, _constant(None, len(values)))
