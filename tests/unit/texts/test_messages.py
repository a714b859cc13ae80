"""Recognising a text by its template."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirena.texts.language import spoken_language
from sirena.texts.messages import translate


def _spanish(text: str) -> str:
    return translate(text, "es").text


def test_the_template_with_most_letters_is_meant() -> None:
    """And English asks for no template."""
    ragged = "a: b.csv: row 7 has 3 cells where the header has 5, and 2 more rows like it"
    assert _spanish(ragged) == "a: b.csv: la fila 7 tiene 3 celdas y la cabecera 5; hay 2 filas más así"
    assert translate(ragged, "en").text == ragged


def test_what_fits_no_template_stays_english() -> None:
    """Whole, no half of it translated."""
    assert translate("100 % unforeseen", "es") == translate("100 % unforeseen", "en")


def test_a_value_that_is_a_sentence_is_translated_too() -> None:
    """A name stays, whatever it holds."""
    assert _spanish("the upgrade failed, everything is down: no release is active") == (
        "la actualización falló y todo está parado: no hay ninguna publicación activa"
    )
    assert _spanish("my file of yesterday.csv: is a folder") == "my file of yesterday.csv: es una carpeta"


def test_signs_in_numbers_are_those_of_spanish() -> None:
    """Thousands with a point, shares with a comma; an MIC stays as the laboratory wrote it."""
    assert _spanish("  20,000 isolates, 2 MIC columns, 39,000 results  S 1  NI 38,999") == (
        "  20.000 aislamientos, 2 columnas de CIM, 39.000 resultados  S 1  NI 38.999"
    )
    assert _spanish("4,570") == "4.570"
    unclear = "left out, because it is not clear what they hold: 1,2,3; a --mapping file can say it"
    assert _spanish(unclear).count("1,2,3") == 1
    assert "(97,25 %)" in _spanish("the edition states a category for 1,234; agreeing 1,200 (97.25%)")


def test_the_name_of_a_file_and_a_small_mic_keep_their_commas() -> None:
    """Somebody looks for them."""
    assert _spanish("datos 1,234.csv: the file is empty") == "datos 1,234.csv: el archivo está vacío"
    assert _spanish("0,125: the file is empty") == "0,125: el archivo está vacío"


def test_a_template_of_few_letters_is_meant_for_words_alone() -> None:
    """Else any sentence with "of" in it would fit one."""
    assert _spanish("one of file, reference, both") == "uno de file, reference, both"
    assert _spanish("one of the two extractions has gaps") == "one of the two extractions has gaps"
    assert _spanish("doubt: one of the two extractions has gaps") == "duda: one of the two extractions has gaps"


def test_lines_and_parts_are_translated_each_for_itself() -> None:
    """As refusals of several models stand together."""
    assert _spanish("no release is active\nunknown words") == "no hay ninguna publicación activa\nunknown words"
    assert _spanish("named by the header; guideline by the mapping") == (
        "lo nombra la cabecera; guía según el archivo de correspondencias"
    )


def test_one_is_singular() -> None:
    """By the first number in the text."""
    assert _spanish("panel_SIR/3: 1 models") == "panel_SIR/3: 1 modelo"
    assert _spanish("panel_SIR/3: 41 models") == "panel_SIR/3: 41 modelos"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "es_ES.UTF-8"}, "es"),
        ({"LANG": "es"}, "es"),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "es_AR.UTF-8"}, "es"),
        ({"LANG": "es_MX.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "es_MX.UTF-8", "LC_ALL": "C", "LANGUAGE": "es"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "ca:es:en"}, "es"),
        ({"LANG": "es_ES.UTF-8", "LANGUAGE": "en"}, "en"),
        ({"LANGUAGE": "es"}, "en"),
    ],
)
def test_the_language_is_the_one_gettext_would_choose(environment: dict[str, str], language: str) -> None:
    """Of those that Sirena speaks."""
    assert spoken_language(environment) == language


@settings(max_examples=25)
@given(st.text(st.sampled_from("ab1,;:%() \n'")) | st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    """A text of a person's or a file's comes back, unless it is one of ours."""
    assert translate(text, "es").text or not text
