"""The core answers rows, whatever carried them."""

import pytest

from sirena.domain.site import Site
from sirena.domain.truth_table import ANSWERS
from sirena.serving.core import Interpretation, Rows, column_provenance, interpret
from sirena.serving.errors import MalformedBodyError, NothingToAnswerError, UnknownModelError
from sirena.serving.mic_cells import text_of
from tests.panels import panel_with_sites, small_panel

PANEL = small_panel()
SITES = panel_with_sites()


def rows(**columns: list[object]) -> Rows:
    """Return a request's rows."""
    return Rows(columns, len(next(iter(columns.values()))))


def spelt(interpretation: Interpretation) -> dict[str, list[str | None]]:
    """Return categories, and reasons for NI, by column."""
    return {
        answered.column.name: [
            None if (answer := ANSWERS[code]) is None else str(answer.reason or answer.category)
            for code in answered.answers
        ]
        for answered in interpretation.columns
    }


def test_every_test_column_is_answered_and_the_others_are_ignored() -> None:
    """Wards, names and categories of the request play no part."""
    answers = interpret(
        PANEL, rows(WARD=["uci"], ORGANISM=["eco"], AMK_NM=["4"], Eti_AMK_NM=["R"], CAZ_NM=[">8"], LAST_NAME=["x"])
    )
    assert spelt(answers) == {"AMK_NM": ["S"], "CAZ_NM": ["R"]}


def test_what_cannot_be_answered_is_refused_value_by_value() -> None:
    """Each refusal has its reason and none fails the request."""
    answers = interpret(
        PANEL,
        rows(
            ORGANISM=["eco", "zzz", None, "eco", "sau"],
            AMK_NM=["abc", "4", "4", "", "4"],
            AMK_EM=["4", "4", None, "4", "4"],
            AMK_ND30=["17", None, "17", "17", "17"],
            VAN_NM=["1", "1", "1", "1", "1"],
        ),
    )
    assert spelt(answers) == {
        "AMK_NM": ["unreadable_mic", "unknown_organism", "missing_organism", None, "not_in_vocabulary"],
        "AMK_EM": ["no_model", "no_model", None, "no_model", "no_model"],
        "AMK_ND30": ["not_an_mic", None, "not_an_mic", "not_an_mic", "not_an_mic"],
        "VAN_NM": ["no_model"] * 5,
    }


@pytest.mark.parametrize("length", [3, 16, 17, 200])
def test_few_and_many_rows_get_the_same_answers(length: int) -> None:
    """The quick way for an isolate and the quick way for a file agree, each row for itself."""
    organisms = ["eco", "pae", "zzz", None, "Escherichia coli"]
    mics = ["4", ">=64", "<=0,5", 8, None, "abc", 0.5]
    asked = Rows(
        {
            "ORGANISM": [organisms[row % 5] for row in range(length)],
            "AMK_NM": [mics[row % 7] for row in range(length)],
        },
        length,
    )
    (answered,) = interpret(PANEL, asked).columns
    expected = [PANEL.answer_one("AMK_NM", organisms[row % 5], text_of(mics[row % 7])) for row in range(length)]
    assert [ANSWERS[code] for code in answered.answers] == expected


def test_many_rows_are_answered_like_each_of_them_alone() -> None:
    """Category, mark and ground, whatever is wrong with a row, and whichever cells look equal to Python."""
    organisms = ["spn", "eco", "kpn", "zzz", "", None, "Escherichia coli", "sau"]
    specimens = ["bl", "LCR", "ur", None, "qwxz", "sputum", 3]
    mics = ["1", 1, True, 1.0, "<=0,5", None, "", "abc", [1], float("nan"), "-1", 16, "1" * 60, {"a": 1}, "16"]
    cells = [(organisms[row % 8], specimens[row % 7], mics[row % 15], mics[row % 11]) for row in range(900)]
    names = ("ORGANISM", "SPEC_TYPE", "PEN_NM", "NIT_NM")
    together = interpret(SITES, Rows(dict(zip(names, zip(*cells, strict=True), strict=True)), len(cells)))
    for row, own in enumerate(cells):
        alone = interpret(SITES, Rows({name: [cell] for name, cell in zip(names, own, strict=True)}, 1))
        assert together.sites[row] == alone.sites[0]
        for many, one in zip(together.columns, alone.columns, strict=True):
            assert many.answers[row] == one.answers[0]
            assert many.grounds[row] == one.grounds[0]
            assert (many.marks or bytes(900))[row] == (one.marks or b"\0")[0]
    assert any(answered.marks for answered in together.columns)
    assert {number for answered in together.columns for number in answered.grounds} - {None} == set(together.grounds)


def test_every_answer_names_model_version_release_edition_and_basis() -> None:
    """A result reaches nobody without what it rests on."""
    answers = interpret(PANEL, rows(LOCAL_ORG=["Escherichia coli", "zzz"], AMK_NM=["4", "4"], AMK_EM=["4", "4"]))
    assert answers.release == "release-1"
    assert list(answers.organisms) == ["eco", None]
    answered, unanswered = (column_provenance(PANEL, answer.column) for answer in answers.columns)
    assert answered == {
        "model": "modelo_AMK_NM",
        "version": "3",
        "release": "release-1",
        "edition": "CLSI 2026",
        "basis": "reference",
    }
    assert list(answers.columns[0].grounds) == [0, None]
    assert answers.grounds[0].english() == "species eco; any site; S <= 4, R >= 16 (CLSI 2026, Table 0)"
    assert unanswered["model"] is None
    assert unanswered["reason"] == "no_model"


def test_one_model_answers_its_own_columns_only() -> None:
    """A gradient strip is the dilution's; another drug is not asked for."""
    answers = interpret(
        PANEL, rows(ORGANISM=["eco"], AMK_NE=["3"], CAZ_NM=["4"], AMK_ND30=["17"]), model="modelo_AMK_NM"
    )
    assert spelt(answers) == {"AMK_NE": ["S"]}
    with pytest.raises(NothingToAnswerError, match="this model"):
        interpret(PANEL, rows(ORGANISM=["eco"], CAZ_NM=["4"]), model="modelo_AMK_NM")


@pytest.mark.parametrize("name", ["modelo_VAN_NM", "AMK_NM", "modelo_", "panel", "modelo_AMK_EM"])
def test_an_unknown_model_is_said_to_be_unknown(name: str) -> None:
    """A wrong name is never answered by another model."""
    with pytest.raises(UnknownModelError):
        interpret(PANEL, rows(ORGANISM=["eco"], AMK_NM=["4"]), model=name)


@pytest.mark.parametrize("columns", [{"AMK_NM": ["4"]}, {"ORGANISM": ["eco"]}, {"ORGANISM": ["eco"], "AMK": ["4"]}])
def test_a_request_without_organism_or_test_column_is_refused(columns: dict[str, list[object]]) -> None:
    """There is nothing to answer, and the caller learns which column is missing."""
    with pytest.raises(NothingToAnswerError):
        interpret(PANEL, Rows(columns, 1))


def test_two_columns_of_one_test_are_refused() -> None:
    """Which of them would be the answer?"""
    with pytest.raises(MalformedBodyError):
        interpret(PANEL, rows(ORGANISM=["eco"], AMK_NM=["4"], amk_nm=["64"]))


@pytest.mark.parametrize("called", ["ORGANISM", "SPEC_TYPE"])
def test_two_columns_of_organisms_or_specimens_are_refused(called: str) -> None:
    """An answer would be to one of them, and nobody could say to which."""
    columns: dict[str, list[object]] = {"ORGANISM": ["eco"], "SPEC_TYPE": ["ur"], "AMK_NM": ["4"]}
    columns[f" {called.lower()}"] = ["sau"]
    with pytest.raises(MalformedBodyError, match=f"several columns are called {called}"):
        interpret(PANEL, rows(**columns))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, None),
        ("<=4", "<=4"),
        (16, "16"),
        (0.5, "0.5"),
        (16.0, "16.0"),
        (float("nan"), None),
        (True, "?"),
        ([4], "?"),
        ({"a": 1}, "?"),
    ],
)
def test_a_number_is_read_like_its_text_and_junk_like_none(cell: object, text: str | None) -> None:
    """NaN is a data frame's empty cell; true is no MIC of 1."""
    assert text_of(cell) == text


@pytest.mark.parametrize("cell", [float("inf"), 10**400, -1, 0, 1e300, 10**4299])
def test_an_impossible_number_is_refused_and_not_an_error(cell: float) -> None:
    """No number, however large, fails a request."""
    assert spelt(interpret(PANEL, Rows({"ORGANISM": ["eco"], "AMK_NM": [cell]}, 1))) == {"AMK_NM": ["impossible_mic"]}


@pytest.mark.parametrize("repeated", [1, 10])
def test_each_rows_specimen_decides_its_site(repeated: int) -> None:
    """Few rows and many: a known specimen, an empty one, and one that is not known and counted."""
    answers = interpret(
        SITES,
        rows(
            ORGANISM=["spn", "spn", "eco", "eco", "eco", "eco"] * repeated,
            spec_type=["bl", "LCR", "orina", "bl", None, "qwxz"] * repeated,
            PEN_NM=["1", "1", None, None, None, None] * repeated,
            NIT_NM=[None, None, "16", "16", "16", "<=64"] * repeated,
        ),
    )
    assert spelt(answers) == {
        "PEN_NM": ["S", "R", None, None, None, None] * repeated,
        "NIT_NM": [None, None, "S", "other_site", "S", "censored"] * repeated,
    }
    assert answers.unknown_specimens == repeated
    assert list(answers.sites[:6]) == [Site.BLOOD, Site.CEREBROSPINAL_FLUID, Site.URINE, Site.BLOOD, Site.UNKNOWN, None]
    assert answers.columns[0].marks is None
    assert answers.columns[1].marks == bytes([0, 0, 0, 0, 1, 0]) * repeated
    grounds = [number is not None and answers.grounds[number].susceptible for number in answers.columns[1].grounds[:6]]
    assert grounds == [False, False, 32, False, 32, 32]


@pytest.mark.parametrize("length", [2, 40])
def test_one_site_for_the_request_overrides_the_specimens(length: int) -> None:
    """As `--site` does for a file; nothing is then unread."""
    columns = {"ORGANISM": ["spn"] * length, "SPEC_TYPE": ["qwxz"] * length, "PEN_NM": ["1"] * length}
    answers = interpret(SITES, Rows(columns, length, Site.CEREBROSPINAL_FLUID))
    assert spelt(answers) == {"PEN_NM": ["R"] * length}
    assert answers.unknown_specimens == 0


def test_whoever_sends_no_specimen_asks_as_before() -> None:
    """Site unknown: the answer holds unless it is meningitis, and says so."""
    answers = interpret(SITES, rows(ORGANISM=["spn"], PEN_NM=["1"]))
    assert spelt(answers) == {"PEN_NM": ["S"]}
    assert answers.columns[0].marks == bytes([2])


@pytest.mark.parametrize("length", [1, 40])
def test_abbreviations_of_two_meanings_are_refused_as_in_files(length: int) -> None:
    """EPI, ECN and PSA in capitals have no organism; WHONET's own spelling has; POS and NEG are no MICs."""
    answers = interpret(
        PANEL, rows(ORGANISM=["EPI", " ECN ", "PSA", "eco"] * length, AMK_NM=["4", "4", "4", "POS"] * length)
    )
    refused = ["unknown_organism"] * 3 + ["unreadable_mic"]
    assert spelt(answers) == {"AMK_NM": refused * length}
    assert list(answers.organisms) == [None, None, None, "eco"] * length
