"""Expert rules: what is reported beside the category."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.guidelines.tables import TableError
from sirena.stewardship.expert import apply_rules, count_changes
from sirena.stewardship.expert_rules import COLUMNS, load_expert_rules
from sirena.stewardship.isolate_facts import IsolateFacts
from tests.properties import dear
from tests.unit.stewardship.facts import answered

RULES = load_expert_rules()
BETA_LACTAMS = {"PEN", "AMP", "SAM", "TZP", "CZO", "CRO", "CTX", "CAZ", "FEP", "IPM", "MEM"}
LOCAL = ",".join(COLUMNS) + "\n"


def changes(facts: IsolateFacts) -> dict[int, dict[str, tuple[str, str]]]:
    """Return by row and antimicrobial the category and the rule where one changed what is reported."""
    result: dict[int, dict[str, tuple[str, str]]] = {}
    for test, reported in zip(facts.tests, apply_rules(facts, RULES), strict=True):
        for row, rule in enumerate(reported.rule.to_list()):
            if rule is not None:
                assert reported.reported_categories[row] == "R"
                result.setdefault(row, {})[test.column.drug] = (test.category[row], rule.partition(" ")[0])
            else:
                assert reported.reported_categories[row] == test.category[row]
    return result


@pytest.mark.parametrize("edition", ["CLSI 2025", "EUCAST 2025"])
def test_the_worked_cases_are_reported_as_expected(shared_data: Path, edition: str) -> None:
    """MRSA, inducible clindamycin and BLNAR: the S that contradict a fact of the row are reported R, and no others."""
    with (shared_data / "antibiogram" / "expert.csv").open(encoding="utf-8", newline="") as stream:
        rows = [
            {name.replace("_NM", "_EM") if edition.startswith("EUCAST") else name: cell for name, cell in row.items()}
            for row in csv.DictReader(stream)
        ]
    changed = changes(answered(rows, edition))
    assert set(changed) == {0, 1, 6}
    assert BETA_LACTAMS - set(changed[0]) <= ({"CAZ"} if edition.startswith("EUCAST") else set())
    assert {"CPT", "VAN", "CLI", "GEN"}.isdisjoint(changed[0])
    assert changed[0]["PEN"] == ("S", "MRS")
    assert changed[1] == {"CLI": ("S", "ICR")}
    assert changed[6] == {"SAM": ("S", "BLNAR")}


def test_the_category_stays_and_the_report_stands_beside_it() -> None:
    """Models and certificates are untouched: the answer is the same with and without rules."""
    facts = answered([{"ORGANISM": "sau", "MRSA": "+", "PEN_NM": "<=0.12"}])
    (reported,) = apply_rules(facts, RULES)
    assert facts.tests[0].category.to_list() == ["S"]
    assert reported.reported_categories.to_list() == ["R"]
    assert reported.rule.to_list() == ["MRS (CLSI M100 Table 2C; WHONET AMRIE rule MRS)"]


def test_no_rule_speaks_of_a_drug_that_was_not_tested() -> None:
    """An empty cell and a cell that cannot be read stay as they are."""
    facts = answered([{"ORGANISM": "sau", "MRSA": "+", "CRO_NM": "mixed", "FOX_NM": ">8"}])
    assert changes(facts) == {}
    assert [test.reported_categories.to_list() for test in apply_rules(facts, RULES)] == [["NI"], ["R"]]


def test_what_is_resistant_already_needs_no_rule() -> None:
    """The rule is named where it changed something."""
    assert changes(answered([{"ORGANISM": "sau", "MRSA": "+", "PEN_NM": ">8"}])) == {}


def test_producers_of_esbl_are_reported_by_their_own_mic() -> None:
    """The editions of today say so; the rule holds for CLSI of 2009 and before."""
    facts = answered([{"ORGANISM": "eco", "ESBL": "+", "CAZ_NM": "1"}])
    assert changes(facts) == {}
    rule = next(rule for rule in RULES if rule.code == "ESBL")
    assert [rule.is_for(edition, "N") for edition in ("CLSI 2009", "CLSI 2010", "")] == [True, False, False]
    assert not rule.is_for("EUCAST 2009", "E")


def test_aminoglycosides_are_not_reported_susceptible_in_salmonella() -> None:
    """Where the edition does not say it itself, the caution does."""
    rules = [rule for rule in RULES if rule.code == "SALSHI"]
    assert all({"GEN", "AMK", "CXM", "FOX"} <= rule.drugs for rule in rules)
    assert not any({"CRO", "CTX", "CIP", "AMP"} & rule.drugs for rule in rules)


def test_changes_are_counted_by_rule() -> None:
    """For the one line a command tells."""
    facts = answered(
        [{"ORGANISM": "sau", "MRSA": "+", "PEN_NM": "0.1"}, {"ORGANISM": "sau", "INDUC_CLI": "+", "CLI_NM": "0.1"}]
    )
    assert count_changes(apply_rules(facts, RULES)) == {"MRS": 1, "ICR": 1}


@dear()
@given(
    st.lists(st.tuples(st.sampled_from("+- "), st.sampled_from(["", "0.1", ">8"]), st.sampled_from(["", "0.1", "4"])))
)
def test_a_report_never_makes_anything_susceptible_or_fills_an_empty_cell(rows: list[tuple[str, str, str]]) -> None:
    """Whatever the row, a report is the category or R, and an empty cell stays empty."""
    facts = answered([{"ORGANISM": "sau", "MRSA": m, "OXA_NM": o, "PEN_NM": p} for m, o, p in rows])
    for test, reported in zip(facts.tests, apply_rules(facts, RULES), strict=True):
        for before, after in zip(test.category.to_list(), reported.reported_categories.to_list(), strict=True):
            assert after == before or (before is not None and after == "R")


def test_a_hospital_adds_rules_and_removes_ours(tmp_path: Path) -> None:
    """Its rule says in the file whose it is."""
    table = tmp_path / "ours.csv"
    table.write_text(
        LOCAL
        + "ENTCC,report R,PROA,2026-03-01,endocarditis,,,,organism,efa,VRE=+,TEC,,\n"
        + "ICR,remove,PROA,2026-03-01,short courses,,,,,,,,,\n",
        encoding="utf-8",
    )
    rules = load_expert_rules(table)
    assert "ICR" not in {rule.code for rule in rules}
    assert rules[-1].label == "ENTCC (local rule of PROA, 2026-03-01: endocarditis)"


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("A,report R,,2026-03-01,why,,,,genus,Staphylococcus,,PEN,,", "who"),
        ("A,report S,me,2026-03-01,why,,,,genus,Staphylococcus,,PEN,,", "action"),
        ("A,report R,me,yesterday,why,,,,genus,Staphylococcus,,PEN,,", "when"),
        ("A,report R,me,2026-03-01,why,WHO,,,genus,Staphylococcus,,PEN,,", "guideline"),
        ("A,report R,me,2026-03-01,why,,,x,genus,Staphylococcus,,PEN,,", "until"),
        ("A,report R,me,2026-03-01,why,,,,genus,Nothing,,PEN,,", "group"),
        ("A,report R,me,2026-03-01,why,,,,organism,nobody,,PEN,,", "group"),
        ("A,report R,me,2026-03-01,why,,,,genus,Staphylococcus,PEN,PEN,,", "trigger"),
        ("A,report R,me,2026-03-01,why,,,,genus,Staphylococcus,,penicillins of old,,", "drugs"),
        ("ZZZ,remove,me,2026-03-01,why,,,,,,,,,", "rule"),
    ],
)
def test_a_mistake_in_a_table_is_named_by_row_and_column(tmp_path: Path, row: str, column: str) -> None:
    """And the cell is not repeated."""
    table = tmp_path / "ours.csv"
    table.write_text(LOCAL + row + "\n", encoding="utf-8")
    with pytest.raises(TableError, match=f"row 2, column {column}"):
        load_expert_rules(table)
