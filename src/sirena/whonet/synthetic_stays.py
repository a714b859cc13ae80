"""A synthetic hospital for testing counts: patients who stay, their episodes, and the truth about each row.

`synthetic.generate_hospital` draws every isolate independently, so no patient's isolates repeat. Here a patient stays
in a ward, an episode has several specimens in 3 to 30 days with the same strain, some strains acquire resistance, swabs
are taken to screen, and the file has the gaps of real ones. A second table holds the truth about each row, with which
counts can be compared. All shares are invented.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.domain.errors import UsageError
from sirena.whonet.synthetic import AGE_GROUPS, generate_hospital
from sirena.whonet.synthetic_strains import Rows, with_acquired, with_outbreak, with_phenotypes, with_trend

Dates = NDArray[np.datetime64]

NO_GROWTH: Final = "xxx"
"""WHONET's code of a culture without growth."""
_LAST_DAY: Final = np.datetime64("2025-12-31")
_FIRST_YEAR, _LAST_YEAR = 2019, 2025
_OUTBREAK_BEGINS: Final = np.datetime64("2023-03-01")
_OUTBREAK_DAYS: Final = 60
_COLD: Final = (12, 1, 2, 6, 7, 8)
_SWABS: Final = ("re", "th", "sk")
_OTHER_SPECIMENS: Final = ("bl", "ur", "sp", "wd")
_URINARY: Final = ("NIT_NM", "NOR_NM", "FOS_NM")
_PHENOTYPES: Final = ("MRSA", "ESBL", "INDUC_CLI", "BETA_LACT")
_DIAGNOSTIC, _SCREENING, _WITHOUT_GROWTH = range(3)
_KINDS: Final = ("diagnostic", "screening", "no_growth")
_COMPLETE, _NO_PATIENT, _NO_DATE = range(3)
_BLANKS: Final = (None, "patient", "date")


@dataclass(frozen=True, slots=True)
class Stays:
    """The hospital's parameters, as shares of rows or episodes."""

    further_specimens: float = 1.2
    """Mean number of specimens of an episode beyond its first."""
    acquiring: float = 0.15
    """Share of episodes in which a strain acquires resistance, if it has several specimens and was susceptible."""
    screening: float = 0.08
    no_growth: float = 0.05
    blank_patient: float = 0.02
    blank_date: float = 0.01
    outbreak: int = 12
    """Number of patients in the outbreak: one organism, one ward, one strain, 60 days; none in small hospitals."""
    trend: tuple[float, float] = (0.15, 0.45)
    """Share of *E. coli* resistant to ciprofloxacin in 2019 and in 2025; it grows by the same step every year."""
    cold_months: float = 1.5
    """How many times more often an episode begins in a cold month, of either hemisphere, than in another."""


@dataclass(frozen=True)
class CountedHospital:
    """A WHONET table and the truth about it, row by row."""

    frame: pl.DataFrame
    """The table of `generate_hospital`, with `SPEC_REAS`, `DATE_ADMIS`, `ISOL_NUM`, `MRSA`, `ESBL`, `INDUC_CLI`,
    `BETA_LACT` added.
    """
    truth: pl.DataFrame
    """The truth about each row of `frame`, in the columns of `TRUTH`, all String."""


TRUTH: Final = {
    "ROW_IDX": "row of the file",
    "PATIENT": "whose isolate it is, also where the file has no patient",
    "DATE": "when the specimen was taken, also where the file has no date",
    "EPISODE": "number of the episode; its isolates are one strain",
    "KIND": "diagnostic, screening or no_growth",
    "BLANK": "what the file does not say: patient, date or nothing",
    "FIRST_OF_YEAR": "1 for the first diagnostic isolate of patient, organism and year; a row without a patient "
    "is a patient of its own, a row without a date is none",
    "ACQUIRED": "test whose resistance the strain acquired during the episode, and shows",
    "TREND": "share of resistance from which the test of the trend was drawn",
    "OUTBREAK": "1 for isolates of the outbreak",
    "ORIGIN": "HO when taken more than two calendar days after admission, else CO; UNK without admission",
}
"""Columns of the truth, and what they mean."""


def generate_counted_hospital(isolates: int, seed: int, stays: Stays | None = None) -> CountedHospital:
    """Return a hospital with episodes, screening, gaps, a trend and an outbreak, and the truth about it.

    Args:
        isolates: number of rows, at least 1.
        seed: the same number gives the same hospital.
        stays: the hospital's parameters; the usual ones by default.

    Raises:
        UsageError: `isolates` is less than 1.

    >>> hospital = generate_counted_hospital(20, seed=1)
    >>> hospital.frame.height, hospital.truth["KIND"].unique().sort().to_list()
    (20, ['diagnostic', 'screening'])
    """
    if isolates < 1:
        raise UsageError("a hospital needs at least one isolate", hint="Ask for 5000, for example.")
    shares = stays or Stays()
    random = np.random.default_rng([seed, 12])
    episode, offset = _draw_episodes(random, isolates, shares)
    strains = generate_hospital(int(episode.max()) + 1, seed)
    frame = strains[pl.Series(episode)]
    begin = _begins(random, strains, shares)[episode]
    year = begin.astype("datetime64[Y]").astype(np.int64) + 1970
    low, high = shares.trend
    share = low + (high - low) * (year - _FIRST_YEAR) / (_LAST_YEAR - _FIRST_YEAR)
    frame, trend = with_trend(random, frame, episode, share)
    frame, acquired_tests = with_acquired(random, frame, episode, offset, shares.acquiring)
    frame, outbreak = with_outbreak(random, frame, episode, shares.outbreak, _OUTBREAK_DAYS)
    struck = outbreak >= 0
    dates = np.where(struck, _OUTBREAK_BEGINS + outbreak, np.minimum(begin + offset, _LAST_DAY))
    stay_days = np.where(struck, 5, random.integers(0, 8, int(episode.max()) + 1)[episode] + offset)
    frame = with_phenotypes(random, frame, episode)
    kind = np.where(struck, _DIAGNOSTIC, _draw(random, isolates, shares.screening, shares.no_growth))
    frame = _with_specimens(random, frame, offset, kind)
    frame = _without_growth(_with_dates(frame, dates, stay_days), pl.Series(kind == _WITHOUT_GROWTH))
    blank = np.where(struck, _COMPLETE, _draw(random, isolates, shares.blank_patient, shares.blank_date))
    # a culture without growth and a strain that was replaced by the outbreak's show nothing of what was drawn
    shows = pl.Series((kind != _WITHOUT_GROWTH) & ~struck)
    nothing = pl.repeat(None, isolates, dtype=pl.String, eager=True)
    truth = pl.DataFrame(
        {
            "PATIENT": frame["PATIENT_ID"],
            "DATE": frame["SPEC_DATE"],
            "EPISODE": pl.Series(episode + 1).cast(pl.String),
            "KIND": pl.Series(_KINDS).gather(kind),
            "BLANK": pl.Series(_BLANKS, dtype=pl.String).gather(blank),
            "ACQUIRED": acquired_tests.zip_with(shows, nothing),
            "TREND": trend.zip_with(shows & (acquired_tests.fill_null("") != "CIP_NM"), nothing),
            "OUTBREAK": pl.Series(struck).cast(pl.Int64).cast(pl.String),
            "ORIGIN": pl.Series(np.where(stay_days > 2, "HO", "CO")).zip_with(
                frame["DATE_ADMIS"].is_not_null(), pl.repeat("UNK", isolates, eager=True)
            ),
        }
    )
    frame = frame.with_columns(
        frame["PATIENT_ID"].zip_with(pl.Series(blank != _NO_PATIENT), nothing),
        frame["SPEC_DATE"].zip_with(pl.Series(blank != _NO_DATE), nothing),
    )
    order = pl.Series(np.argsort(dates, kind="stable"))
    numbers = pl.Series(np.arange(1, isolates + 1))
    frame = frame[order].with_columns(
        ROW_IDX=numbers.cast(pl.String), SPEC_NUM=(numbers + 190_000).cast(pl.String), ISOL_NUM=pl.lit("1")
    )
    truth = truth[order].with_columns(ROW_IDX=numbers.cast(pl.String), organism=frame["ORGANISM"])
    return CountedHospital(frame, _with_firsts(truth).select(*TRUTH))


def _draw_episodes(random: np.random.Generator, isolates: int, shares: Stays) -> tuple[Rows, Rows]:
    """Return for each row its episode, and the days since the episode's first specimen."""
    sizes = 1 + random.poisson(shares.further_specimens, isolates)
    episode = np.repeat(np.arange(isolates), sizes)[:isolates]
    first = np.r_[True, episode[1:] != episode[:-1]]
    length = random.integers(3, 31, isolates)[episode]
    days = np.floor(random.random(isolates) * (length + 1)).astype(np.int64)
    return episode, np.where(first, 0, days)


def _begins(random: np.random.Generator, strains: pl.DataFrame, shares: Stays) -> Dates:
    """Return the day on which each episode begins: in the year of its strain, more often in the cold months."""
    weights = np.array([shares.cold_months if month in _COLD else 1.0 for month in range(1, 13)])
    month = random.choice(12, size=strains.height, p=weights / weights.sum())
    years = strains["SPEC_DATE"].str.slice(0, 4).cast(pl.Int64).to_numpy() - 1970
    first: Dates = (years * 12 + month).astype("datetime64[M]").astype("datetime64[D]")
    begins: Dates = first + random.integers(0, 28, strains.height).astype("timedelta64[D]")
    return begins


def _draw(random: np.random.Generator, rows: int, first: float, second: float) -> Rows:
    """Return 1 and 2 drawn with the given shares, and 0 for the rest."""
    return random.choice(3, size=rows, p=[1 - first - second, first, second])


def _with_specimens(random: np.random.Generator, frame: pl.DataFrame, offset: Rows, kind: Rows) -> pl.DataFrame:
    """Return the table with the reason for each specimen, and its type.

    Four in ten further specimens of an episode are of another type than the first, specimens for screening are swabs,
    and urinary agents are tested in urine only.
    """
    has_other_type = pl.Series((offset > 0) & (random.random(frame.height) < 0.4))
    other_type = pl.Series(_OTHER_SPECIMENS).gather(random.integers(len(_OTHER_SPECIMENS), size=frame.height))
    swab = pl.Series(_SWABS).gather(random.integers(len(_SWABS), size=frame.height))
    is_screening = pl.Series(kind == _SCREENING)
    specimen_type = swab.zip_with(is_screening, other_type.zip_with(has_other_type, frame["SPEC_TYPE"]))
    frame = frame.with_columns(
        specimen_type.alias("SPEC_TYPE"),
        SPEC_REAS=pl.Series(np.where(kind == _SCREENING, "sur", "dia"), dtype=pl.String),
    )
    return frame.with_columns(pl.when(pl.col("SPEC_TYPE") == "ur").then(pl.col(name)).alias(name) for name in _URINARY)


def _with_dates(frame: pl.DataFrame, dates: Dates, stay_days: Rows) -> pl.DataFrame:
    """Return the table with dates of specimen and admission, and with dates of birth and ages that agree with them."""
    specimen_dates = pl.Series("SPEC_DATE", dates.astype("datetime64[D]")).cast(pl.Date)
    admission_dates = pl.Series(dates.astype("datetime64[D]") - stay_days).cast(pl.Date)
    frame = frame.with_columns(specimen_dates, DATE_ADMIS=admission_dates)
    born = pl.col("DATE_BIRTH").str.to_date()
    # whoever would be born after a specimen was born two years earlier
    frame = frame.with_columns(
        DATE_BIRTH=pl.when((born > pl.col("DATE_ADMIS")).any().over("PATIENT_ID"))
        .then(born.dt.offset_by("-2y"))
        .otherwise(born)
    )
    years = (frame["SPEC_DATE"] - frame["DATE_BIRTH"]).dt.total_days().to_numpy() // 365.25
    group = np.searchsorted([limit for limit, _ in AGE_GROUPS], years, side="right")
    return frame.with_columns(
        pl.col("SPEC_DATE", "DATE_BIRTH").cast(pl.String),
        pl.when(~pl.col("WARD_TYPE").is_in(["out", "eme"])).then(pl.col("DATE_ADMIS").cast(pl.String)),
        AGE=pl.Series(years.astype(np.int64)).cast(pl.String),
        AGE_GRP=pl.Series([name for _, name in AGE_GROUPS]).gather(group),
    )


def _without_growth(frame: pl.DataFrame, empty: pl.Series) -> pl.DataFrame:
    """Return the table with the results of cultures without growth removed."""
    results = [*(name for name in frame.columns if name.endswith("_NM")), *_PHENOTYPES, "ORG_TYPE"]
    return frame.with_columns(
        pl.when(empty).then(pl.lit(NO_GROWTH)).otherwise("ORGANISM").alias("ORGANISM"),
        pl.when(empty).then(pl.lit("No growth")).otherwise("LOCAL_ORG").alias("LOCAL_ORG"),
        *(pl.when(~empty).then(pl.col(name)).alias(name) for name in results),
    )


def _with_firsts(truth: pl.DataFrame) -> pl.DataFrame:
    """Return the truth with a mark for the first rows of patient, organism and calendar year, in the file's order."""
    is_counted = (pl.col("KIND") == "diagnostic") & (pl.col("BLANK").fill_null("") != "date")
    whose = pl.when(pl.col("BLANK") == "patient").then(pl.lit("row ") + pl.col("ROW_IDX")).otherwise("PATIENT")
    key = pl.struct(
        whose.alias("whose"), "organism", pl.col("DATE").str.slice(0, 4).alias("year"), is_counted.alias("counts")
    )
    return truth.with_columns(FIRST_OF_YEAR=(key.is_first_distinct() & is_counted).cast(pl.Int64).cast(pl.String))
