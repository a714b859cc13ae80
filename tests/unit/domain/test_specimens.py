"""Specimens: every word of the table, laboratories' own ways of writing them, and what is not read."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.domain.site import KNOWN_SITES, Site
from sirena.domain.specimens import SPECIMEN_TERMS, SpecimenTerm, site_of_specimen, sites_of_specimens

CODES = [entry for entry in SPECIMEN_TERMS if entry.kind == "code"]
NAMES = [entry for entry in SPECIMEN_TERMS if entry.kind == "name"]
VAGUE = [entry for entry in SPECIMEN_TERMS if entry.kind == "vague"]
LONGER_NAMES = " ".join(entry.term for entry in NAMES if " " in entry.term)
PLAIN_DETAILS = [
    entry.term
    for entry in SPECIMEN_TERMS
    if entry.kind == "detail" and len(entry.term) > 2 and entry.term[:6] not in LONGER_NAMES
]
ONE_WORD_NAMES = [entry for entry in NAMES if " " not in entry.term]

WRITTEN = {
    Site.CEREBROSPINAL_FLUID: (
        "sf",
        "LCR",
        "L.C.R.",
        "csf",
        "Líquido cefalorraquídeo",
        "líquido céfalo-raquídeo",
        "Líquor",
        "LCR (derivación)",
        "LCR (drenaje ventricular externo)",
        "Punción lumbar",
        "Cerebrospinal fluid (CSF)",
        "CSF;SPINAL FLUID",
        "su",
    ),
    Site.URINE: (
        *("ur", "uc", "uk", "ua", "ub", "uo", "uu", "uz", "cv", "fv", "UR"),
        "Orina",
        "Orina (sonda)",
        "ORINA MICCIÓN MEDIA",
        "Orina por catéter",
        "orina 24h",
        "Urocultivo",
        "sondaje",
        "Punción suprapúbica",
        "Urina, jato médio",
        "Urine, catheterized",
        "Mid-stream urine",
        "URINE,SUPRAPUBIC ASPIRATE",
        "MSU",
    ),
    Site.BLOOD: (
        "bl",
        "Hemocultivo",
        "Hemocultivo 1",
        "HEMOCULTIVOS",
        "Hemocultivo (catéter venoso central)",
        "hemocultura",
        "sangre",
        "sangre de cordón",
        "Sangre de cordón umbilical",
        "Blood culture - peripheral",
        "Sangue",
        "BLD",
    ),
    Site.RESPIRATORY: (
        *("sp", "ta", "tr", "ba", "mb", "lu", "rl"),
        "Esputo",
        "esputo inducido",
        "BAS",
        "BAL",
        "Lavado bronco-alveolar",
        "Aspirado traqueal",
        "secreción bronquial",
        "Secreciones respiratorias",
        "biopsia pulmonar",
        "Escarro",
        "LOWRESP",
        "Lower respiratory tract",
    ),
    Site.STOOL: (
        *("st", "re", "mc", "cd"),
        "Heces",
        "heces (diarreicas)",
        "coprocultivo",
        "Fezes",
        "Frotis rectal",
        "swab retal",
        "sangre oculta en heces",
        "Stool",
    ),
    Site.OTHER: (
        *("wd", "pf", "bi", "ue", "ut", "um", "us", "ul", "th", "ca", "hv", "ot"),
        "líquido pleural",
        "Líquido ascítico",
        "catéter",
        "Punta de catéter",
        "ponta de cateter",
        "urethral",
        "Exudado uretral",
        "semen",
        "Exudado vagino-rectal",
        "Absceso renal",
        "Exudado herida quirúrgica",
        "frotis nasal MRSA",
        "Upper respiratory tract",
        "médula ósea",
        "Otros",
    ),
    Site.UNKNOWN: (
        *("un", "at", "fl", "is", "qc"),
        "aspirado",
        "Líquido",
        "Desconocido",
        "No consta",
        "sin especificar",
        "N/A",
        "-",
        "  ",
        "",
    ),
}
"""As laboratories write them."""

NOT_READ = (
    *("Peñón", "xyz", "sonda", "cultivo", "válvula", "2", "123"),
    *("LCR / orina", "orina y sangre", "urine xyz", "punta de sonda urinaria"),
)


@pytest.mark.parametrize("site", WRITTEN)
def test_a_laboratorys_word_names_its_site(site: Site) -> None:
    """The traps of each class are among them: pleural fluid, a catheter's tip, cord blood, occult blood."""
    assert {text: site_of_specimen(text) for text in WRITTEN[site]} == dict.fromkeys(WRITTEN[site], site)


@pytest.mark.parametrize("text", NOT_READ)
def test_a_text_that_is_unknown_or_contradicts_itself_is_not_read(text: str) -> None:
    """None is no site: the caller reports the text."""
    assert site_of_specimen(text) is None


def test_an_empty_cell_says_nothing_of_the_site() -> None:
    """A file without specimens asks as it always did."""
    sites = sites_of_specimens([None, " ", "bl", "qwerty"])

    assert sites == [Site.UNKNOWN, Site.UNKNOWN, Site.BLOOD, None]


@pytest.mark.parametrize("entries", [CODES, NAMES, VAGUE], ids=["codes", "names", "vague"])
def test_every_word_of_the_table_is_read_as_the_table_says(entries: list[SpecimenTerm]) -> None:
    """No row is hidden by another one; a word that is is named."""
    hidden = {entry.term: entry.site for entry in entries if site_of_specimen(entry.term) is not entry.site}
    assert hidden == {}


def test_all_186_codes_of_whonets_list_are_read() -> None:
    """Each has WHONET's name beside it; every class but the unknown has several."""
    listed = [entry for entry in CODES if entry.meaning]

    assert len(listed) == 186
    assert all(len(entry.term) == 2 for entry in listed)
    assert {entry.site for entry in listed} == set(Site)
    assert {"ur", "ub", "uc", "cv", "fv", "uk", "uo", "uz", "ua", "uu"} == {
        entry.term for entry in listed if entry.site is Site.URINE
    }


def test_a_detail_has_no_site_and_all_else_has_one() -> None:
    """Only a known site or `unknown` may stand in the table."""
    for entry in SPECIMEN_TERMS:
        assert (entry.site is None) == (entry.kind == "detail"), entry
        assert entry.kind in ("code", "name", "vague", "detail")
        assert entry.site is None or entry.site in (*KNOWN_SITES, Site.UNKNOWN)


@given(entry=st.sampled_from(NAMES), seed=st.integers(0, 999), gap=st.sampled_from([" ", ", ", " - ", "/", " ("]))
def test_case_punctuation_and_the_order_of_words_do_not_matter(entry: SpecimenTerm, seed: int, gap: str) -> None:
    """Nor does a number at the end."""
    shuffled = entry.term.split()
    random.Random(seed).shuffle(shuffled)
    written = gap.join("".join(letter.upper() if seed % 3 else letter for letter in word) for word in shuffled)

    assert site_of_specimen(written) is entry.site
    assert site_of_specimen(f" {written} {seed}.") is entry.site


@given(entry=st.sampled_from(ONE_WORD_NAMES), detail=st.sampled_from(PLAIN_DETAILS))
def test_a_detail_beside_a_name_changes_nothing(entry: SpecimenTerm, detail: str) -> None:
    """Details that are also part of a longer name are left out: ``oculta`` makes blood stool."""
    assert site_of_specimen(f"{entry.term} {detail}") is entry.site


@given(detail=st.sampled_from(PLAIN_DETAILS))
def test_details_alone_name_no_specimen(detail: str) -> None:
    """A catheter may have given urine, or be the specimen itself."""
    assert site_of_specimen(detail) is None


@given(
    entry=st.sampled_from(ONE_WORD_NAMES),
    word=st.text(string.ascii_lowercase, min_size=3).map(lambda text: f"q{text}q"),
)
def test_an_unknown_word_is_never_passed_over(entry: SpecimenTerm, word: str) -> None:
    """What it might mean is for a person to say."""
    assert site_of_specimen(f"{entry.term} {word}") is None
    assert site_of_specimen(word) is None


@given(text=st.text())
def test_any_text_gets_a_site_or_none(text: str) -> None:
    """No text raises, and the answer does not depend on what was asked before."""
    first = site_of_specimen(text)

    assert first is None or first in Site
    assert first is site_of_specimen(text)
