"""The certificate finds every difference and names it."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.certification.asking import ask_table
from sirena.certification.certificate import Certificate
from sirena.certification.certificate_file import UnreadableCertificateError, from_json, to_json
from sirena.certification.comparison import Disagreement, Kind
from sirena.certification.grid import (
    BEYOND_SCALE,
    CODE_LATTICE,
    COMPARATORS,
    QUESTION_CODES,
    QUESTIONS,
    SCALE,
    Comparator,
)
from sirena.domain.category import Category, Reason
from sirena.domain.errors import UsageError
from sirena.domain.mic import CODES, DILUTIONS, Mic, encode_mics
from sirena.domain.truth_table import ANSWERS, Answer, TruthTable, answer_code
from tests.unit.certification.certification_tables import (
    CENSORED,
    CUTS,
    NO_BREAKPOINT,
    I,
    R,
    S,
    certified,
    compile_by_hand,
)

ANSWER_CODES = st.integers(1, len(ANSWERS) - 1)


def changed(organism: str, code: int, answer: int, table: TruthTable | None = None) -> TruthTable:
    """Return the table with one cell changed."""
    table = table or compile_by_hand()
    cells = table.cells.copy()
    cells[table.row_of[organism], code] = answer
    return TruthTable(table.column, table.keys, cells, table.grounds, table.absent)


def cells_named(entry: Disagreement) -> list[tuple[str, str]]:
    """Unfold a merged disagreement into (organism, question) from what it states alone."""
    numbers = SCALE[SCALE.index(entry.first) : SCALE.index(entry.last) + 1]
    assert len(numbers) == entry.cells
    return [(entry.key, entry.comparator.prefix + number) for number in numbers]


def test_reference_against_itself_has_no_disagreement() -> None:
    """Every cell agrees, and the counts add up."""
    certificate = certified(compile_by_hand())
    assert certificate.total_agreement
    assert certificate.monotone
    assert certificate.asked == len(CUTS) * 41 * 5
    assert certificate.agreements == certificate.compared
    assert certificate.compared + sum(certificate.reference_refusals.values()) == certificate.asked
    assert certificate.refusals == certificate.reference_refusals
    assert all(point.is_same for point in certificate.cut_points)


@given(organism=st.sampled_from(sorted(CUTS)), code=st.integers(0, CODES - 1), answer=ANSWER_CODES)
def test_any_one_flipped_cell_is_found_and_named(organism: str, code: int, answer: int) -> None:
    """Whichever of the 84 codes of whichever organism is changed, exactly its spellings are named."""
    table = compile_by_hand()
    before = int(table.cells[table.row_of[organism], code])
    certificate = certified(changed(organism, code, answer))
    if answer == before:
        assert certificate.total_agreement
        return
    assert not certificate.total_agreement
    expected = {(organism, question) for question in np.array(QUESTIONS)[code == QUESTION_CODES].tolist()}
    named = [cell for entry in certificate.disagreements for cell in cells_named(entry)]
    assert set(named) == expected
    assert len(named) == len(expected)
    for entry in (*certificate.disagreements, *certificate.beyond):
        assert (entry.model_answer, entry.reference_answer) == (ANSWERS[answer], ANSWERS[before])
    if not expected:
        (entry,) = certificate.beyond
        mic = Mic.from_code(code)
        assert entry.key == organism
        assert str(mic) == entry.comparator.prefix + entry.first == entry.mics


@given(
    st.lists(st.tuples(st.sampled_from(sorted(CUTS)), st.integers(0, CODES - 1), ANSWER_CODES), min_size=1, max_size=30)
)
def test_counts_add_up_whatever_the_model_answers(flips: list[tuple[str, int, int]]) -> None:
    """Kinds, agreements and cells named are three ways to count the same grid."""
    table = compile_by_hand()
    for organism, code, answer in flips:
        table = changed(organism, code, answer, table)
    certificate = certified(table)
    in_compared = (Kind.VERY_MAJOR, Kind.MAJOR, Kind.MINOR, Kind.OTHER_NAME, Kind.REFUSED)
    assert certificate.agreements + sum(certificate.kinds[kind] for kind in in_compared) == certificate.compared
    for kind in Kind:
        named = sum(entry.cells for entry in certificate.disagreements if entry.kind is kind)
        assert named == certificate.kinds[kind]
    merged = [
        (entry.key, entry.comparator, entry.last, entry.model_answer, entry.reference_answer)
        for entry in certificate.disagreements
    ]
    for entry in certificate.disagreements:
        position = SCALE.index(entry.first)
        if position:
            left = (entry.key, entry.comparator, SCALE[position - 1], entry.model_answer, entry.reference_answer)
            assert left not in merged, "neighbours alike must be merged"
    assert from_json(json.loads(json.dumps(to_json(certificate)))) == certificate


@pytest.mark.parametrize(
    ("expected", "answered", "kind"),
    [
        (R, S, Kind.VERY_MAJOR),
        (answer_code(Category.NS), S, Kind.VERY_MAJOR),
        (answer_code(Category.NWT), answer_code(Category.WT), Kind.VERY_MAJOR),
        (S, R, Kind.MAJOR),
        (S, answer_code(Category.NS), Kind.MAJOR),
        (I, S, Kind.MINOR),
        (R, I, Kind.MINOR),
        (answer_code(Category.SDD), R, Kind.MINOR),
        (answer_code(Category.SDD), I, Kind.OTHER_NAME),
        (answer_code(Category.NS), R, Kind.OTHER_NAME),
        (S, CENSORED, Kind.REFUSED),
        (S, 0, Kind.REFUSED),
        (CENSORED, S, Kind.ANSWERED),
        (NO_BREAKPOINT, CENSORED, Kind.OTHER_REASON),
        (NO_BREAKPOINT, 0, None),
    ],
)
def test_kinds_of_disagreement(expected: int, answered: int, kind: Kind | None) -> None:
    """Each pair of answers has its kind; a refusal without reason agrees with any refusal."""
    reference = TruthTable("AMK_NM", ("eco",), np.full((1, CODES), expected, dtype=np.uint8))
    candidate = TruthTable("AMK_NM", ("eco",), np.full((1, CODES), answered, dtype=np.uint8))
    certificate = certified(candidate, reference)
    assert {found for found, count in certificate.kinds.items() if count} == ({kind} if kind else set())
    assert {entry.kind for entry in (*certificate.disagreements, *certificate.beyond)} == ({kind} if kind else set())


def test_organism_without_reference_row_is_asked_and_counted_apart() -> None:
    """Every answer for it is named as answered where the reference refuses; none of it is compared."""
    candidate = compile_by_hand({"eco": (2, 4), "zzz": (2, 4)})
    certificate = certified(candidate)
    assert certificate.organisms_without_reference == ("zzz",)
    assert certificate.asked == 2 * 205
    assert certificate.agreements == certificate.compared
    assert {entry.kind for entry in certificate.disagreements} == {Kind.ANSWERED}
    assert {entry.key for entry in certificate.disagreements} == {"zzz"}
    assert certificate.reference_refusals[Reason.NO_BREAKPOINT] == 205
    (point,) = [point for point in certificate.cut_points if point.key == "zzz"]
    assert (point.susceptible, point.official_susceptible, point.susceptible_shift) == (2, None, None)


def test_a_refusing_model_compares_but_agrees_nowhere() -> None:
    """Refusing everything is no way to be certified."""
    refusing = TruthTable("AMK_NM", ("eco",), np.full((1, CODES), NO_BREAKPOINT, dtype=np.uint8))
    certificate = certified(refusing)
    assert certificate.agreements == 0
    assert certificate.kinds[Kind.REFUSED] == certificate.compared > 0
    assert not certificate.total_agreement


def test_nothing_to_compare_is_no_total_agreement() -> None:
    """A model for an organism without breakpoint has no disagreement, and is proved nothing."""
    certificate = certified(compile_by_hand({"hin": None}))
    assert certificate.compared == 0
    assert not certificate.disagreements
    assert not certificate.total_agreement


@given(
    organism=st.sampled_from(["eco", "pae", "sau"]),
    interval=st.integers(0, 2),
    answers=st.lists(st.sampled_from([S, I, R, CENSORED]), min_size=DILUTIONS, max_size=DILUTIONS),
)
def test_monotone_violations_are_found_and_only_they(organism: str, interval: int, answers: list[int]) -> None:
    """Some lower MIC is called more resistant than some higher one exactly when a reversal is named, and it is true."""
    table = compile_by_hand()
    cells = table.cells.copy()
    cells[table.row_of[organism], interval * DILUTIONS : (interval + 1) * DILUTIONS] = answers
    certificate = certified(TruthTable(table.column, table.keys, cells))
    levels = [{S: 0, I: 1, R: 2}[answer] for answer in answers if answer != CENSORED]
    assert certificate.monotone == (levels == sorted(levels))
    for reversal in certificate.reversals:
        assert (reversal.key, CODE_LATTICE.comparators.index(reversal.comparator)) == (organism, interval)
        lower, higher = (
            encode_mics([reversal.comparator.prefix + number])[0] for number in (reversal.lower, reversal.higher)
        )
        assert lower < higher
        rank = "SIR".index
        assert rank(reversal.lower_answer) > rank(reversal.higher_answer)
        row = cells[table.row_of[organism]]
        assert (ANSWERS[row[lower]], ANSWERS[row[higher]]) == tuple(
            Answer(Category(text)) for text in (reversal.lower_answer, reversal.higher_answer)
        )


def test_cut_points_stand_beside_the_official_ones_in_dilutions() -> None:
    """A model one dilution too high shows +1, with the network's own cut points beside it."""
    certificate = certified(compile_by_hand({"eco": (3, 5), "pmi": (-15, -14)}), cut_points={"eco": (11.3, 22.6)})
    eco, pmi = certificate.cut_points
    assert (eco.susceptible_shift, eco.resistant_shift) == (1, 1)
    assert (eco.network_susceptible, eco.network_resistant) == (11.3, 22.6)
    assert (pmi.susceptible, pmi.resistant, pmi.is_same) == (None, -14, True)


def test_cut_points_of_an_asked_model_are_read_on_the_scale_asked() -> None:
    """Without a truth table both sides are read from 0.001 to 1024 mg/L."""
    asked = ask_table(compile_by_hand())
    stranger = type(asked)(asked.column, asked.keys, asked.answers)
    certificate = certified(stranger)
    assert all(point.is_same for point in certificate.cut_points)
    assert [point.resistant for point in certificate.cut_points if point.key == "pmi"] == [-10]
    assert (certificate.beyond_asked, certificate.beyond) == (0, ())


def test_beyond_the_scale_is_compared_too() -> None:
    """A wrong answer at 4096 mg/L denies total agreement though no question of the scale meets it."""
    certificate = certified(changed("eco", Mic.from_code(0).code + 26, S))
    assert not certificate.disagreements
    assert [str(entry) for entry in certificate.beyond] == ["eco 4096: answered S, expected R (VME)"]
    assert certificate.beyond_asked == len(CUTS) * int(BEYOND_SCALE.sum())
    assert certificate.unsafe_disagreements == certificate.beyond


def test_a_disagreement_reads_like_a_sentence() -> None:
    """Organism, MICs with comparator, answer, expectation, kind."""
    texts = {str(entry) for entry in certified(compile_by_hand({"eco": (3, 4)})).disagreements}
    assert "eco 6 … 8: answered S, expected I (mE)" in texts
    assert "eco <=6 … <=8: answered S, expected NI: censored (answered)" in texts
    assert "eco <12 … <16: answered S, expected NI: censored (answered)" in texts


def test_digest_tells_any_change_of_answers() -> None:
    """The same answers have one digest, one changed cell has another."""
    assert certified(compile_by_hand()).answers_digest == certified(compile_by_hand()).answers_digest
    assert certified(compile_by_hand()).answers_digest != certified(changed("eco", 83, S)).answers_digest


def test_wrong_column_or_no_organism_is_refused() -> None:
    """A certificate of one drug against another's breakpoints is no certificate."""
    with pytest.raises(UsageError, match="AMK_NM, but the reference is for CAZ_NM"):
        certified(compile_by_hand(), compile_by_hand(column="CAZ_NM"))
    with pytest.raises(UsageError, match="no organism"):
        certified(TruthTable("AMK_NM", (), np.empty((0, CODES), dtype=np.uint8)))


def test_json_holds_the_scale_so_that_each_cell_can_be_told() -> None:
    """From ``from``, ``to`` and the scale alone every cell of a disagreement follows."""
    document = to_json(certified(compile_by_hand({"eco": (4, 4)}), certified_at=datetime(2026, 1, 2, tzinfo=UTC)))
    assert document["schema"] == "sirena-certificate/2"
    assert document["certified_at"] == "2026-01-02T00:00:00+00:00"
    numbers = document["scale"]["numbers"]
    assert document["scale"]["comparators"] == [sign.value for sign in COMPARATORS]
    for entry in document["disagreements"]:
        assert numbers.index(entry["to"]) - numbers.index(entry["from"]) + 1 == entry["cells"]


@pytest.mark.parametrize("document", [{}, {"schema": "sirena-certificate/99"}, {"schema": "sirena-certificate/2"}])
def test_a_document_that_is_no_certificate_is_refused(document: dict[str, str]) -> None:
    """Another schema or a damaged document is one clear error, never a half-read certificate."""
    with pytest.raises(UnreadableCertificateError):
        from_json(document)


def test_damaged_entry_is_refused() -> None:
    """An unknown kind inside is not read as something else."""
    document = to_json(certified(compile_by_hand({"eco": (4, 4)})))
    document["disagreements"][0]["kind"] = "fine"
    with pytest.raises(UnreadableCertificateError, match="damaged"):
        from_json(document)


def test_comparators_of_disagreements_are_those_of_the_question() -> None:
    """``<`` and ``<=`` are both asked, so both are named."""
    certificate: Certificate = certified(compile_by_hand({"eco": (3, 4)}))
    assert {entry.comparator for entry in certificate.disagreements} == {
        Comparator.EQUAL,
        Comparator.AT_MOST,
        Comparator.BELOW,
    }
