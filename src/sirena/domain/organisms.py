"""Organisms: WHONET code, name and lineage, and how a laboratory's name for an organism is read.

The facts are in ``organisms.csv``, in this module's folder (one row per code; ``scripts/derive_organisms.py`` says
where they come from). A lineage lists the groups an organism belongs to,
most specific first. A breakpoint row is for one group, so the first group of the lineage that has a row decides.

Rules of reading a name, each with a test of like name:

- a code counts in any case: ``ECO`` is ``eco``; a retired code gives its successor;
- case, accents, punctuation and spaces do not matter, nor the markers ``sp. spp. ss. subsp. var. serovar``;
- ``ae``/``e`` and ``oe``/``e`` are one spelling (haemolyticus, hemolyticus);
- old names and synonyms are read: *Candida glabrata*, *Enterobacter aerogenes*;
- the genus may be shortened (``E. coli``, ``Staph. aureus``) when only one organism fits;
- a strain, serovar or subspecies the table lacks falls back to the species or genus written before it;
- a resistance mechanism after the name is separated (`phenotypes`); a vernacular name is read (`vernacular`);
- a name that fits two organisms, or none, is not read: nothing is guessed.
"""

import csv
import enum
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from .phenotypes import split_phenotypes
from .shipped_tables import open_table
from .vernacular import scientific


class Rank(enum.IntEnum):
    """How wide a group of organisms is; smaller is narrower. The narrowest group with a breakpoint row decides."""

    CODE = 0
    """One WHONET code alone: ``sc+`` is a coagulase-positive staphylococcus whose species was not determined."""
    SEROVAR = 1
    """A serovar, subspecies or variety, or a set of serovars."""
    SPECIES = 2
    SPECIES_GROUP = 3
    """Several species of one genus: a complex, coagulase-negative staphylococci, a Lancefield group."""
    GENUS = 4
    GENUS_GROUP = 5
    """Several genera for which guidelines state the same: HACEK, coryneform bacteria, non-fermenters."""
    FAMILY = 6
    ORDER = 7
    ANAEROBE_CLASS = 8
    """Anaerobes of one Gram reaction; after them, all anaerobes."""
    ANY = 9
    """Gram-positive or Gram-negative bacteria; after them, the kingdom: bacteria, fungi, viruses, parasites."""


@dataclass(frozen=True, slots=True)
class Organism:
    """One organism of the organism table."""

    code: str
    """WHONET code, lower case: ``eco``, ``ac-``."""
    name: str
    """Current name, or the name of the group the code stands for."""
    lineage: tuple[tuple[Rank, str], ...]
    """Groups the organism belongs to, most specific first; the first is its WHONET code alone."""

    @property
    def narrowest_group(self) -> tuple[Rank, str]:
        """The narrowest group that has a name: the species of ``eco``, the genus of ``sta``."""
        return self.lineage[1]

    def belongs_to(self, rank: Rank, group: str) -> bool:
        """Tell whether the organism is a member of a group."""
        return (rank, group) in self.lineage


_SEPARATOR: Final = "; "
_GRAM: Final = {"+": "Gram-positive", "-": "Gram-negative"}


@cache
def _rows() -> list[dict[str, str]]:
    with open_table("organisms.csv") as stream:
        reader = csv.reader(stream)
        header = next(reader)
        return [dict(zip(header, row, strict=True)) for row in reader]


def _lineage(row: dict[str, str]) -> Iterator[tuple[Rank, str]]:
    yield Rank.CODE, row["code"]
    for rank, column in (
        (Rank.SEROVAR, "subspecies"),
        (Rank.SPECIES, "species"),
        (Rank.SPECIES_GROUP, "species_groups"),
        (Rank.GENUS, "genus"),
        (Rank.GENUS_GROUP, "genus_groups"),
        (Rank.FAMILY, "family"),
        (Rank.ORDER, "order"),
    ):
        if row[column]:
            for group in row[column].split(_SEPARATOR):
                yield rank, group
    gram = _GRAM.get(row["gram"], "")
    if row["anaerobe"]:
        if gram:
            yield Rank.ANAEROBE_CLASS, f"{gram} anaerobes"
        yield Rank.ANAEROBE_CLASS, "anaerobes"
    if gram:
        yield Rank.ANY, f"{gram} bacteria"
    yield Rank.ANY, row["kingdom"]


ORGANISMS: Final[dict[str, Organism]] = {
    row["code"]: Organism(row["code"], row["name"], tuple(_lineage(row))) for row in _rows()
}
"""Every organism by its WHONET code, in order of code. Retired codes are included; `resolve` gives their successors."""


def resolve(text: str) -> str | None:
    """Return the code of the organism that a text names; None if it names no organism, or more than one.

    Args:
        text: a WHONET code or a name, as found in a file.

    >>> resolve("E. coli"), resolve("Estafilococo aureus"), resolve("Candida no albicans")
    ('eco', 'sau', 'cxa')
    """
    names = _names()
    lower_text = text.strip().lower()
    if lower_text in ORGANISMS:
        return names.successors.get(lower_text, lower_text)
    code = names.read(text)
    if code is None:
        bare, _ = split_phenotypes(text)
        name = scientific(bare)
        code = names.read(name) if name != text else None
    return code


def resolve_many(texts: Iterable[str | None]) -> list[str | None]:
    """Return the organism code for each distinct text of a column.

    Returns:
        For each text, as `TruthTable.look_up` takes it: the code; None if the cell is empty (a missing organism);
        ``""`` if the text names no organism of the table.

    >>> resolve_many(["eco", None, "nobody knows"])
    ['eco', None, '']
    """
    return [None if text is None or not text.strip() else resolve(text) or "" for text in texts]


_TESTED_KINGDOMS: Final = ("bacteria", "fungi")
"""Kingdoms that have MICs; a shortened genus is read among these only (``E. coli`` is not an *Entamoeba*)."""
_MARKERS: Final = frozenset(
    (
        "ss",
        "subsp",
        "ssp",
        "sp",
        "spp",
        "species",
        "especie",
        "var",
        "variety",
        "biovar",
        "ser",
        "serovar",
        "serotype",
        "sv",
        "pv",
    )
)
"""Words that say what kind of name follows; they are not part of the name."""
_SAME_WORD: Final = {
    "complejo": "complex",
    "cplx": "complex",
    "grupo": "complex",
    "group": "complex",
    "gp": "complex",
    "no": "not",
    "y": "and",
}
_TAIL_MARKERS: Final = (_MARKERS - {"sp", "spp", "species", "especie"}) | {
    *("serogroup", "str", "strain", "cepa", "isolate", "genotype", "biotype"),
}
"""Words after which an unknown name may be left out, because the name before the word is still true."""
_PHENOTYPES: Final = frozenset(
    (
        "esbl",
        "blee",
        "mrsa",
        "mssa",
        "sarm",
        "sasm",
        "vre",
        "evr",
        "vrsa",
        "mrse",
        "cre",
        "kpc",
        "ndm",
        "mbl",
        "ampc",
        "mdr",
    )
)
_STRAIN: Final = re.compile(r"(?=.*\d)\S+|[A-Z]{1,10}")


_WORD: Final = re.compile(r"[a-z0-9+]+")
_IN_BRACKETS: Final = re.compile(r"\s*\([^)]*\)")
_DIGRAPH: Final = re.compile(r"(?<=.)[ao]e")
"""``ae`` or ``oe`` inside a word; at its beginning it stays, or *Aeromonas* could not be shortened to ``A.``."""


def name_key(text: str) -> str:
    """Return a normalised form of a name, without differences in spelling, by which names are compared.

    >>> name_key("Salmonella enterica ser. Enteritidis") == name_key("salmonella enteritidis")
    True
    """
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = [word for word in _WORD.findall(letters) if word not in _MARKERS]
    words = [_DIGRAPH.sub("e", _SAME_WORD.get(word, word)) for word in words]
    if words[:1] == ["complex"]:
        words = [*words[1:], "complex"]
    if len(words) > 1 and words[1] == "enterica" and "salmonella".startswith(words[0]):
        words = ["salmonella", *(word for word in words[1:] if word != "enterica")]
    return " ".join(words)


class _Names:
    """The organisms of every spelling, by `name_key`; built on first use."""

    def __init__(self) -> None:
        self.successors: dict[str, str] = {}
        tiers: tuple[dict[str, set[str]], ...] = ({}, {}, {})
        for row in _rows():
            code = row["replaced_by"] or row["code"]
            if row["replaced_by"]:
                self.successors[row["code"]] = code
            synonyms = row["synonyms"].split(_SEPARATOR) if row["synonyms"] else []
            tiers[1 if row["replaced_by"] else 0].setdefault(name_key(row["name"]), set()).add(code)
            for synonym in synonyms:
                tiers[1].setdefault(name_key(synonym), set()).add(code)
            for name in (row["name"], *synonyms):
                bare = _IN_BRACKETS.sub("", name)
                tiers[2].setdefault(name_key(bare), set()).add(code)
        self.codes: dict[str, set[str]] = {}
        for tier in tiers:
            for key, codes in tier.items():
                self.codes.setdefault(key, codes)
        self.by_rest: dict[str, list[tuple[str, str]]] = {}
        for key, codes in self.codes.items():
            genus, _, rest = key.partition(" ")
            tested_codes = [(genus, code) for code in codes if ORGANISMS[code].lineage[-1][1] in _TESTED_KINGDOMS]
            if rest and tested_codes:
                self.by_rest.setdefault(rest, []).extend(tested_codes)

    def read(self, text: str) -> str | None:
        """Return the organism code of the longest beginning of a name that names an organism; None if there is none."""
        for head in _heads(text):
            code = self._exact(name_key(head))
            if code is not None:
                return code
        return None

    def _exact(self, key: str) -> str | None:
        codes = self.codes.get(key)
        if codes is None:
            start, _, rest = key.partition(" ")
            codes = {code for genus, code in self.by_rest.get(rest, ()) if genus.startswith(start)} if rest else set()
        return next(iter(codes)) if len(codes) == 1 else None


def _heads(text: str) -> Iterator[str]:
    """Yield the text, and then what is left of it without a strain, serovar or subspecies at its end."""
    yield text
    bare = re.sub(r"(?<=.)\([^)]*\)", "", text)
    if bare != text:
        yield bare
    words = text.split() if " " in text.strip() else text.replace("_", " ").split()
    shouted = text.upper() == text
    for cut in range(len(words) - 1, 0, -1):
        tail = words[cut:]
        word = tail[0].lower().strip(".,:;()[]")
        names_genus = words[cut - 1].lower() in ("sp", "sp.", "spp", "spp.")
        if cut == 1 and not names_genus:
            return
        if word in _TAIL_MARKERS or all(_is_strain(part, shouted) for part in tail):
            yield " ".join(words[:cut])


def _is_strain(word: str, shouted: bool) -> bool:
    if word.lower().strip("().,[]+-") in _PHENOTYPES:
        return True
    return bool(_STRAIN.fullmatch(word)) and (not shouted or any(letter.isdigit() for letter in word))


@cache
def _names() -> _Names:
    return _Names()
