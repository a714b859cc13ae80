"""A long file is counted one share of its patients after another; what is counted of it is the same."""

from pathlib import Path

import polars as pl
import pytest

from sirena.domain.errors import UsageError
from sirena.domain.language import Language
from sirena.stewardship.antibiogram import Request
from sirena.stewardship.counting import CountedFile, FileToCount, open_to_count
from sirena.stewardship.exports import as_csv, as_json
from sirena.stewardship.first_isolates import FirstIsolates, Mode
from sirena.stewardship.strata import Stratum
from sirena.whonet.mapping import load_mapping
from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.writing import write_file
from tests.unit.stewardship.hospitals import TODAY, counted_file

WHOLE = Request(
    by=(Stratum.WARD, Stratum.QUARTER, Stratum.AGE, Stratum.ORIGIN),
    combinations=("TZP+AMK",),
    wisca=True,
    trend=True,
)


@pytest.fixture(scope="module")
def isolates() -> pl.DataFrame:
    """Return a hospital of 400 isolates, with categories of the laboratory's."""
    return generate_hospital(400, 8)


@pytest.fixture(scope="module")
def few_tests(isolates: pl.DataFrame) -> pl.DataFrame:
    """Return the same isolates with nine antimicrobials: how many there are does not decide which isolates count."""
    tests = [name for name in isolates.columns if name.endswith("_NM")]
    return isolates.drop(set(tests) - set(tests[1::5]))


@pytest.fixture(scope="module")
def whole(isolates: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> CountedFile:
    """Return that hospital counted as a short file."""
    path = tmp_path_factory.mktemp("whole") / "hospital.csv"
    write_file(isolates, path)
    return at_once(path, WHOLE)


def in_shares(path: Path, request: Request, most: int, part: int = 60_000, mapping: Path | None = None) -> CountedFile:
    """Count a file as if it were a long one."""
    word = load_mapping(mapping) if mapping else None
    with open_to_count(
        path, folder=path.parent, today=TODAY, mapping=word, shortest=0, part=part, most_rows=most
    ) as to_count:
        shares = list(to_count.parts)
        heights = [read()[0].frame.height for read in shares]
        assert len(shares) > 1 or sum(heights) <= most
        return counted_file(FileToCount(to_count.file, shares), request)


def at_once(path: Path, request: Request, mapping: Path | None = None) -> CountedFile:
    """Count a file as a short one."""
    with open_to_count(
        path, folder=path.parent, today=TODAY, mapping=load_mapping(mapping) if mapping else None
    ) as to_count:
        return counted_file(to_count, request)


def assert_same(shares: CountedFile, whole: CountedFile) -> None:
    """Compare two counts of a file."""
    one, other = shares.antibiogram, whole.antibiogram
    for name in ("cells", "combinations", "wisca", "trend", "distribution"):
        assert getattr(one, name).equals(getattr(other, name)), name
    assert one.cautions == other.cautions
    assert (one.losses, one.first_day, one.last_day, one.rows, one.isolates, one.moved_by_rules) == (
        *(other.losses, other.first_day, other.last_day, other.rows, other.isolates, other.moved_by_rules),
    )
    assert (shares.alerts, shares.quality, shares.edges) == (whole.alerts, whole.quality, whole.edges)


@pytest.mark.parametrize(("suffix", "most"), [(".csv", 400), (".csv.gz", 150), (".parquet", 200)])
def test_a_file_counted_in_shares_counts_as_the_whole(
    tmp_path: Path, isolates: pl.DataFrame, whole: CountedFile, suffix: str, most: int
) -> None:
    """Tables, cautions, losses, alerts and the quality of the data are the same, whichever format it has."""
    path = tmp_path / f"hospital{suffix}"
    write_file(isolates, path)
    shares = in_shares(path, WHOLE, most, 250 if suffix == ".parquet" else 30_000)
    assert_same(shares, whole)
    assert shares.antibiogram.isolates > 250


@pytest.mark.parametrize("mode", list(Mode))
def test_every_rule_of_first_isolates_is_the_same_in_shares(
    tmp_path: Path, few_tests: pl.DataFrame, mode: Mode
) -> None:
    """A patient's isolates are in one share, in the order of time."""
    path = tmp_path / "hospital.csv"
    write_file(few_tests, path)
    request = Request(first_isolates=FirstIsolates(mode))
    shares, whole = in_shares(path, request, 150, 20_000), at_once(path, request)
    assert_same(shares, whole)
    assert as_json(shares.antibiogram, Language.ENGLISH) == as_json(whole.antibiogram, Language.ENGLISH)


def test_what_one_row_decides_is_decided_for_every_share(tmp_path: Path) -> None:
    """One date tells day from month, one row alone has an age, one specimen no number, one a reason."""
    path = tmp_path / "hospital.csv"
    header = "LABORATORY,PATIENT_ID,SPEC_DATE,SPEC_NUM,SPEC_REAS,AGE,AGE_GRP,DATE_ADMIS,WARD,ORGANISM,AMK_NM"
    rows = [
        f"a,{n % 40},{n % 12 + 1}/{n % 9 + 1}/2024 {n % 24}:{n % 60:02},{n},,,adult,,w{n % 3},eco,{2 ** (n % 6)}"
        for n in range(120)
    ]
    rows.append("a,p,4/14/2024,x7,scr,61,adult,4/13/2024,w1,eco,>=64")
    rows += ["b,,1/5/2024,9,,,adult,,,eco,2"] * 5
    path.write_text("\n".join((header, *rows)) + "\n")
    request = Request(screening={"SPEC_REAS": ["scr"]}, by=WHOLE.by)
    shares = in_shares(path, request, 20, 2_000)
    assert_same(shares, at_once(path, request))
    codes = {caution.code for caution in shares.antibiogram.cautions}
    assert codes >= {"several_laboratories", "unknown_patients"}
    assert "undecided_dates" not in codes
    with pytest.raises(UsageError) as refusal:
        in_shares(path, Request(screening={"SPEC_REAS": ["sur"]}), 20, 2_000)
    assert "scr" in refusal.value.hint


def test_the_laboratorys_mapping_holds_in_shares_too(tmp_path: Path, few_tests: pl.DataFrame) -> None:
    """A ward under another header, named by the mapping, parts the antibiogram."""
    path, mapping = tmp_path / "hospital.csv", tmp_path / "mapping.toml"
    write_file(few_tests.rename({"WARD": "Cama"}), path)
    mapping.write_text('[columns."Cama"]\nfield = "WARD"\n')
    request = Request(by=(Stratum.WARD,))
    shares = in_shares(path, request, 150, 20_000, mapping)
    assert_same(shares, at_once(path, request, mapping))
    assert "ward" in as_csv(shares.antibiogram, Language.ENGLISH)


def test_nothing_of_who_a_patient_is_by_name_is_held(tmp_path: Path, isolates: pl.DataFrame) -> None:
    """Columns that counting does not look at stay in the file."""
    path = tmp_path / "hospital.csv"
    write_file(isolates.with_columns(LAST_NAME=pl.lit("Perez"), COMMENT=pl.lit("x")), path)
    with open_to_count(path, folder=tmp_path, today=TODAY, shortest=0, most_rows=150) as to_count:
        held = [read()[0].frame for read in to_count.parts]
    assert sum(frame.height for frame in held) == isolates.height
    assert len(held) == 3
    assert not any({"LAST_NAME", "COMMENT"} & set(frame.columns) for frame in held)
    assert {file.name for file in tmp_path.iterdir()} == {"hospital.csv"}
