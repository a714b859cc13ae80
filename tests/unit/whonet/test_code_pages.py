"""Letters of Spanish texts in any code page: decided by the language of the whole file, and doubt is told."""

from pathlib import Path

import pytest

from sirena.whonet.encoding import likelier_code_page
from sirena.whonet.problems import ProblemClass
from sirena.whonet.reading import read_file

WORDS = ["Cirugía", "Peñón", "ÑANDÚ", "Médico", "CARDIOLOGÍA", "¿qué?", "1ª planta", "pingüino", "Núñez", "Íñigo"]


@pytest.mark.parametrize("page", ["cp1252", "cp850"])
@pytest.mark.parametrize("word", WORDS)
def test_one_word_is_enough(word: str, page: str) -> None:
    """Each letter is judged with its neighbours."""
    assert word.encode(page).decode(likelier_code_page(word.encode(page)).name) == word


def test_the_small_letters_of_cp437_are_read(tmp_path: Path) -> None:
    """They stand where cp850 has them."""
    (tmp_path / "a.csv").write_bytes("ORGANISM,AMK_NM,WARD\neco,4,Cirugía\n".encode("cp437"))
    assert read_file(tmp_path / "a.csv").frame["WARD"][0] == "Cirugía"


def test_letters_that_no_single_page_explains_are_told(tmp_path: Path) -> None:
    """Two laboratories' texts joined in one file; the isolates are read all the same."""
    (tmp_path / "a.csv").write_bytes(b"ORGANISM,AMK_NM,WARD\neco,4,Cirug\xa1a\neco,4,M\xe9dico\n")
    file = read_file(tmp_path / "a.csv")
    assert [(problem.problem_class, problem.count) for problem in file.problems] == [(ProblemClass.CODE_PAGE, 1)]


def test_utf_8_in_dbase_is_read(shared_data: Path) -> None:
    """No header of dBASE can say it, and some programs write it."""
    file = read_file(shared_data / "cases" / "c17_utf8.dbf")
    assert file.frame["WARD"].unique().to_list() == ["Peñón"]
    assert "utf-8 by the letters of the whole file" in file.table.detail


def test_a_declared_page_gives_way_only_to_clear_letters() -> None:
    """A header may be wrong; a single odd letter is not enough to say so."""
    text = "Cirugía Peñón Médico".encode("cp1252")
    assert likelier_code_page(text, "cp850").name == "cp1252"
    assert likelier_code_page("Cirugía".encode("cp1252"), "cp850").name == "cp850"


def test_dos_letters_in_dbase_are_read(shared_data: Path) -> None:
    """Without a language driver in the header."""
    file = read_file(shared_data / "cases" / "c16_cp850_i.dbf")
    assert file.frame["WARD"].to_list() == ["Cirugía", "Cardiología", "Pediatría"]
