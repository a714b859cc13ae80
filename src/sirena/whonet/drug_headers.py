"""Headers of other systems that name an antimicrobial: ``Amikacina CIM``, ``AN-Amikacin``, ``Amikacin call``, ``AMK``.

A header is cut into words; words of method, guideline and category are removed, and the rest must be the whole name of
one antimicrobial, or its WHONET code in capitals. Names are compared by their stem, so that Spanish, English,
Portuguese and French spellings of a name agree: amikacin, amikacina, amicacina, amikacine.
"""

import enum
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.test_column import parse_test_column
from sirena.whonet.fields import fold_header


class Content(enum.StrEnum):
    """What the cells below a header hold."""

    MIC = "MIC"
    GRADIENT = "gradient strip"
    ZONE = "zone"
    LABEL = "category"
    UNSAID = "unsaid"
    """The header names only the antimicrobial; the values show what the cells hold."""


@dataclass(frozen=True, slots=True)
class DrugHeader:
    """A header that names an antimicrobial."""

    drug: str
    """WHONET code."""
    content: Content
    guideline: str
    """WHONET's guideline letter; empty if the header names no guideline."""
    by_code: bool
    """True if the header holds a code, False if a name."""


_METHODS: Final = {
    Content.MIC: (
        "mic|cim|cmi|mhk|nm|ug ml|mcg ml|mg l|concentracion inhibitoria minima|minimum inhibitory concentration"
    ),
    Content.GRADIENT: "etest|e test|gradient|gradiente|tira|mts",
    Content.ZONE: "mm|zone|zona|halo|diametro|diameter|disk|disc|disco|disque|kb|kirby bauer|inhibition zone",
    Content.LABEL: (
        "interpretacion|interpretation|interpretacao|interp|int|sir|ris|rsi|call|categoria|category|categorie|"
        "expertized|expertised|instrument|sensibilidad|sensibilidade|susceptibility|resistance phenotype"
    ),
}
_CONTENT_OF: Final = {phrase: content for content, phrases in _METHODS.items() for phrase in phrases.split("|")}
_GUIDELINES: Final = {"clsi": "N", "nccls": "N", "eucast": "E"}
_IDLE: Final = frozenset({"resultado", "result", "valor", "value", "acid", "acido", "acide", "y", "and", "et", "e"})
LABEL_SUFFIX: Final = " category"
"""Follows the name of a test column in the header of its labels, if a long table is made wide."""
_PREFIX: Final = re.compile(r"(?P<code>[A-Za-z]{1,4}[0-9]{0,2})-(?P<rest>.+)")
"""VITEK's own code before the name: ``AN-Amikacin``."""

_OTHER_NAMES: Final = """
AMC|augmentine/augmentin/amox clav/amoxi clav/amoxicilina clavulanato/amoxicillin clavulanate
TZP|pip tazo/pipe tazo/piperacilina tazobactan/pip tazobactam
SXT|cotrimoxazol/trimeth sulfa/trimetoprim sulfa/tmp smx/tmp sxt/trimetoprim sulfametoxazol
SAM|amp sulbactam/ampicilina sulbactan/ampi sulbactam
PEN|penicilina/benzilpenicilina/penicilina g
RIF|rifampicina/rifampin
GEH|gentamicina sinergia/gentamicin synergy/gentamicina alto nivel/gentamicin high level/gent synergy
STH|estreptomicina sinergia/streptomycin synergy/estreptomicina alto nivel/streptomycin high level/strep synergy
CZT|ceftolozano tazobactan
FOS|fosfomicina trometamol/fosfomycin trometamol
NIT|nitrofurantoina/furantoina
CIP|cipro
LVX|levo
"""

_STEMMING: Final = (
    (re.compile(r"ph"), "f"),
    (re.compile(r"th"), "t"),
    (re.compile(r"k"), "c"),
    (re.compile(r"y"), "i"),
    (re.compile(r"(.)\1"), r"\1"),
    (re.compile(r"[aeo]$"), ""),
)


def stem(name: str) -> str:
    """Return the part that a drug's names in four languages share.

    >>> stem("Amikacin") == stem("Amicacina") == stem("amikacine")
    True
    """
    words = []
    for word in fold_header(name).split():
        if word in _IDLE:
            continue
        for pattern, letters in _STEMMING:
            word = pattern.sub(letters, word)
        words.append(word)
    return " ".join(words)


@cache
def _drugs_by_stem() -> dict[str, str]:
    stems = {
        stem(name): drug.code for drug in ANTIMICROBIALS.values() for name in (drug.english, drug.spanish) if stem(name)
    }
    for line in _OTHER_NAMES.strip().splitlines():
        code, names = line.split("|")
        if code in ANTIMICROBIALS:
            stems |= {stem(name): code for name in names.split("/") if stem(name) not in stems}
    return stems


@cache
def find_drug(text: str) -> str | None:
    """Return the WHONET code of the antimicrobial that a text gives by name, or by code in capitals; else None.

    >>> find_drug("Amikacina"), find_drug("Sala")
    ('AMK', None)
    """
    name = text.strip()
    if name in ANTIMICROBIALS:
        return name
    return _drugs_by_stem().get(stem(name))


@lru_cache(maxsize=4096)
def read_drug_header(header: str) -> DrugHeader | None:
    """Return what a header of another system means; None if the header names no antimicrobial.

    >>> read_drug_header("Amikacina CIM").drug
    'AMK'
    """
    plain = header.strip()
    test = parse_test_column(plain.removesuffix(LABEL_SUFFIX)) if plain.endswith(LABEL_SUFFIX) else None
    if test is not None:
        return DrugHeader(test.drug, Content.LABEL, test.guideline, by_code=True)
    match = _PREFIX.fullmatch(plain)
    drug_header = _drug_header_of(match["rest"]) if match is not None else None
    return drug_header or _drug_header_of(plain)


def is_method(text: str) -> bool:
    """Tell whether a text only says what a column's cells hold: ``CIM``, ``Int``, ``mm``.

    >>> is_method("CIM"), is_method("Sala")
    (True, False)
    """
    return fold_header(text) in _CONTENT_OF


def vitek_code(header: str) -> tuple[str, str] | None:
    """Return a header's VITEK code and the text after it, ``("AN", "Other-Expertized")``; None for other headers.

    >>> vitek_code("AN-Amikacin")
    ('AN', 'Amikacin')
    """
    match = _PREFIX.fullmatch(header.strip())
    return (match["code"].upper(), match["rest"]) if match is not None else None


def _drug_header_of(text: str) -> DrugHeader | None:
    words = fold_header(text).split()
    content, guideline, name_words = Content.UNSAID, "", []
    position = 0
    while position < len(words):
        for length in (3, 2, 1):
            phrase = " ".join(words[position : position + length])
            if phrase in _CONTENT_OF:
                content = _CONTENT_OF[phrase]
                break
            if phrase in _GUIDELINES:
                guideline = _GUIDELINES[phrase]
                break
        else:
            name_words.append(words[position])
            length = 1
        position += length
    if not name_words:
        return None
    name = " ".join(name_words)
    code = name.upper()
    if len(name_words) == 1 and code in ANTIMICROBIALS and re.search(rf"(?<![A-Za-z0-9]){code}(?![A-Za-z0-9])", text):
        return DrugHeader(code, content, guideline, by_code=True)
    drug = _drugs_by_stem().get(stem(name))
    return None if drug is None else DrugHeader(drug, content, guideline, by_code=False)
