"""A certificate compares every organism at every site, and says how well its edition was read."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sirena.certification.alignment import compared_rows
from sirena.certification.asking import table_of_predictor
from sirena.certification.certificate_file import from_json, to_json
from sirena.certification.comparison import Kind
from sirena.domain.ground import Ground, GroundKind
from sirena.domain.mic import CODES, encode_mics
from sirena.domain.site import Site
from sirena.domain.specimens import site_of_specimen
from sirena.domain.truth_table import ANSWERS, TruthTable, key_of
from tests.unit.certification.certification_tables import certified, compile_by_hand

AT_SITES: Mapping[str, tuple[int, int]] = {"eco": (2, 4), "spn": (1, 3), "spn@csf": (-4, -3), "kpn@urine": (5, 6)}
"""One breakpoint for every site, one more for cerebrospinal fluid, one for urine alone."""


def keys_alone(*keys: str) -> TruthTable:
    """Return a table with these keys; what it answers does not matter."""
    return TruthTable("AMK_NM", keys, np.zeros((len(keys), CODES), dtype=np.uint8))


def compared(candidate: tuple[str, ...], *reference: str) -> list[tuple[str, str, str | None]]:
    """Return (key, the candidate's key, the reference's key) of each comparison."""
    table = keys_alone(*reference)
    return [
        (row.key, candidate[row.candidate], None if row.reference is None else table.keys[row.reference])
        for row in compared_rows(candidate, table)
    ]


def test_a_site_that_either_tells_apart_is_compared_by_itself() -> None:
    """The rest of the sites of an organism are compared as one."""
    assert compared(("spn",), "spn", "spn@csf") == [("spn@csf", "spn", "spn@csf"), ("spn", "spn", "spn")]
    assert compared(("spn", "spn@csf"), "spn") == [("spn@csf", "spn@csf", "spn"), ("spn", "spn", "spn")]
    assert compared(("spn",), "spn") == [("spn", "spn", "spn")]


def test_a_candidate_that_knows_nothing_of_sites_is_held_against_each_row() -> None:
    """Where the reference has no row for a site, the candidate's answers there are without reference."""
    assert compared(("kpn",), "kpn@urine") == [("kpn@urine", "kpn", "kpn@urine"), ("kpn", "kpn", None)]


def test_a_site_for_which_the_candidate_has_no_row_is_not_compared() -> None:
    """It refuses there, which is never unsafe."""
    assert compared(("kpn@urine",), "kpn", "kpn@csf") == [("kpn@urine", "kpn@urine", "kpn")]


@pytest.mark.parametrize("candidate", [("spn",), ("spn", "spn@urine"), ("spn@csf",), ("spn", "spn@csf", "spn@blood")])
@pytest.mark.parametrize("reference", [("spn",), ("spn@csf",), ("spn", "spn@csf"), ("spn@urine", "spn@unknown"), ()])
def test_every_question_a_candidate_answers_is_compared(candidate: tuple[str, ...], reference: tuple[str, ...]) -> None:
    """At each site its row stands beside the very row by which the reference answers there."""
    model, table = keys_alone(*candidate), keys_alone(*reference)
    rows = list(compared_rows(candidate, table))
    by_key = {row.key: row for row in rows}
    assert len(by_key) == len(rows)
    for site in Site:
        answering = model.row("spn", site)
        row = by_key.get(key_of("spn", site)) or by_key.get("spn")
        if answering is not None:
            assert row is not None
            assert (row.candidate, row.reference) == (answering, table.row("spn", site))


def test_a_table_with_sites_agrees_with_itself() -> None:
    """Each key is asked 205 questions."""
    certificate = certified(compile_by_hand(AT_SITES), compile_by_hand(AT_SITES))
    assert certificate.total_agreement
    assert set(certificate.keys) == set(AT_SITES)
    assert certificate.organisms == ("eco", "spn", "kpn")
    assert certificate.asked == 4 * 205


def test_a_wrong_answer_at_one_site_is_named_with_the_site() -> None:
    """S in cerebrospinal fluid by the breakpoint of pneumonia is a very major error, and is said of that site."""
    certificate = certified(compile_by_hand({**AT_SITES, "spn@csf": (1, 3)}), compile_by_hand(AT_SITES))
    assert {entry.key for entry in certificate.disagreements} == {"spn@csf"}
    assert certificate.kinds[Kind.VERY_MAJOR] > 0
    assert str(certificate.unsafe_disagreements[0]).startswith("spn@csf ")


def test_a_model_without_sites_is_wrong_where_the_guideline_tells_sites_apart() -> None:
    """It cannot be certified for cerebrospinal fluid, nor for blood by a row for urine."""
    certificate = certified(compile_by_hand({"spn": (1, 3), "kpn": (5, 6)}), compile_by_hand(AT_SITES))
    kinds = {key: {entry.kind for entry in certificate.disagreements if entry.key == key} for key in certificate.keys}
    assert Kind.VERY_MAJOR in kinds["spn@csf"]
    assert kinds["spn"] == kinds["kpn@urine"] == set()
    assert kinds["kpn"] == {Kind.ANSWERED}


def stranger(table: TruthTable, *, sites: bool) -> Callable[[pd.DataFrame], list[str]]:
    """Return a model that answers as a table does, by the site of the specimen or in spite of it."""

    def predict(frame: pd.DataFrame) -> list[str]:
        answers = []
        codes = encode_mics(frame["AMK_NM"])
        for organism, specimen, code in zip(frame["ORGANISM"], frame["SPEC_TYPE"], codes, strict=True):
            site = site_of_specimen(specimen) if sites else Site.UNKNOWN
            assert site is not None
            answer = ANSWERS[int(table.look_up([organism], np.array([code]), site)[0, 0])]
            answers.append(answer.category.value if answer else "")
        return answers

    return predict


def test_a_stranger_is_asked_with_the_specimen_of_each_site() -> None:
    """One that reads it agrees everywhere."""
    table = compile_by_hand({"eco": (2, 4), "spn": (1, 3), "spn@csf": (-4, -3)})
    asked = table_of_predictor(stranger(table, sites=True), "AMK_NM", table.keys)
    certificate = certified(asked, table)
    assert not certificate.disagreements
    assert certificate.agreements == certificate.compared


def test_a_stranger_that_ignores_sites_is_held_against_the_row_of_each_site() -> None:
    """It answers cerebrospinal fluid by the breakpoint of all else, and that is named."""
    table = compile_by_hand({"eco": (2, 4), "spn": (1, 3), "spn@csf": (-4, -3)})
    asked = table_of_predictor(stranger(table, sites=False), "AMK_NM", table.keys)
    certificate = certified(asked, table)
    assert {entry.key for entry in certificate.disagreements} == {"spn@csf"}
    assert certificate.unsafe_disagreements


@pytest.mark.parametrize("own", [(Site.UNKNOWN,), (Site.UNKNOWN, Site.OTHER), (Site.OTHER, Site.URINE)])
def test_the_row_of_all_other_sites_is_asked_at_one_of_them(own: tuple[Site, ...]) -> None:
    """Never at a site that has a key of its own."""
    keys = ("spn", *(key_of("spn", site) for site in own))
    seen: list[str] = []

    def predict(frame: pd.DataFrame) -> list[str]:
        seen.extend(frame["SPEC_TYPE"])
        return ["S"] * len(frame)

    table_of_predictor(predict, "AMK_NM", keys)
    assert len({site_of_specimen(specimen) for specimen in seen}) == len(keys)


READ_TWICE = Ground(GroundKind.BREAKPOINT, "CLSI 2026", "breakpoint", source="Table 2A", readings=2)
READ_ONCE = replace(READ_TWICE, readings=1, doubt="one source")


def with_grounds(*grounds: Ground) -> TruthTable:
    """Return a reference whose rows were read so often."""
    table = compile_by_hand({"eco": (2, 4), "kpn": (2, 4), "pae": (4, 6)})
    return replace(table, grounds=grounds)


def test_a_certificate_names_the_readings_behind_its_rows() -> None:
    """A certificate must not sound surer than the table it compares with is."""
    reference = with_grounds(READ_TWICE, READ_TWICE, READ_ONCE)
    certificate = certified(compile_by_hand({"eco": (2, 4), "kpn": (2, 4), "pae": (4, 6)}), reference)
    assert certificate.readings == {"1": 1, "2": 2}
    assert certificate.doubts == ("one source",)


def test_rows_the_model_does_not_answer_for_are_not_counted_among_the_readings() -> None:
    """A doubt about an organism outside the vocabulary is none about the model."""
    certificate = certified(compile_by_hand({"eco": (2, 4)}), with_grounds(READ_TWICE, READ_TWICE, READ_ONCE))
    assert certificate.readings == {"2": 1}
    assert certificate.doubts == ()


def test_the_file_of_a_certificate_keeps_keys_readings_and_doubts() -> None:
    """What is written is read again."""
    certificate = certified(compile_by_hand(AT_SITES), replace(compile_by_hand(AT_SITES), grounds=(READ_ONCE,) * 4))
    document = to_json(certificate)
    assert from_json(document) == certificate
    assert document["schema"] == "sirena-certificate/2"
    assert certificate.readings == {"1": 4}
