"""Evidence: which cells of a file become labelled results."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sirena.domain.category import Category, Reason
from sirena.domain.errors import UsageError
from sirena.domain.mic import CODES, DILUTIONS, parse_mic
from sirena.domain.truth_table import TruthTable, answer_code
from sirena.training.cells import REFUSALS
from sirena.training.evidence import Evidence, LabelSource, collect_evidence, reference_grid
from sirena.whonet.errors import NoOrganismColumnError
from tests.laboratories import reference_table, whonet_file

FILE = """
    PATIENT_ID,LAST_NAME,ORGANISM,AMK_NM,Eti_AMK_NM,AMK_NE,Eti_AMK_NE,AMK_ND30,Eti_AMK_ND30
    1,Perez,eco,4,S,,,18,S
    2,Perez,eco,>16,r,,,,
    3,Perez,Escherichia coli,>=32,R,"0,5",S,,
    4,Perez,eco,8,8,,,,
    5,Perez,eco,abc,S,,,,
    6,Perez,nobody knows,4,S,,,,
    7,Perez,,4,S,,,,
    8,Perez,ecl,8,,,,,
"""


def rows(evidence: Evidence) -> list[tuple[object, ...]]:
    """Return the rows in plain Python."""
    return evidence.rows.drop("site").with_columns(pl.col("organism", "column", "label").cast(pl.String)).rows()


def test_labels_of_the_file_are_read(tmp_path: Path) -> None:
    """Only cells with a known organism, a readable MIC and a category count; a strip counts for the MIC's model."""
    evidence = collect_evidence(whonet_file(tmp_path, FILE), labels=LabelSource.FILE)

    assert [
        (0, "eco", "AMK_NM", parse_mic("4").code, "S"),
        (1, "eco", "AMK_NM", parse_mic(">16").code, "R"),
        (2, "eco", "AMK_NM", parse_mic(">16").code, "R"),
        (2, "eco", "AMK_NM", parse_mic("0.5").code, "S"),
    ] == rows(evidence)


def test_no_column_that_names_a_patient_is_kept(tmp_path: Path) -> None:
    """Evidence knows isolates by number only."""
    evidence = collect_evidence(whonet_file(tmp_path, FILE), labels=LabelSource.FILE)

    assert evidence.rows.columns == ["isolate", "organism", "site", "column", "mic_code", "label"]


def test_with_labels_of_the_reference_the_file_teaches_nothing(tmp_path: Path) -> None:
    """The grid of the edition is learnt; the laboratory's categories are not looked at."""
    evidence = collect_evidence(
        whonet_file(tmp_path, FILE), labels=LabelSource.REFERENCE, reference={"AMK_NM": reference_table()}
    )

    assert evidence.rows.is_empty()
    assert set(evidence.reference) == {"AMK_NM"}


def test_with_both_the_rows_are_the_laboratorys_own(tmp_path: Path) -> None:
    """A result without a label stays without one: the edition is learnt from its grid, not from isolates."""
    file = whonet_file(tmp_path, "ORGANISM,AMK_NM,Eti_AMK_NM\neco,8,S\neco,8,\necl,4,8\n")

    evidence = collect_evidence(file, labels=LabelSource.BOTH, reference={"AMK_NM": reference_table()})

    assert [(row[0], row[4]) for row in rows(evidence)] == [(0, "S")]


def test_a_reference_is_needed_for_its_labels(tmp_path: Path) -> None:
    """Labels from a reference that was not given are a wrong use, not an empty training."""
    with pytest.raises(UsageError):
        collect_evidence(whonet_file(tmp_path, FILE), labels=LabelSource.BOTH)


def test_a_file_without_organisms_is_refused(tmp_path: Path) -> None:
    """The error names the column to add."""
    with pytest.raises(NoOrganismColumnError):
        collect_evidence(whonet_file(tmp_path, "AMK_NM,Eti_AMK_NM\n4,S\n"), labels=LabelSource.FILE)


def test_a_grid_holds_every_exact_answer_of_every_key() -> None:
    """Below an R-only breakpoint a refusal stands at a level of its own, under the reason of the guideline."""
    grid = reference_grid(reference_table())

    assert sorted(grid["key"].unique()) == ["cal", "ecl", "eco", "efm", "kpn", "pae", "sau", "spn"]
    assert len(grid) == 8 * 28
    only_r = grid.filter(pl.col("key") == "sau").select("label", "level").unique().sort("level")
    assert only_r.rows() == [("NI:no_breakpoint", 0), ("R", 2)]


@pytest.mark.parametrize("reason", sorted(REFUSALS.values()))
def test_a_grid_holds_refusals_with_their_reason(reason: Reason) -> None:
    """A key to which the guideline gives no category is learnt as such, so that the model says why."""
    refusing = np.full((1, CODES), answer_code(Category.NI, reason), dtype=np.uint8)
    grid = reference_grid(TruthTable("AMK_NM", ("eco@blood",), refusing))

    assert grid["label"].unique().to_list() == [f"NI:{reason}"]
    assert grid["key"].unique().to_list() == ["eco@blood"]
    assert grid["level"].n_unique() == 1


def test_a_refusal_below_a_bracketed_breakpoint_is_a_level_of_its_own() -> None:
    """R above, "bracketed" at or below: two levels, and none of them S."""
    exact = np.full(DILUTIONS, answer_code(Category.NI, Reason.BRACKETED), dtype=np.uint8)
    exact[20:] = answer_code(Category.R)
    grid = reference_grid(TruthTable("GEN_EM", ("eco",), np.tile(exact, 3)[None]))

    assert grid.select("label", "level").unique().sort("level").rows() == [("NI:bracketed", 0), ("R", 2)]
    assert grid.filter(pl.col("label") == "R").height == DILUTIONS - 20


def test_sites_are_read_from_the_specimen_column(tmp_path: Path) -> None:
    """A specimen that names no site, and a row without one, count as unknown; nothing else is guessed."""
    text = "ORGANISM,SPEC_TYPE,AMK_NM,Eti_AMK_NM\neco,ur,4,S\neco,sf,4,R\neco,,4,S\neco,what,4,S\neco,hemocultivo,4,S\n"
    evidence = collect_evidence(whonet_file(tmp_path, text), labels=LabelSource.FILE)

    assert evidence.rows["site"].cast(pl.String).to_list() == ["urine", "csf", "unknown", "unknown", "blood"]
