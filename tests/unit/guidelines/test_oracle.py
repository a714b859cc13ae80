"""Our tables against another interpreter's answers, for organisms seen here and, by the same script, any others."""

import csv
import gzip
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from sirena.domain.organisms import resolve

REPOSITORY = Path(__file__).resolve().parents[3]
DOCUMENT = REPOSITORY / "docs" / "reference" / "oracle-differences.md"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that makes the document."""
    path = REPOSITORY / "scripts" / "oracle_differences.py"
    spec = importlib.util.spec_from_file_location("oracle_differences", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_difference_is_listed_with_its_reason(script: ModuleType, shared_data: Path) -> None:
    """The document is what the comparison says today."""
    found, organisms, cells = script.compare(shared_data / "reference")
    assert not [item for item in found if item.reason is script.Reason.UNEXPLAINED]
    assert script.document(found, organisms, cells) == DOCUMENT.read_text(encoding="utf-8")


NOT_BETA_HAEMOLYTIC = {"lut", "san", "shf", "sia", "sil", "sir", "ssa", "ssn"}
"""Viridans streptococci that the collected lists also put among the beta-haemolytic ones, by Lancefield antigen."""
CONTESTED = {("crs", "FLU")}
"""EUCAST's row for the genus *Candida* is no statement on *Candidozyma auris*, which has left the genus."""


def single_rows(shared_data: Path, guideline: str, *, count_generic: bool) -> Iterator[tuple[str, str]]:
    """Yield (organism, drug) where exactly one collected row applies, by the sources' own names.

    Read from the sources and not from our tables, so that a mistake in our lineages shows. PK/PD rows, which name no
    organism, count as applying to everyone when asked.
    """
    reference = shared_data / "reference"
    groups: dict[str, set[str]] = {}
    with (reference / "organism_groups.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            groups.setdefault(row["mo_name"], set()).add(row["mo_group_name"])
    rows: dict[str, list[str]] = {}
    with (reference / "breakpoints_2025.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["guideline"] == guideline and row["site"] != "Screen":
                rows.setdefault(row["organism_group"], []).append(row["ab"])
    with gzip.open(reference / "whonet" / "Organisms.txt.gz", "rt", encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["TAXONOMIC_STATUS"] != "C":
                continue
            name = row["ORGANISM"].split(" ss. ")[0]
            code = row["WHONET_ORG_CODE"].lower()
            mine = {name, name.split()[0], *groups.get(name, ())}
            mine |= {"Enterobacterales"} if row["FAMILY_CODE"] == "EBC" else set()
            mine -= {"Beta-haemolytic Streptococcus"} if code in NOT_BETA_HAEMOLYTIC else set()
            drugs = [drug for group in mine for drug in rows.get(group, ())]
            generic = rows.get("(unknown name)", ()) if count_generic else ()
            yield from (
                (code, drug)
                for drug in set(drugs)
                if drugs.count(drug) == 1 and drug not in generic and (code, drug) not in CONTESTED
            )


@pytest.mark.parametrize("edition", ["CLSI 2025", "EUCAST 2025"])
def test_where_one_row_applies_every_answer_is_equal(script: ModuleType, shared_data: Path, edition: str) -> None:
    """But for NS above an S-only breakpoint and for 0.06 spelt 0.064."""
    oracle = script.read_oracle(shared_data / "reference" / script.ORACLES[edition])
    single = set(single_rows(shared_data, edition, count_generic=True)) & set(oracle)
    assert len(single) > 80
    reasons = {
        (item.organism, item.drug): item.reason
        for item in script.differences(script.load_edition(edition), oracle)
        if (item.organism, item.drug) in single
    }
    explained = {script.Reason.S_ONLY, script.Reason.SPELLING}
    assert {pair: reason for pair, reason in reasons.items() if reason not in explained} == {}


@pytest.mark.parametrize("edition", ["CLSI 2025", "EUCAST 2025"])
def test_every_organism_meets_the_one_row_that_is_for_it(script: ModuleType, shared_data: Path, edition: str) -> None:
    """For all organisms of WHONET, not only those the other interpreter was asked about."""
    tables = script.compile_tables(script.load_edition(edition), intrinsic=False)
    unmet = {
        (code, drug)
        for code, drug in single_rows(shared_data, edition, count_generic=False)
        if resolve(code) not in tables[drug].row_of
    }
    assert unmet == set()
