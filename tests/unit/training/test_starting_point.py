"""Where cut points start."""

import numpy as np

from sirena.training.evidence import Evidence
from sirena.training.lineage import Lineage
from sirena.training.starting_point import Borrowing, best_cut_points
from tests.laboratories import counted, evidence_of

ENTEROBACTERALES = [
    (organism, "=", exponent, label, 10)
    for organism in ("kpn", "ecl", "cfr")
    for exponent, label in ((1, "S"), (2, "S"), (3, "I"), (4, "R"), (5, "R"))
]


def starts(evidence: Evidence) -> dict[str, list[list[float]]]:
    """Return the cut points of each organism: kinds of interval × (lower, upper)."""
    cells = counted(evidence.rows)
    cuts = best_cut_points(cells, cells.weight, Lineage.of(cells.keys).member, Borrowing())
    return dict(zip(cells.keys, cuts.tolist(), strict=True))


def test_cut_points_lie_between_the_dilutions_that_labels_tell_apart() -> None:
    """S up to 4, I at 8, R from 16: half a dilution above 4 and above 8."""
    assert starts(evidence_of(*ENTEROBACTERALES))["kpn"][0] == [2.5, 3.5]


def test_position_0_is_always_resistant_and_28_always_susceptible() -> None:
    """A drug with labels of one level keeps its cut points just outside the evidence."""
    assert starts(evidence_of(("eco", "=", 3, "R", 9), ("eco", "=", 5, "R", 9)))["eco"][0] == [2.5, 2.5]
    assert starts(evidence_of(("eco", "=", 3, "S", 9), ("eco", "=", 5, "S", 9)))["eco"][0] == [5.5, 5.5]


def test_a_rare_species_borrows_from_its_relatives() -> None:
    """One S at 1 mg/L says nothing of where R begins; the family does."""
    assert starts(evidence_of(*ENTEROBACTERALES, ("kox", "=", 0, "S", 1)))["kox"][0] == [2.5, 3.5]


def test_one_label_does_not_outweigh_relatives() -> None:
    """A single contradicting label leaves the family's cut points where they are."""
    assert starts(evidence_of(*ENTEROBACTERALES, ("kox", "=", 5, "S", 1)))["kox"][0] == [2.5, 3.5]


def test_a_handful_of_own_labels_outweighs_relatives() -> None:
    """Twenty results of a species that is cut elsewhere move its cut points, and not the relatives'."""
    found = starts(evidence_of(*ENTEROBACTERALES, ("mmo", "=", 4, "S", 20), ("mmo", "=", 5, "R", 20)))

    assert found["mmo"][0][1] == 4.5
    assert found["kpn"][0] == [2.5, 3.5]


def test_a_gap_in_the_evidence_is_cut_in_its_middle() -> None:
    """S up to 1 and R from 64 mg/L: the cut starts half-way."""
    lower, upper = starts(evidence_of(("eco", "=", 0, "S", 30), ("eco", "=", 6, "R", 30)))["eco"][0]

    assert lower == upper
    assert abs(lower - 3) <= 0.5


def test_a_comparator_may_be_cut_elsewhere() -> None:
    """Where a laboratory calls ``>=16`` I and 16 R, the kinds of interval have cut points of their own."""
    found = starts(evidence_of(*ENTEROBACTERALES, ("kpn", ">=", 4, "I", 60)))["kpn"]

    assert found[0] == [2.5, 3.5]
    assert found[2][0] < 4 < found[2][1]


def test_fosfomycin_starts_far_from_zero() -> None:
    """MICs of 64 to 256 mg/L are found by counting, where descent from zero gets stuck."""
    cells = [
        ("eco", "=", exponent, "S" if exponent <= 6 else "I" if exponent == 7 else "R", 5) for exponent in range(2, 10)
    ]

    assert starts(evidence_of(*cells))["eco"][0] == [6.5, 7.5]


def test_weights_are_those_given() -> None:
    """Held-out results can be left out of the start."""
    evidence = evidence_of(
        ("eco", "=", 0, "S", 9), ("eco", "=", 2, "S", 9), ("eco", "=", 2, "R", 5), ("eco", "=", 4, "R", 9)
    )
    cells = counted(evidence.rows)
    lineage = Lineage.of(cells.keys).member
    weight = np.where((cells.level == 0) & (cells.mic_code % 28 == 16), 0.0, cells.weight)

    assert best_cut_points(cells, cells.weight, lineage, Borrowing())[0, 0].tolist() == [2.5, 2.5]
    assert best_cut_points(cells, weight, lineage, Borrowing())[0, 0, 1] < 2
