"""Files on which Sirena failed once, as people who do this job reported them: read right, reported or refused."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sirena.domain.category import Category
from sirena.domain.mic import parse_mic
from sirena.domain.organisms import resolve_many
from sirena.domain.truth_table import ANSWERS, TruthTable
from sirena.guidelines.editions import Edition, load_edition
from sirena.guidelines.interpreter import compile_tables
from sirena.panel.frame import Isolates, interpret_frame
from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.file import WhonetFile
from sirena.whonet.mapping import LETTERS
from sirena.whonet.problems import ProblemClass
from sirena.whonet.reading import read_file


@dataclass(frozen=True)
class Case:
    """What is right for one file."""

    name: str
    answers: dict[str, str] = field(default_factory=dict)
    """Test column → answers in the order of the rows, ``-`` for none; ``*`` for any, ``R/NI``
    where either is right; other tests look at the files that name none."""
    refusal: str = ""
    """What the refusal says, for files that are refused."""
    reported: tuple[ProblemClass, ...] = ()
    """What `inspect` must name."""
    edition: str = "CLSI 2025"


CASES = (
    Case("c01_pseudintermedius.csv", {"OXA_NM": "R R R S S R", "FOX_NM": "NI NI NI S S -"}),
    Case("c02_meningitis.csv", {"PEN_NM": "R R R R", "CRO_NM": "I I R I"}),
    Case("c03_stray_quote.tsv", {"AMK_NM": "S R *", "CIP_NM": "S R S"}),
    Case(
        "c04_salmonella_shigella.csv",
        {f"{drug}_NM": "NI NI NI" for drug in ("TZP", "CAZ", "FEP", "ATM", "SAM", "NIT")}
        | {"GEN_NM": "R/NI R/NI R/NI", "CIP_NM": "S S S", "CRO_NM": "S S S"},
    ),
    Case(
        "c05_uti_only_on_blood.csv",
        {"NIT_NM": "NI NI S", "FOS_NM": "NI NI S", "NOR_NM": "NI NI S", "CIP_NM": "S NI S"},
    ),
    Case(
        "c06_eucast15.csv",
        {
            "PEN_EM": "R - - - - - -",
            "TGC_EM": "- S S - - - -",
            "MFX_EM": "- - - R R - -",
            "GEH_EM": "- - - - - S/NI -",
            "AMK_EM": "- - - - - - S/NI",
        },
        edition="EUCAST 2025",
    ),
    Case("c07_streptococcus_blocks.csv", {"CIP_NM": "NI NI", "AMP_NM": "NI -", "IPM_NM": "- NI"}),
    Case("c08_enterococcus_gen.csv", {"GEN_NM": "R/NI R/NI R/NI"}),
    Case("c09_cefazolin.csv", {"CZO_NM": "NI NI S S"}),
    Case("c10_hidden_sheet.xlsx", {"AMK_NM": "S R", "CIP_NM": "S R"}),
    Case("c11_data_on_second_sheet.xlsx", {"AMK_NM": "S R", "CIP_NM": "S R"}),
    Case("c12_password.xlsx", refusal="has a password"),
    Case("c13_html.xls", refusal="HTML"),
    Case("c14_sxt_sum.csv", {"SXT_NM": "S S S R R R"}, reported=(ProblemClass.SUM_READ,)),
    Case(
        "c15_microscan_es.csv",
        {"Amikacina CIM": "NI R", "Ciprofloxacino CIM": "R NI"},
        reported=(ProblemClass.NO_RESULT,),
    ),
    Case("c15_ncbi_long.tsv", {"AMK_NM": "S", "CIP_NM": "R"}),
    Case("c15_phoenix.csv", {"Amikacin MIC": "S", "Ciprofloxacin MIC": "R"}),
    Case("c15_sirscan.csv", {"AMK_NM": "S R", "CIP_NM": "S R"}, reported=(ProblemClass.TITLE_ROW,)),
    Case(
        "c15_vitek.csv",
        {"AN-Amikacin": "S NI", "SXT-Trimethoprim/Sulfamethoxazole": "S R"},
        reported=(ProblemClass.NO_RESULT, ProblemClass.SUM_READ),
    ),
    Case("c16_cp850_i.csv", {"AMK_NM": "S R"}),
    Case("c16_cp850_i.dbf", {"AMK_NM": "S R S"}),
    Case("c17_utf8.dbf", {"AMK_NM": "S R - S", "CIP_NM": "S R - I"}),
    Case("c18_thousands.csv", {"FOS_NM": "NI NI R S"}, reported=(ProblemClass.THOUSANDS,)),
    Case("c19_copied_without_wal.sqlite", {"AMK_NM": "S"}, reported=(ProblemClass.WRITE_AHEAD_LOG,)),
    Case("c20_dbase7.dbf", {"AMK_NM": "S R"}),
    Case("c21_urine_codes.csv", {"CZO_NM": "S S S S S"}),
    Case(
        "c22_number_format.xlsx",
        {"AMK_NM": "NI NI NI S NI NI NI NI", "CIP_NM": "NI NI NI S R NI - -"},
        reported=(ProblemClass.DATE, ProblemClass.SPREADSHEET_ERROR),
    ),
    Case("codigos.csv", {"AMK": "I", "CIP": "I", "TZP": "SDD"}),
    Case(
        "eucast.csv",
        {"AMK_EM": "S/NI R S/NI -", "CIP_EM": "I S I I/NI", "AMC_EM": "S R - -", "TZP_EM": "R S I -"},
        edition="EUCAST 2025",
    ),
    Case(
        "excel_cabeceras_raras.xlsx",
        {"Amikacina CIM": "S", "Cipro (CIM)": "S", "CAZ": "S", "GEN": "S", "MEM MIC": "S"},
    ),
    Case("excel_es_nombres.xlsx", {"Amikacina": "S S S S", "Ampicilina": "S R S R", "Nitrofurantoína": "S S S NI"}),
    Case(
        "excel_titulo.xlsx",
        {"Amikacina": "S S S S", "Ampicilina": "S R S R", "Nitrofurantoína": "S S S NI"},
        reported=(ProblemClass.TITLE_ROW,),
    ),
    Case(
        "excel_fechas.xlsx",
        {"AMK_NM": "S S NI", "TZP_NM": "NI S S", "SXT_NM": "NI S S", "CIP_NM": "S NI S"},
        reported=(ProblemClass.DATE, ProblemClass.SPREADSHEET_ERROR),
    ),
    Case("largo.csv", {"AMK MIC": "S -", "CIP MIC": "S -", "MEM MIC": "- R"}),
    Case(
        "amc.csv",
        {"AMC_NM": "S S", "AMK_NM": "R R", "COL_NM": "I I", "CXM_NM": "S S", "TOB_NM": "S S"},
    ),
    Case("abr.csv", reported=(ProblemClass.ABBREVIATION,)),
    Case("off.csv", reported=(ProblemClass.SUM_REFUSED, ProblemClass.THOUSANDS)),
    Case("vitek_sxt.csv", {"SXT_NM": "S S S S R R R R"}, reported=(ProblemClass.SUM_READ,)),
    Case(
        "whonet_es.csv",
        {"AMK_NM": "S R NI I", "CIP_NM": "S R S I", "SXT_NM": "S R - S", "TZP_NM": "S R S SDD", "CAZ_NM": "S R S I"},
        reported=(ProblemClass.SUM_READ,),
    ),
    Case("whonet_largo_es.csv", {"AMK_NM": "S", "CIP_NM": "S"}),
)


@pytest.fixture
def cases(shared_data: Path) -> Path:
    """The folder of the cases."""
    return shared_data / "cases"


def answer(file: WhonetFile, edition: str = "CLSI 2025") -> pl.DataFrame:
    """Return the file with what an edition says of its own columns, as the commands answer it."""
    letter = LETTERS[edition.split()[0]]
    return interpret_frame(
        Isolates.of_file(file), lambda column: _table(edition, column.drug) if column.guideline == letter else None
    )


read = cache(read_file)
"""The files do not change, and workbooks take time."""


@cache
def _table(edition: str, drug: str) -> TruthTable:
    return compile_tables(_edition(edition), {drug})[drug]


@cache
def _edition(name: str) -> Edition:
    return load_edition(name)


def answers(file: WhonetFile, category: str) -> list[str | None]:
    """Return what CLSI 2025 says of one column."""
    return answer(file)[category].cast(str).to_list()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_is_right_reported_or_refused(case: Case, cases: Path) -> None:
    """Row by row as the table of cases says; what is not answered is named by class."""
    if case.refusal:
        with pytest.raises(UnreadableFileError, match=case.refusal):
            read(cases / case.name)
        return
    file = read(cases / case.name)
    names = {header: f"Eti_{column.name}" for header, column in file.mic_columns.items()}
    if case.answers:
        answered = answer(file, case.edition)
        for header, expected in case.answers.items():
            got = [category or "-" for category in answered[names[header]].cast(str).to_list()]
            assert len(got) == len(expected.split()), header
            for row, (category, allowed) in enumerate(zip(got, expected.split(), strict=True), 1):
                assert allowed == "*" or category in allowed.split("/"), (header, row)
    assert set(case.reported) <= {problem.problem_class for problem in file.problems}


def test_no_case_is_left_out(cases: Path) -> None:
    """A file that is put beside the others is missed here."""
    files = {path.name for path in cases.iterdir()} - {"README.md", "c23_pyfunc_numeric.py"}
    assert files == {case.name for case in CASES}


@pytest.mark.parametrize(
    ("name", "wards"),
    [
        ("c16_cp850_i.csv", ["Cirugía", "Cardiología"]),
        ("c16_cp850_i.dbf", ["Cirugía", "Cardiología", "Pediatría"]),
        ("c17_utf8.dbf", ["Peñón"] * 4),
    ],
)
def test_letters_of_other_code_pages_are_right(name: str, wards: list[str], cases: Path) -> None:
    """CP850 in a text and in a dBASE file without a mark, UTF-8 in dBASE."""
    assert read(cases / name).frame["WARD"].to_list() == wards


def test_a_format_that_shows_a_comparator_is_read_as_shown(cases: Path) -> None:
    """0.5 below ``"<="0.0`` and 4 below ``">"0``."""
    frame = read(cases / "c22_number_format.xlsx").frame
    assert frame["CIP_NM"][5] == "<=0.5"
    assert frame["AMK_NM"][6] == ">4"


@pytest.mark.parametrize(
    ("name", "columns", "first"),
    [
        ("c15_microscan_es.csv", {"AMK_NM", "CIP_NM"}, "<=8"),
        ("c15_phoenix.csv", {"AMK_NM", "CIP_NM"}, "≤4"),
        ("c15_vitek.csv", {"AMK_NM", "SXT_NM"}, "<=2"),
        ("c15_sirscan.csv", {"AMK_NM", "CIP_NM"}, "0,5"),
        ("c15_ncbi_long.tsv", {"AMK_NM", "CIP_NM"}, "<=2"),
        ("largo.csv", {"AMK_NM", "CIP_NM", "MEM_NM"}, "<=2"),
        ("codigos.csv", {"AMK_NM", "CIP_NM", "TZP_NM"}, "8"),
        ("excel_cabeceras_raras.xlsx", {"AMK_NM", "CIP_NM", "CAZ_NM", "GEN_NM", "MEM_NM"}, "<=2"),
    ],
)
def test_exports_of_other_systems_are_read(name: str, columns: set[str], first: str, cases: Path) -> None:
    """Their columns, their organisms, and the first MIC where it stands."""
    file = read(cases / name)
    assert {column.name for column in file.mic_columns.values()} == columns
    header = next(header for header, column in file.mic_columns.items() if column.name == "AMK_NM")
    assert file.frame[header][0] == first
    assert all(resolve_many(file.frame[file.require_organism()].to_list()))


@pytest.mark.parametrize("name", ["excel_titulo.xlsx", "excel_es_nombres.xlsx"])
def test_a_spanish_table_is_read_with_all_its_antimicrobials(name: str, cases: Path) -> None:
    """Below a title, on the second sheet, ratios included."""
    file = read(cases / name)
    assert len(file.mic_columns) == 13
    assert file.frame.height == 4
    assert answers(file, "Eti_SXT_NM")[0] == "S"


@pytest.mark.parametrize("name", ["c14_sxt_sum.csv", "vitek_sxt.csv"])
def test_sums_of_both_agents_are_susceptible_up_to_40(name: str, cases: Path) -> None:
    """And resistant from 80 on."""
    file = read(cases / name)
    found = dict(zip(file.frame["SXT_NM"], answers(file, "Eti_SXT_NM"), strict=True))
    assert found == {text: "S" if text in ("<=20", "40") else "R" for text in found}


def test_a_column_of_two_scales_is_not_read(cases: Path) -> None:
    """Never R for 40, and reported."""
    file = read(cases / "off.csv")
    found = dict(zip(file.frame["SXT_NM"], answers(file, "Eti_SXT_NM"), strict=True))
    assert {found[text] for text in ("10", "20", "40", "80", "160", "320", "1.024", "2.048")} == {Category.NI}
    assert ProblemClass.SUM_REFUSED in {problem.problem_class for problem in file.problems}


def test_a_thousands_sign_is_no_susceptible_result(cases: Path) -> None:
    """NI and named by row."""
    file = read(cases / "c18_thousands.csv")
    assert answers(file, "Eti_FOS_NM") == ["NI", "NI", "R", "S"]
    assert file.problems[0].rows == (2, 3)


def test_the_visible_sheet_is_read(cases: Path) -> None:
    """Of a workbook with a hidden first one, and of one whose first holds settings."""
    for name in ("c10_hidden_sheet.xlsx", "c11_data_on_second_sheet.xlsx"):
        assert read(cases / name).frame["AMK_NM"].to_list() == ["<=2", "16"]


def test_a_web_page_is_named(cases: Path) -> None:
    """Whatever its suffix."""
    with pytest.raises(UnreadableFileError, match="HTML"):
        read(cases / "c13_html.xls")


def test_abbreviations_that_two_read_differently_are_not_read(cases: Path) -> None:
    """EPI, ECN and PSA wait for the mapping; the others are what WHONET says."""
    file = read(cases / "abr.csv")
    found = dict(zip(file.frame["ORGANISM"], answers(file, "Eti_GEN_NM"), strict=True))
    assert {found[text] for text in ("EPI", "ECN", "PSA")} == {"NI"}
    problem = next(problem for problem in file.problems if problem.problem_class is ProblemClass.ABBREVIATION)
    assert problem.count == 6
    assert file.row_numbers(np.array([0])).tolist() == [2]
    assert problem.rows[0] == 2


def test_a_date_that_excel_made_is_named(cases: Path) -> None:
    """8/4 became the eighth of April; no number is guessed from it."""
    file = read(cases / "excel_fechas.xlsx")
    dates = {problem.column: problem.rows for problem in file.problems if problem.problem_class is ProblemClass.DATE}
    assert dates == {"TZP_NM": (2,), "SXT_NM": (2,), "CIP_NM": (3,)}


def test_every_answer_is_one_of_the_tables(cases: Path) -> None:
    """A label beside an MIC is never taken for an answer: the MIC of the first agent decides."""
    file = read(cases / "c15_microscan_es.csv")
    table = compile_tables(load_edition("CLSI 2025"), {"AMK"})["AMK"]
    expected = ANSWERS[table.look_up(["kpn"], np.array([parse_mic("16").code], dtype=np.int16))[0, 0]]
    assert expected is not None
    assert answers(file, "Eti_AMK_NM")[1] == expected.category == Category.R
