"""Multidrug resistance by Magiorakos."""

import pytest

from sirena.stewardship.multidrug import find_multidrug
from tests.unit.stewardship.facts import answered

PSEUDOMONAS = {"ORGANISM": "pae"}


def verdict(row: dict[str, str], edition: str = "CLSI 2025") -> tuple[bool, bool, bool]:
    """Return whether a row is MDR, too few categories were tested, and XDR is possible."""
    result = find_multidrug(answered([row], edition))
    return bool(result.resistant[0]), bool(result.too_few[0]), bool(result.possibly_extensive[0])


def test_three_categories_make_mdr() -> None:
    """Carbapenems, cephalosporins and fluoroquinolones of eight categories."""
    row = PSEUDOMONAS | {
        "MEM_NM": ">8",
        "CAZ_NM": ">32",
        "CIP_NM": ">4",
        "TZP_NM": "<=8",
        "TOB_NM": "<=1",
        "ATM_NM": "<=4",
    }
    assert verdict(row) == (True, False, False)


def test_four_agents_of_two_categories_are_no_mdr() -> None:
    """Both carbapenems and both fluoroquinolones count as two."""
    row = PSEUDOMONAS | {"IPM_NM": ">8", "MEM_NM": ">8", "CIP_NM": ">4", "LVX_NM": ">8", "CAZ_NM": "1", "TZP_NM": "4"}
    assert verdict(row) == (False, False, False)


def test_too_few_categories_tested_is_said() -> None:
    """Two resistant categories of eight, and nothing else: neither yes nor no."""
    assert verdict(PSEUDOMONAS | {"MEM_NM": ">8", "CIP_NM": ">4"}) == (False, True, False)


def test_three_resistant_categories_suffice_however_few_were_tested() -> None:
    """What was not tested cannot take them away; XDR needs half of the categories."""
    assert verdict(PSEUDOMONAS | {"MEM_NM": ">8", "CIP_NM": ">4", "CAZ_NM": ">32"}) == (True, False, False)


def test_extensive_resistance_is_possible_when_nearly_all_tested_is_not_susceptible() -> None:
    """Five of five tested, of eight: what was not tested decides."""
    row = PSEUDOMONAS | {"MEM_NM": ">8", "CAZ_NM": ">32", "CIP_NM": ">4", "TZP_NM": ">64", "TOB_NM": ">8"}
    assert verdict(row) == (True, False, True)


def test_resistance_by_nature_is_left_out() -> None:
    """Ampicillin adds no category to a Klebsiella, as it does to an E. coli."""
    row = {"AMP_NM": ">32", "CIP_NM": ">2", "SXT_NM": ">4"}
    assert verdict({"ORGANISM": "kpn", **row})[0] is False
    assert verdict({"ORGANISM": "eco", **row})[0] is True


def test_an_mrsa_always_is() -> None:
    """By the definition, whatever else was tested."""
    assert verdict({"ORGANISM": "sau", "OXA_NM": ">4"})[0] is True


@pytest.mark.parametrize("organism", ["sal", "spn", "cal"])
def test_organisms_without_a_definition_are_not_judged(organism: str) -> None:
    """Salmonella is left out of the table of Enterobacterales."""
    assert not find_multidrug(answered([{"ORGANISM": organism, "CIP_NM": ">4"}])).is_covered.any()
