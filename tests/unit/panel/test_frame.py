"""A file is answered whole: nothing lost, nothing overwritten, every row its own answer."""

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirena.domain.category import Category, Reason
from sirena.domain.errors import UsageError
from sirena.domain.language import Language
from sirena.domain.site import Site
from sirena.domain.test_column import TestColumn, parse_test_column
from sirena.domain.truth_table import ANSWERS, TruthTable
from sirena.panel.column_answers import ColumnTally
from sirena.panel.frame import Isolates, interpret_frame
from sirena.panel.placement import Existing, HeaderLayout
from tests.panels import panel_with_sites, small_panel

PANEL = small_panel()


def panel_table(column: TestColumn) -> TruthTable | None:
    """Return the small panel's table for a test column."""
    return PANEL.tables.get(column.model_column)


def isolates(columns: dict[str, list[str | None]], **categories: str) -> Isolates:
    """Return a file whose headers name their test columns."""
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    parsed = {header: parse_test_column(header) for header in columns}
    return Isolates(frame, "ORGANISM", {name: column for name, column in parsed.items() if column}, categories)


FILE = isolates(
    {
        "SPEC_NUM": ["1", "2", "3", "4"],
        "ORGANISM": ["eco", "pae", None, "zzz"],
        "AMK_NM": ["4", ">=64", "4", "4"],
        "WARD": ["uci", None, "ped", "x"],
        "AMK_EM": ["4", None, "", "8"],
    }
)


def test_a_category_column_stands_directly_after_its_test_column() -> None:
    """Input columns stay unchanged and in order, and each answer stands beside its MIC."""
    answered = interpret_frame(FILE, panel_table)
    assert answered.columns == ["SPEC_NUM", "ORGANISM", "AMK_NM", "Eti_AMK_NM", "WARD", "AMK_EM", "Eti_AMK_EM"]
    assert answered.select(FILE.frame.columns).equals(FILE.frame)
    assert answered["Eti_AMK_NM"].to_list() == ["S", "R", "NI", "NI"]
    assert answered["Eti_AMK_EM"].to_list() == ["NI", None, None, "NI"]


def test_basis_and_reason_stand_beside_the_category_on_request() -> None:
    """What an answer rests on, and why there is none, is in the file."""
    answered = interpret_frame(FILE, panel_table, basis=Language.ENGLISH)
    assert answered["Eti_AMK_NM_basis"].to_list() == [
        "species eco; any site; S <= 4, R >= 16 (CLSI 2026, Table 0)",
        "species pae; any site; S <= 16, R >= 64 (CLSI 2026, Table 0)",
        "The organism is missing.",
        (
            "The organism is not known, or an abbreviation of two meanings (EPI, PSA …); "
            "use a WHONET organism code or a species name."
        ),
    ]
    assert answered["Eti_AMK_NM_reason"].to_list() == [None, None, "missing_organism", "unknown_organism"]
    assert answered["Eti_AMK_EM_reason"].to_list() == ["no_model", None, None, "no_model"]
    assert answered.columns[2:6] == ["AMK_NM", "Eti_AMK_NM", "Eti_AMK_NM_basis", "Eti_AMK_NM_reason"]


def test_the_tally_counts_every_row_once() -> None:
    """The summary a user reads is made from these counts."""
    tallies: list[ColumnTally] = []
    interpret_frame(FILE, panel_table, progress=tallies.append)
    assert [tally.column for tally in tallies] == ["AMK_NM", "AMK_EM"]
    assert [int(tally.counts.sum()) for tally in tallies] == [4, 4]
    assert {
        answer and (answer.category, answer.reason): int(count)
        for answer, count in zip(ANSWERS, tallies[1].counts, strict=True)
        if count
    } == {None: 2, (Category.NI, Reason.NO_MODEL): 2}


WITH_LABELS = isolates(
    {"ORGANISM": ["eco", "eco"], "eti_amk_nm": ["R", "4"], "AMK_NM": ["4", "64"], "CAZ_NM": ["4", "4"]}
)


def test_a_category_column_already_there_is_refused_by_default() -> None:
    """A laboratory's own calls are never overwritten in silence; the option is named."""
    with pytest.raises(UsageError, match="eti_amk_nm") as caught:
        interpret_frame(WITH_LABELS, panel_table)
    assert "--existing" in caught.value.hint
    assert caught.value.exit_code == 2


def test_keep_writes_beside_it() -> None:
    """Both calls can be read, one beside the other."""
    answered = interpret_frame(WITH_LABELS, panel_table, existing=Existing.KEEP)
    assert answered.columns == ["ORGANISM", "eti_amk_nm", "eti_amk_nm_new", "AMK_NM", "CAZ_NM", "Eti_CAZ_NM"]
    assert answered["eti_amk_nm"].to_list() == ["R", "4"]
    assert answered["eti_amk_nm_new"].to_list() == ["S", "R"]


def test_replace_writes_in_its_place() -> None:
    """Place and header stay; the content is the new answer."""
    answered = interpret_frame(WITH_LABELS, panel_table, existing=Existing.REPLACE)
    assert answered.columns == ["ORGANISM", "eti_amk_nm", "AMK_NM", "CAZ_NM", "Eti_CAZ_NM"]
    assert answered["eti_amk_nm"].to_list() == ["S", "R"]


def test_a_category_column_under_another_header_is_found_by_its_reader() -> None:
    """A long header (``Amikacin category``) that the reader recognised counts as already there."""
    file = isolates({"ORGANISM": ["eco"], "AMK_NM": ["4"], "Sens. Amikacina": ["R"]}, AMK_NM="Sens. Amikacina")
    with pytest.raises(UsageError, match=r"Sens\. Amikacina"):
        interpret_frame(file, panel_table)


@pytest.mark.parametrize(("existing", "named"), [(Existing.REFUSE, "eti_amk_nm, "), (Existing.KEEP, "eti_amk_nm_new")])
def test_no_other_column_is_overwritten_either(existing: Existing, named: str) -> None:
    """A second run must not eat the first one's columns."""
    once = interpret_frame(WITH_LABELS, panel_table, basis=Language.ENGLISH, existing=Existing.KEEP)
    again = replace(WITH_LABELS, frame=once.cast(pl.String))
    with pytest.raises(UsageError, match=named):
        interpret_frame(again, panel_table, basis=Language.ENGLISH, existing=existing)


def test_replacing_twice_gives_the_same_file() -> None:
    """`--existing replace` can be repeated safely, basis included."""
    once = interpret_frame(FILE, panel_table, basis=Language.ENGLISH)
    again = replace(FILE, frame=once.cast(pl.String))
    assert interpret_frame(again, panel_table, basis=Language.ENGLISH, existing=Existing.REPLACE).equals(once)


def test_two_headers_of_one_test_column_get_a_category_each() -> None:
    """Nothing is merged that the file keeps apart."""
    column = parse_test_column("AMK_NM")
    assert column is not None
    frame = pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": ["4"], "Amikacin": ["64"]})
    file = Isolates(frame, "ORGANISM", {"AMK_NM": column, "Amikacin": column}, {})
    answered = interpret_frame(file, panel_table)
    assert answered.row(0) == ("eco", "4", "S", "64", "R")
    assert answered.columns == ["ORGANISM", "AMK_NM", "Eti_AMK_NM", "Amikacin", "Eti_Amikacin"]


SITES = panel_with_sites()


def sites_table(column: TestColumn) -> TruthTable | None:
    """Return the table of the panel with sites for a test column."""
    return SITES.tables.get(column.model_column)


BY_SPECIMEN = replace(
    isolates(
        {
            "ORGANISM": ["spn", "spn", "eco", "eco", "eco", "eco"],
            "SPEC_TYPE": ["bl", "LCR", "ur", "bl", None, "qwxz"],
            "PEN_NM": ["1", "1", None, None, None, None],
            "NIT_NM": [None, None, "16", "16", "16", "<=64"],
        }
    ),
    site="SPEC_TYPE",
)


def test_the_specimen_chooses_the_site_of_each_row() -> None:
    """A cerebrospinal isolate is read on the meningitis row, its neighbour on the other."""
    answered = interpret_frame(BY_SPECIMEN, sites_table, basis=Language.ENGLISH)
    assert answered["Eti_PEN_NM"].to_list() == ["S", "R", None, None, None, None]
    assert answered["Eti_NIT_NM"].to_list() == [None, None, "S", "NI", "S", "NI"]
    assert answered["Eti_NIT_NM_reason"].to_list() == [None, None, None, "other_site", None, "censored"]
    assert answered["Eti_PEN_NM_basis"].to_list()[:3] == [
        "species spn; non-meningitis; S <= 2, R >= 8 (CLSI 2026, Table 0)",
        "species spn; meningitis; S <= 0.0625, R >= 0.125 (CLSI 2026, Table 0)",
        None,
    ]


def test_one_site_can_be_named_for_all_rows() -> None:
    """The specimens are then not looked at."""
    answered = interpret_frame(replace(BY_SPECIMEN, site=Site.CEREBROSPINAL_FLUID), sites_table)
    assert answered["Eti_PEN_NM"].to_list()[:2] == ["R", "R"]
    assert answered["Eti_NIT_NM"].to_list()[2:] == ["NI"] * 4


def test_a_category_by_a_row_for_urine_is_marked_where_the_site_is_unknown() -> None:
    """Urine itself needs no mark, an NI has none, and a column without marks gets no column of marks."""
    answered = interpret_frame(BY_SPECIMEN, sites_table)
    assert answered["Eti_NIT_NM_mark"].to_list() == [None, None, None, None, "urine_only", None]
    assert answered.columns[-3:] == ["NIT_NM", "Eti_NIT_NM", "Eti_NIT_NM_mark"]
    assert "Eti_PEN_NM_mark" not in answered.columns


def test_what_a_category_assumes_of_the_site_stands_before_its_basis() -> None:
    """In English and in Spanish."""
    unknown = replace(BY_SPECIMEN, site=Site.UNKNOWN)
    english = interpret_frame(unknown, sites_table, basis=Language.ENGLISH)
    assert english["Eti_PEN_NM_basis"].to_list()[0].startswith("if not meningitis: species spn; non-meningitis;")
    assert english["Eti_PEN_NM_mark"].to_list()[0] == "not_meningitis"
    spanish = interpret_frame(unknown, sites_table, basis=Language.SPANISH)
    assert spanish["Eti_NIT_NM_basis"].to_list()[2].startswith("solo aislamientos de orina: eco; infección urinaria")


def test_the_reason_of_a_refusal_is_told_in_either_language() -> None:
    """A drug beyond the release says so."""
    english = interpret_frame(FILE, panel_table, basis=Language.ENGLISH)["Eti_AMK_EM_basis"].to_list()
    spanish = interpret_frame(FILE, panel_table, basis=Language.SPANISH)["Eti_AMK_EM_basis"].to_list()
    assert english[0] == "The release holds no model for this antimicrobial and guideline."
    assert spanish[0] == "La publicación no tiene modelo para este antimicrobiano y guía."


def test_the_model_that_answered_is_told_after_the_ground() -> None:
    """Where the caller knows it."""
    answered = interpret_frame(FILE, panel_table, basis=Language.ENGLISH, source=lambda column: column.model_name)
    assert answered["Eti_AMK_NM_basis"].to_list()[0].endswith("Table 0) · modelo_AMK_NM")
    assert answered["Eti_AMK_NM_basis"].to_list()[2] == "The organism is missing."


def test_the_last_column_tells_by_what_the_file_was_answered() -> None:
    """Whatever the options; a second run refuses it, keeps it or replaces it, as it does categories."""
    once = interpret_frame(FILE, panel_table, stamp="release 3 · CLSI 2026")
    assert once.columns[-1] == "SIRENA"
    assert once["SIRENA"].to_list() == ["release 3 · CLSI 2026"] * 4
    again = replace(FILE, frame=once.select(*FILE.frame.columns, "SIRENA"))
    with pytest.raises(UsageError, match="SIRENA"):
        interpret_frame(again, panel_table, stamp="x")
    kept = interpret_frame(again, panel_table, stamp="x", existing=Existing.KEEP)
    assert (kept["SIRENA"].to_list()[0], kept["SIRENA_new"].to_list()[0]) == ("release 3 · CLSI 2026", "x")
    replaced = interpret_frame(again, panel_table, stamp="x", existing=Existing.REPLACE)
    assert replaced.columns == [*once.columns[:-1], "SIRENA"]
    assert replaced["SIRENA"].to_list() == ["x"] * 4


def test_a_mark_of_an_answer_that_gives_way_goes_with_it() -> None:
    """No mark of yesterday stands beside a category of today."""
    once = interpret_frame(replace(BY_SPECIMEN, site=Site.UNKNOWN), sites_table)
    again = replace(BY_SPECIMEN, frame=once.cast(pl.String), site=Site.URINE)
    replaced = interpret_frame(again, sites_table, existing=Existing.REPLACE)
    assert "Eti_NIT_NM_mark" not in replaced.columns


def test_a_format_of_ten_letters_gets_marks_under_short_names() -> None:
    """A dBASE file must not fail because a category is marked."""
    answered = interpret_frame(BY_SPECIMEN, sites_table, layout=HeaderLayout.TEN_LETTERS)
    assert "Mk_NIT_NM" in answered.columns
    assert max(map(len, answered.columns)) <= 10


def test_the_tally_names_the_grounds_and_how_often_each_decided() -> None:
    """So that a workbook can list them."""
    tallies: list[ColumnTally] = []
    interpret_frame(BY_SPECIMEN, sites_table, progress=tallies.append)
    uses = [(use.ground.site, use.mark and use.mark.value, use.count) for use in tallies[1].grounds]
    assert set(uses) == {
        ("uncomplicated urinary tract infection", None, 1),
        ("uncomplicated urinary tract infection", "urine_only", 2),
    }


def test_a_file_without_rows_gets_its_columns() -> None:
    """An empty export is no error here and keeps its shape."""
    answered = interpret_frame(isolates({"ORGANISM": [], "AMK_NM": []}), panel_table, basis=Language.ENGLISH)
    assert answered.columns == ["ORGANISM", "AMK_NM", "Eti_AMK_NM", "Eti_AMK_NM_basis", "Eti_AMK_NM_reason"]
    assert answered.height == 0


CELLS = st.sampled_from([None, "", " ", "4", "<=4", ">8", "0,5", "abc", "-1", "1e9", "ñ", "\x00"])
NAMES = st.sampled_from([None, "", "eco", "pae", "sau", "Escherichia coli", "zzz"])


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, CELLS, CELLS), max_size=40))
def test_every_row_of_a_file_has_the_answer_of_its_own_value(rows: list[tuple[str | None, ...]]) -> None:
    """The file's answer is the panel's answer to the same organism and MIC, row by row."""
    organisms, amk, caz = ([row[position] for row in rows] for position in range(3))
    answered = interpret_frame(isolates({"ORGANISM": organisms, "AMK_NM": amk, "CAZ_ND30": caz}), panel_table)
    for header, values in (("AMK_NM", amk), ("CAZ_ND30", caz)):
        expected = [PANEL.answer_one(header, *pair) for pair in zip(organisms, values, strict=True)]
        assert answered[f"Eti_{header}"].to_list() == [answer and answer.category.value for answer in expected]
