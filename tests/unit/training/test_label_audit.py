"""The label audit."""

from pathlib import Path

import numpy as np
import polars as pl

from sirena.domain.language import Language
from sirena.training.audited_isolates import audited_isolates
from sirena.training.evidence import Evidence, LabelSource, collect_evidence
from sirena.training.label_audit import AUDIT_COLUMNS, WORDS, LabelFinding, audit_labels
from tests.laboratories import evidence_of, reference_table, whonet_file


def found(evidence: Evidence, *, reference: bool = False) -> list[tuple[object, ...]]:
    """Return organism, MIC, label and findings, in order of rank."""
    audit = audit_labels(evidence, {"AMK_NM": reference_table()} if reference else None)
    return audit.select("organism", "mic", "label", "findings").rows()


def test_labels_without_contradiction_are_not_listed() -> None:
    """A consistent laboratory has an empty audit with all its columns."""
    audit = audit_labels(evidence_of(("eco", "=", 0, "S", 9), ("eco", "=", 3, "I", 2), ("eco", ">=", 5, "R", 9)))

    assert audit.is_empty()
    assert audit.schema == AUDIT_COLUMNS


def test_same_mic() -> None:
    """The rarer label at one MIC is listed, with the commoner one beside it; equal numbers list both."""
    rare = audit_labels(evidence_of(("eco", "=", 2, "S", 9), ("eco", "=", 2, "R", 1)))
    equal = found(evidence_of(("eco", "=", 2, "S", 2), ("eco", "=", 2, "I", 2)))

    assert rare.select("label", "results", "other_label", "other_results").rows() == [("R", 1, "S", 9)]
    assert equal == [("eco", "4", "I", "same_mic"), ("eco", "4", "S", "same_mic")]


def test_names_of_one_level_do_not_contradict() -> None:
    """I and SDD, and R and NS, are one level each."""
    assert found(evidence_of(("eco", "=", 3, "I", 9), ("eco", "=", 3, "SDD", 1), ("eco", "=", 7, "NS", 1))) == []


def test_mic_order() -> None:
    """An R below many S is listed; the many S are not."""
    audit = audit_labels(evidence_of(("eco", "=", 0, "R", 1), ("eco", "=", 1, "S", 6), ("eco", ">=", 2, "S", 3)))

    assert audit.select("mic", "label", "findings", "order_conflicts").rows() == [("1", "R", "mic_order", 9)]


def test_overlapping_intervals_are_not_ordered() -> None:
    """``<=4`` R and 2 S may both be true."""
    assert found(evidence_of(("eco", "<=", 2, "R", 1), ("eco", "=", 1, "S", 9))) == []


def test_reference() -> None:
    """A label the guideline edition decides otherwise is listed; what it cannot decide is not."""
    evidence = evidence_of(("eco", "=", 3, "S", 4), ("eco", ">=", 0, "R", 2), ("cal", "=", 0, "S", 1))

    assert found(evidence, reference=True) == [("eco", "8", "S", "reference")]
    assert found(evidence) == []


def test_s_against_r_ranks_first() -> None:
    """Then more findings, then more results; ranks count from 1."""
    audit = audit_labels(
        evidence_of(
            ("eco", "=", 3, "S", 50), ("pae", "=", 0, "R", 2), ("kpn", "=", 0, "R", 1), ("kpn", "=", 1, "S", 7)
        ),
        {"AMK_NM": reference_table()},
    )

    assert audit.select("rank", "organism", "severity", "findings").rows() == [
        (1, "kpn", "S against R", "mic_order+reference"),
        (2, "pae", "S against R", "reference"),
        (3, "eco", "one level", "reference"),
    ]


def test_an_audit_can_be_written_as_csv(tmp_path: Path) -> None:
    """With names of organisms for the reader and no isolate's number."""
    audit_labels(evidence_of(("eco", "=", 2, "S", 9), ("eco", "=", 2, "R", 1))).write_csv(tmp_path / "audit.csv")
    written = pl.read_csv(tmp_path / "audit.csv")

    assert "isolate" not in written.columns
    assert written["organism_name"].to_list() == ["Escherichia coli"]


def test_no_evidence_gives_an_empty_audit() -> None:
    """A file without labels has nothing to audit."""
    assert audit_labels(evidence_of(("eco", "=", 2, "S", 0))).is_empty()


def test_the_isolates_of_an_audit_are_named_by_row_and_specimen(tmp_path: Path) -> None:
    """As the file's readers count rows, with what each label contradicts in words."""
    rows = "a1,eco,8,S\n" * 3 + "b7,eco,8,R\n" + "c9,kpn,2,S\n"
    file = whonet_file(tmp_path, "SPEC_NUM,ORGANISM,AMK_NM,Eti_AMK_NM\n" + rows)
    labels = collect_evidence(file, labels=LabelSource.FILE)
    listed = audited_isolates(file, labels, audit_labels(labels), Language.SPANISH)
    assert listed.select("row", "specimen_number", "label", "severity", "what").rows() == [
        (file.row_numbers(np.array([3]))[0], "b7", "R", "S against R", WORDS[Language.SPANISH][LabelFinding.SAME_MIC])
    ]
