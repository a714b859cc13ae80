"""Tables with one row per drug."""

from pathlib import Path

import numpy as np
import pytest

from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.file import WhonetFile
from sirena.whonet.problems import ProblemClass
from sirena.whonet.reading import read_file


def table(path: Path, text: str) -> WhonetFile:
    """Read a text with semicolons."""
    (path / "a.csv").write_text(text, encoding="utf-8")
    return read_file(path / "a.csv")


HEADER = "Muestra;Microorganismo;Antibiótico;CMI;Interpretación\n"


def test_rows_of_one_isolate_become_one(tmp_path: Path) -> None:
    """In the order of first rows, which number them."""
    rows = "1;eco;Amikacina;<=2;S\n2;kpn;Meropenem;>=16;R\n1;eco;Ciprofloxacino;0,25;S\n"
    file = table(tmp_path, HEADER + rows)
    assert file.frame.select("Muestra", "AMK MIC", "CIP MIC", "MEM MIC", "AMK category").rows() == [
        ("1", "<=2", "0,25", None, "S"),
        ("2", None, None, ">=16", None),
    ]
    assert {header: column.name for header, column in file.mic_columns.items()} == {
        "AMK MIC": "AMK_NM", "CIP MIC": "CIP_NM", "MEM MIC": "MEM_NM",
    }  # fmt: skip
    assert file.label_columns["MEM MIC"] == "MEM category"
    assert file.row_numbers(np.array([0, 1])).tolist() == [2, 3]


def test_a_sign_of_its_own_belongs_to_the_figure(shared_data: Path) -> None:
    """NCBI's table, with its standard."""
    file = read_file(shared_data / "cases" / "c15_ncbi_long.tsv")
    assert file.frame["AMK_NM"].to_list() == ["<=2"]
    assert file.frame["CIP_NM"].to_list() == [">4"]
    assert file.organism_column == "Scientific name"


def test_lines_of_ears_net_are_read(tmp_path: Path) -> None:
    """By the names of its protocol: sign, figure and category apart."""
    text = "IsolateId;Pathogen;Antibiotic;SIR;ResultMICSign;ResultMICValue\n"
    rows = "A;ESCCOL;AMK;S;<=;2\nA;ESCCOL;CIP;R;>;4\nB;KLEPNE;AMK;R;;64\n"
    file = table(tmp_path, text + rows)
    assert file.frame.select("AMK MIC", "CIP MIC", "AMK category").rows() == [("<=2", ">4", "S"), ("64", None, "R")]


def test_methods_are_kept_apart(tmp_path: Path) -> None:
    """A zone of the same drug is no MIC."""
    text = "BioSample;Organism;Antibiotic;Measurement;Measurement unit;Laboratory typing method;Testing standard\n"
    rows = "A;eco;amikacin;4;mg/L;MIC;EUCAST\nA;eco;amikacin;22;mm;disk diffusion;EUCAST\n"
    rows += "A;eco;vancomycin;1;mg/L;Etest;CLSI\n"
    file = table(tmp_path, text + rows)
    assert set(file.test_columns) == {"AMK_EM", "AMK_ED", "VAN_NE"}
    assert set(file.mic_columns) == {"AMK_EM", "VAN_NE"}


def test_different_results_of_one_test_are_not_read(tmp_path: Path) -> None:
    """And equal ones are one."""
    file = table(
        tmp_path, HEADER + "1;eco;Amikacina;2;S\n1;eco;Amikacina;64;R\n2;kpn;Amikacina;4;S\n2;kpn;Amikacina;4;S\n"
    )
    assert file.frame["AMK MIC"].to_list() == ["2 | 64", "4"]
    assert [problem.problem_class for problem in file.problems] == [ProblemClass.SEVERAL]


def test_rows_that_nothing_identifies_stay_alone(tmp_path: Path) -> None:
    """Two isolates of one species are not joined."""
    file = table(tmp_path, "Microorganismo;Antibiótico;CMI\neco;Amikacina;2\neco;Amikacina;2\n")
    assert file.frame.height == 2


def test_an_unknown_antimicrobial_keeps_its_column(tmp_path: Path) -> None:
    """Under its own name, and it is no test."""
    file = table(tmp_path, HEADER + "1;eco;Panacea;2;S\n1;eco;Amikacina;4;S\n")
    assert file.frame["Panacea"].to_list() == ["2"]
    assert list(file.mic_columns) == ["AMK MIC"]


def test_categories_alone_are_refused(tmp_path: Path) -> None:
    """Sirena answers from MICs."""
    with pytest.raises(UnreadableFileError, match="without MICs"):
        table(tmp_path, "Muestra;Microorganismo;Antibiótico;Interpretación\n1;eco;Amikacina;S\n")
