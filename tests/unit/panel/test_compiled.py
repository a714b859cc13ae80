"""The panel answers by looking up, and refuses by name."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.domain.category import Category, Reason
from sirena.domain.truth_table import ANSWERS, Answer
from sirena.panel.compiled import Panel
from tests.panels import small_panel

PANEL = small_panel()


def ni(reason: Reason) -> Answer:
    """Return the refusal for a reason."""
    return Answer(Category.NI, reason)


@pytest.mark.parametrize(
    ("column", "organism", "mic", "expected"),
    [
        ("AMK_NM", "eco", "4", Answer(Category.S)),
        ("AMK_NM", "eco", "8", Answer(Category.I)),
        ("AMK_NM", "eco", ">=16", Answer(Category.R)),
        ("AMK_NM", " ECO ", "<= 0,5", Answer(Category.S)),
        ("AMK_NM", "Escherichia coli", "16.0", Answer(Category.R)),
        ("AMK_NE", "eco", "3", Answer(Category.S)),
        ("amk_nm", "pae", "32", Answer(Category.I)),
        ("AMK_NM", "eco", "<=8", ni(Reason.CENSORED)),
        ("AMK_NM", "eco", ">2", ni(Reason.CENSORED)),
        ("AMK_NM", "sau", "4", ni(Reason.NOT_IN_VOCABULARY)),
        ("AMK_NM", "no such thing", "4", ni(Reason.UNKNOWN_ORGANISM)),
        ("AMK_NM", None, "4", ni(Reason.MISSING_ORGANISM)),
        ("AMK_NM", "eco", "abc", ni(Reason.UNREADABLE_MIC)),
        ("AMK_NM", "eco", "-1", ni(Reason.IMPOSSIBLE_MIC)),
        ("AMK_NM", "eco", "1e9", ni(Reason.IMPOSSIBLE_MIC)),
        ("AMK_NM", "eco", "NaN", ni(Reason.UNREADABLE_MIC)),
        ("AMK_EM", "eco", "4", ni(Reason.NO_MODEL)),
        ("AMK_ND30", "eco", "17", ni(Reason.NOT_AN_MIC)),
        ("VAN_NM", "sau", "1", ni(Reason.NO_MODEL)),
        ("amikacin", "eco", "4", ni(Reason.NO_MODEL)),
        ("AMK_ND30", "eco", "", None),
        ("AMK_EM", "eco", None, None),
        ("AMK_NM", "eco", "  ", None),
    ],
)
def test_one_value_is_answered_or_refused_by_name(
    column: str, organism: str | None, mic: str | None, expected: Answer | None
) -> None:
    """Each way of being wrong has its own reason, and an empty MIC is no question."""
    assert expected == PANEL.answer_one(column, organism, mic)


TEXTS = st.one_of(
    st.none(),
    st.sampled_from(["", "4", "<=4", ">8", "0,5", "abc", "-1", "0", "1e9", "<=", "16 mg/L", "\x00", "inf", "٣"]),
    st.text(max_size=8),
)
ORGANISMS = st.one_of(st.none(), st.sampled_from(["eco", "pae", "sau", "", "  ", "Escherichia coli", "zzz"]), st.text())
COLUMNS = st.sampled_from(["AMK_NM", "AMK_NE", "CAZ_NM", "AMK_EM", "AMK_ND30", "VAN_NM", "junk"])


@given(COLUMNS, st.lists(st.tuples(ORGANISMS, TEXTS), max_size=30))
def test_the_quick_way_and_the_column_way_agree(column: str, rows: list[tuple[str | None, str | None]]) -> None:
    """The service's answer to one value is the file's answer to the same value."""
    answers = PANEL.answer_column(column, [organism for organism, _ in rows], [mic for _, mic in rows])
    assert [PANEL.answer_one(column, *row) for row in rows] == [ANSWERS[code] for code in answers]
    assert np.uint8 == answers.dtype


def test_an_empty_column_has_no_answers() -> None:
    """No rows, no answers, no error."""
    assert len(PANEL.answer_column("AMK_NM", [], [])) == 0


def test_rows_of_different_lengths_are_a_mistake() -> None:
    """An organism without its MIC would shift every later answer."""
    with pytest.raises(ValueError, match="2 organisms for 1 MICs at 2 sites"):
        PANEL.answer_column("AMK_NM", ["eco", "eco"], ["4"])


def test_a_very_long_text_is_refused_without_being_read() -> None:
    """A megabyte of blanks before a letter must not occupy the reader."""
    assert ni(Reason.UNREADABLE_MIC) == PANEL.answer_one("AMK_NM", "eco", " " * 1_000_000 + "4")
    assert ni(Reason.UNKNOWN_ORGANISM) == PANEL.answer_one("AMK_NM", "Escherichia coli " * 60_000, "4")


def test_json_brings_back_the_same_panel() -> None:
    """A panel travels as text and answers the same afterwards."""
    again = Panel.from_json(json.loads(json.dumps(PANEL.to_json())))
    assert PANEL.release == again.release
    assert PANEL.provenance == again.provenance
    for column, table in PANEL.tables.items():
        assert table.organisms == again.tables[column].organisms
        assert table.grounds == again.tables[column].grounds
        assert np.array_equal(table.cells, again.tables[column].cells)


@pytest.mark.parametrize(
    "document",
    [{}, {"format": "sirena-panel/1"}, {"format": "sirena-panel/2"}, {"format": "sirena-panel/2", "tables": []}],
)
def test_what_is_no_panel_is_said_to_be_none(document: dict[str, object]) -> None:
    """A wrong or damaged file is named, not half-read."""
    with pytest.raises(ValueError, match="sirena-panel/2"):
        Panel.from_json(document)


def test_a_table_under_a_wrong_name_is_refused() -> None:
    """A panel whose AMK answers for CAZ would answer every isolate wrongly."""
    with pytest.raises(ValueError, match="AMK_NM"):
        Panel({"CAZ_NM": PANEL.tables["AMK_NM"]}, {}, "broken")


def test_provenance_is_that_of_the_model_that_answers() -> None:
    """A gradient strip is answered by the dilution's model, a zone by none."""
    assert PANEL.provenance_of("AMK_NE")["model"] == "modelo_AMK_NM"
    assert PANEL.provenance_of("AMK_ND30") == {}
    assert PANEL.provenance_of("AMK_EM") == {}
