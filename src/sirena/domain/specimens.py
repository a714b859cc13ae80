"""Specimens: which site of infection (body site) a laboratory's word for a specimen stands for.

The words are in ``specimens.csv``, in this module's folder. Where they come from:

- two-letter codes with a ``meaning`` are WHONET's specimen types for humans (`SPEC_TYPE`), after the list that the
  DHIS2 metadata package of "One Health AMR" took over from WHONET (github.com/eSHIFT-HISPGeneva/OneHealth-AMR, README
  of ``metadata/open_interop``). WHONET's numeric `SPEC_CODE` is in no list we could read, so a number is not read;
- longer codes are of HL7 v2 table 0487 (``BLD``, ``STL``, ``SPT``) or abbreviations of laboratories (``BAS``);
- words are those of GLASS and of Spanish, Portuguese and English laboratories, written down by us.

A word has one of four kinds:

- ``code``: counts only when it is the whole text, and then before everything else (``CO`` is conjunctiva);
- ``name``: names the specimen, in one word or several (``orina``; ``aspirado traqueal``), in any order;
- ``vague``: decides only if the text has no ``name`` (``catéter`` is a tip, ``orina por catéter`` is urine);
- ``detail``: says how or where the specimen was taken and changes nothing (``sonda``, ``periférico``, ``izquierdo``).

Rules of reading, each with a test of like name:

- case, accents, punctuation, digits, plural and gender, and the order of words do not matter;
- an empty text, or one without a letter or digit, says nothing: `Site.UNKNOWN`; so do words such as ``desconocido`` and
  ``aspirado`` alone;
- a name of several words takes precedence over the names within it (``sangre oculta en heces``);
- a text with a word that is not in the table is not read, nor one whose names contradict each other: the answer is
  None, and the caller reports it;
- details alone name no specimen (``sonda`` may be urine or a tip): None.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from .shipped_tables import open_table
from .site import Site

SPECIMEN_COLUMN: Final = "SPEC_TYPE"
"""WHONET's field of the specimen, as it heads a column."""


@dataclass(frozen=True, slots=True)
class SpecimenTerm:
    """One word of the table of specimens."""

    term: str
    """Lower case, without accents; several words are separated by spaces."""
    kind: str
    """How the word counts: ``code``, ``name``, ``vague`` or ``detail``."""
    site: Site | None
    """The body site that the word stands for; None for a detail."""
    meaning: str
    """WHONET's own name of a code; empty for every other kind."""


def _read_table() -> tuple[SpecimenTerm, ...]:
    with open_table("specimens.csv") as stream:
        return tuple(
            SpecimenTerm(row["term"], row["kind"], Site(row["site"]) if row["site"] else None, row["meaning"])
            for row in csv.DictReader(stream)
        )


SPECIMEN_TERMS: Final = _read_table()
"""Every word that is read; codes come first."""

_DOTTED: Final = re.compile(r"\b([a-z])\.(?=[a-z]\b)")
"""Matches the points of ``L.C.R.``"""
_LONG: Final = 6
"""A word of this many letters or more is compared without its last vowel: ``periférico``, ``periférica``."""


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _DOTTED.sub(r"\1", letters)


def _words(plain: str) -> frozenset[str]:
    """Return a text's words without their endings, leaving out digits and single letters."""
    return frozenset(_stem(word) for word in re.findall(r"[a-z]+", plain) if len(word) > 1)


def _stem(word: str) -> str:
    if len(word) >= _LONG - 1:
        word = word.removesuffix("s")
    return word[:-1] if len(word) >= _LONG and word[-1] in "aeo" else word


_CODES: Final = {entry.term: entry.site for entry in SPECIMEN_TERMS if entry.kind == "code"}
_PHRASES: Final = {words: entry for entry in SPECIMEN_TERMS if entry.kind != "code" if (words := _words(entry.term))}
_PHRASES_BY_WORD: Final[dict[str, list[frozenset[str]]]] = {}
for _phrase in _PHRASES:
    # each phrase under one of its words: it can only occur in a text that has this word
    _PHRASES_BY_WORD.setdefault(min(_phrase), []).append(_phrase)


def site_of_specimen(text: str | None) -> Site | None:
    """Return the site of infection (body site) that a specimen stands for.

    Args:
        text: a WHONET code or the laboratory's own words, as found in a file; None for an empty cell.

    Returns:
        The body site; `Site.UNKNOWN` if the text is empty or says that nothing is known; None if the text cannot be
        read: the caller must report this.

    >>> site_of_specimen("Orina (sonda)")
    <Site.URINE: 'urine'>
    >>> site_of_specimen("líquido pleural")
    <Site.OTHER: 'other'>
    >>> site_of_specimen("LCR / orina") is None
    True
    """
    return Site.UNKNOWN if text is None else _site_of_text(text)


def sites_of_specimens(texts: Iterable[str | None]) -> list[Site | None]:
    """Return the body site for each distinct text of a column, as `site_of_specimen` reads it.

    >>> [site and site.value for site in sites_of_specimens(["ur", "Hemocultivo", "qwerty"])]
    ['urine', 'blood', None]
    """
    return [site_of_specimen(text) for text in texts]


@lru_cache(maxsize=4096)
def _site_of_text(text: str) -> Site | None:
    plain = _plain(text)
    code = re.sub(r"[^a-z0-9 ]", "", plain).strip()
    if code in _CODES:
        return _CODES[code]
    words = _words(plain)
    if not words:
        return None if any(character.isalnum() for character in text) else Site.UNKNOWN
    phrases = {phrase for word in words for phrase in _PHRASES_BY_WORD.get(word, ()) if phrase <= words}
    if words != frozenset().union(*phrases):
        return None
    names = {phrase for phrase in phrases if _PHRASES[phrase].kind == "name"}
    widest = {_PHRASES[phrase].site for phrase in names if not any(phrase < other_phrase for other_phrase in names)}
    if widest:
        return widest.pop() if len(widest) == 1 else None
    vague_sites = {_PHRASES[phrase].site for phrase in phrases if _PHRASES[phrase].kind == "vague"}
    if len(vague_sites) > 1:
        vague_sites.discard(Site.UNKNOWN)
    return vague_sites.pop() if len(vague_sites) == 1 else None
