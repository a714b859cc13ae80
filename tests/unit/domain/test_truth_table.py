"""The table every part meets in."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.domain.category import Category, Reason, read_label
from sirena.domain.ground import Ground, GroundKind
from sirena.domain.mic import CODES, encode_mics
from sirena.domain.site import Site
from sirena.domain.truth_table import ANSWERS, NOT_ASKED, Answer, TruthTable, answer_code, key_of, split_key
from tests.properties import dear

GROUND = Ground(GroundKind.BREAKPOINT, "CLSI 2026", "breakpoint", "order", "Enterobacterales", source="Table 2A-1")


def _table(cells: list[int] | None = None) -> TruthTable:
    row = cells if cells is not None else [answer_code(Category.S)] * CODES
    return TruthTable("AMK_NM", ("eco",), np.array([row], dtype=np.uint8), (GROUND,))


def test_look_up_answers_the_cross_product() -> None:
    """Each organism meets each MIC, and what cannot be answered says why."""
    codes = encode_mics(["4", None, "abc", "0"])
    answers = _table().look_up(["eco", None, "", "pae"], codes)
    assert [ANSWERS[code] for code in answers[0]] == [
        Answer(Category.S),
        None,
        Answer(Category.NI, Reason.UNREADABLE_MIC),
        Answer(Category.NI, Reason.IMPOSSIBLE_MIC),
    ]
    assert [ANSWERS[code].reason for code in answers[1:, 0] if ANSWERS[code]] == [
        Reason.MISSING_ORGANISM,
        Reason.UNKNOWN_ORGANISM,
        Reason.NOT_IN_VOCABULARY,
    ]
    assert answers[:, 1].tolist() == [NOT_ASKED] * 4


@dear()
@given(st.lists(st.integers(0, len(ANSWERS) - 1), min_size=CODES, max_size=CODES))
def test_json_keeps_every_cell(cells: list[int]) -> None:
    """Writing and reading a table loses nothing, whatever the answers."""
    table = _table(cells)
    again = TruthTable.from_json(json.loads(json.dumps(table.to_json())))
    assert np.array_equal(again.cells, table.cells)
    assert (again.column, again.keys, again.grounds, again.absent) == (
        table.column,
        table.keys,
        table.grounds,
        table.absent,
    )


def at_sites() -> TruthTable:
    """A table with an organism at every site, one at two sites alone, and one whose fluid differs."""
    answers = {"eco": Category.S, "kpn@urine": Category.S, "kpn@unknown": Category.I, "spn": Category.S}
    rows = {**answers, "spn@csf": Category.R}
    cells = np.array([[answer_code(category)] * CODES for category in rows.values()], dtype=np.uint8)
    grounds = tuple(Ground(GroundKind.BREAKPOINT, group=key) for key in rows)
    return TruthTable("AMK_NM", tuple(rows), cells, grounds, absent=Reason.NO_BREAKPOINT)


def answer_at(organism: str, site: Site) -> str:
    """Return category or reason of the answer to 1 mg/L."""
    answer = ANSWERS[int(at_sites().look_up([organism], encode_mics(["1"]), site)[0, 0])]
    assert answer is not None
    return answer.reason or answer.category


def test_a_key_without_a_site_answers_at_every_site_without_a_key_of_its_own() -> None:
    """So sites that change nothing cost nothing."""
    assert {answer_at("eco", site) for site in Site} == {"S"}
    assert {site: answer_at("spn", site) for site in Site if answer_at("spn", site) != "S"} == {
        Site.CEREBROSPINAL_FLUID: "R"
    }


def test_an_organism_with_keys_for_single_sites_only_is_refused_at_all_others() -> None:
    """With a reason that says so, unlike the one for an organism without any row."""
    assert [answer_at("kpn", site) for site in (Site.UNKNOWN, Site.URINE)] == ["I", "S"]
    others = set(Site) - {Site.UNKNOWN, Site.URINE}
    assert {answer_at("kpn", site) for site in others} == {Reason.OTHER_SITE}
    assert {answer_at("pae", site) for site in Site} == {Reason.NO_BREAKPOINT}


def test_a_refusal_has_its_reason() -> None:
    """Missing, unknown, absent, or known at other sites only."""
    refusals = [at_sites().refusal(organism) for organism in (None, "", "pae", "kpn")]
    assert refusals == [
        Reason.MISSING_ORGANISM,
        Reason.UNKNOWN_ORGANISM,
        Reason.NO_BREAKPOINT,
        Reason.OTHER_SITE,
    ]


def test_the_ground_is_that_of_the_row_that_answers() -> None:
    """Where no row answers there is none."""
    table = at_sites()
    grounds = {site: table.ground("spn", site) for site in Site}
    assert {ground.group for ground in grounds.values() if ground} == {"spn", "spn@csf"}
    assert grounds[Site.CEREBROSPINAL_FLUID] == Ground(GroundKind.BREAKPOINT, group="spn@csf")
    assert table.ground("kpn", Site.BLOOD) is None
    assert table.ground(None, Site.BLOOD) is None


def test_the_vocabulary_names_each_organism_once() -> None:
    """Whatever the number of its keys, in order of appearance; its sites are told."""
    table = at_sites()
    assert table.organisms == ("eco", "kpn", "spn")
    assert table.sites_of("kpn") == (Site.UNKNOWN, Site.URINE)
    assert table.sites_of("eco") == ()


def test_json_keeps_keys_and_grounds() -> None:
    """Grounds that many rows share are written once."""
    table = at_sites()
    shared = TruthTable(table.column, table.keys, table.cells, (GROUND,) * len(table.keys), table.absent)
    for one, distinct in ((table, len(table.keys)), (shared, 1)):
        document = json.loads(json.dumps(one.to_json()))
        again = TruthTable.from_json(document)
        assert (again.keys, again.grounds, again.absent) == (one.keys, one.grounds, one.absent)
        assert len(document["grounds"]) == distinct


@pytest.mark.parametrize("site", [None, *Site])
def test_a_key_is_made_and_taken_apart(site: Site | None) -> None:
    """Organism, and site where there is one."""
    assert split_key(key_of("spn", site)) == ("spn", site)


def test_a_key_with_a_site_of_no_domain_is_refused() -> None:
    """Not read as the row of every other site."""
    with pytest.raises(ValueError, match="knee"):
        split_key("spn@knee")


def test_grounds_of_the_wrong_number_are_refused() -> None:
    """A row whose ground is another's would mislead."""
    with pytest.raises(ValueError, match="2 grounds for 1 keys"):
        TruthTable("AMK_NM", ("eco",), np.zeros((1, CODES), np.uint8), (GROUND, GROUND))


def test_cells_of_the_wrong_shape_are_refused() -> None:
    """A table whose rows and organisms differ in number cannot exist."""
    with pytest.raises(ValueError, match="AMK_NM"):
        TruthTable("AMK_NM", ("eco", "pae"), np.zeros((1, CODES), np.uint8))


@pytest.mark.parametrize(
    ("text", "label"),
    [("S", Category.S), (" r ", Category.R), ("sdd", Category.SDD), ("ns", Category.NS), ("0.5", None), ("NI", None)],
)
def test_only_five_categories_are_labels(text: str, label: Category | None) -> None:
    """WHONET leaves the MIC itself in cells it could not interpret; that is no label."""
    assert read_label(text) is label


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: {"eco": [rows["eco"][0][:-1], *rows["eco"][1:]], "kpn": [rows["kpn"][0] + "S", *rows["kpn"][1:]]},
        lambda rows: {**rows, "eco": ["?" + rows["eco"][0][1:], *rows["eco"][1:]]},
        lambda rows: {**rows, "eco": ["é" + rows["eco"][0][1:], *rows["eco"][1:]]},
    ],
    ids=["a dilution moved to another organism", "a letter of no answer", "a letter beyond ASCII"],
)
def test_a_spoilt_document_is_refused(spoil: Callable[[dict[str, list[str]]], dict[str, list[str]]]) -> None:
    """No row is read that does not hold one known letter for each MIC."""
    cells = np.full((2, CODES), answer_code(Category.S), dtype=np.uint8)
    document = TruthTable("AMK_NM", ("eco", "kpn"), cells).to_json()
    with pytest.raises(ValueError, match="letters"):
        TruthTable.from_json({**document, "organisms": spoil(document["organisms"])})
