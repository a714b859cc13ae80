"""The truth table: every answer that one antimicrobial's model, or one guideline edition, can give.

A model's input is (organism, MIC, site). Organisms are a vocabulary, an MIC is one of 84 codes (28 dilutions, exact or
censored on either side) and a site is one of seven, so the whole behaviour is a small table. The reference
interpreter compiles guidelines into such tables, a trained network is compiled into one, the certificate compares
two of them, and the panel answers by looking up in them.

A row is found by its key. The key ``spn`` answers for the organism at every site that has no key of its own;
``spn@csf`` answers for cerebrospinal fluid alone. An organism that has keys for single sites only is refused at all
others with `Reason.OTHER_SITE`. A site that changes nothing needs no row.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .category import Category, Reason
from .ground import Ground
from .mic import CODES, DILUTIONS, IMPOSSIBLE, MISSING, UNREADABLE
from .site import Site


@dataclass(frozen=True, slots=True)
class Answer:
    """A category, with the reason if it is NI."""

    category: Category
    reason: Reason | None = None


ANSWERS: Final[tuple[Answer | None, ...]] = (
    None,
    *(Answer(category) for category in Category if category is not Category.NI),
    *(Answer(Category.NI, reason) for reason in Reason),
)
"""Every possible answer; a table's cells are positions in it. Position 0, None, stands for an empty MIC."""

_LETTERS: Final = ".SDIRNWw-uovcxzmdinabs"
ANSWER_CODES: Final[dict[Answer | None, int]] = {answer: code for code, answer in enumerate(ANSWERS)}
_NO_LETTER: Final = 255
_CODE_OF_LETTER: Final = np.full(256, _NO_LETTER, dtype=np.uint8)
_CODE_OF_LETTER[[ord(letter) for letter in _LETTERS]] = range(len(_LETTERS))
_LETTER_OF_CODE: Final = _LETTERS.encode().ljust(256, b"\xff")
NOT_ASKED: Final = 0


def answer_code(category: Category, reason: Reason | None = None) -> int:
    """Return the value of an answer in a table's cells.

    >>> ANSWERS[answer_code(Category.S)]
    Answer(category=<Category.S: 'S'>, reason=None)
    """
    return ANSWER_CODES[Answer(category, reason)]


_REFUSAL: Final = {
    MISSING: NOT_ASKED,
    UNREADABLE: answer_code(Category.NI, Reason.UNREADABLE_MIC),
    IMPOSSIBLE: answer_code(Category.NI, Reason.IMPOSSIBLE_MIC),
}


_AT: Final = "@"
"""Separates organism and site in a key; no WHONET code contains it."""


def key_of(organism: str, site: Site | None = None) -> str:
    """Return the key of an organism's row for one site, or (None) for all sites without a key of their own.

    >>> key_of("spn"), key_of("spn", Site.CEREBROSPINAL_FLUID)
    ('spn', 'spn@csf')
    """
    return organism if site is None else f"{organism}{_AT}{site.value}"


def split_key(key: str) -> tuple[str, Site | None]:
    """Return a key's organism and site; the site is None if the row is for all sites without a key of their own.

    Raises:
        ValueError: the key names an unknown site.

    >>> split_key("spn@csf"), split_key("eco")
    (('spn', <Site.CEREBROSPINAL_FLUID: 'csf'>), ('eco', None))
    """
    organism, at, site = key.partition(_AT)
    return organism, Site(site) if at else None


@dataclass(frozen=True)
class TruthTable:
    """The answers for every organism of a vocabulary, every MIC and every site."""

    column: str
    """Test column that the table answers, ``AMK_NM``."""
    keys: tuple[str, ...]
    """Key of each row of `cells`: an organism code, with a site if the row is for that site alone (see `key_of`)."""
    cells: NDArray[np.uint8]
    """Shape (keys, CODES): positions in `ANSWERS`. Axis 1 is `Mic.code`."""
    grounds: tuple[Ground, ...] = field(default=())
    """The ground of each row, one per key; may be empty."""
    absent: Reason = Reason.NOT_IN_VOCABULARY
    """The reason given for an organism that is not in the vocabulary."""

    def __post_init__(self) -> None:
        if self.cells.shape != (len(self.keys), CODES):
            raise ValueError(f"{self.column}: cells of shape {self.cells.shape} for {len(self.keys)} keys")
        if self.grounds and len(self.grounds) != len(self.keys):
            raise ValueError(f"{self.column}: {len(self.grounds)} grounds for {len(self.keys)} keys")

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Number of the row of each key."""
        return {key: row for row, key in enumerate(self.keys)}

    @cached_property
    def organisms(self) -> tuple[str, ...]:
        """The vocabulary: every organism that has a row for some site, in order of appearance."""
        return tuple(dict.fromkeys(key.partition(_AT)[0] for key in self.keys))

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """The vocabulary as a set."""
        return frozenset(self.organisms)

    @cached_property
    def own_sites(self) -> frozenset[Site]:
        """Sites for which some organism has a row of its own; all other sites have the same answers."""
        return frozenset(site for key in self.keys if _AT in key and (site := split_key(key)[1]) is not None)

    def sites_of(self, organism: str) -> tuple[Site, ...]:
        """Return the sites for which an organism has a row of its own."""
        return tuple(site for site in Site if key_of(organism, site) in self.row_of)

    def row(self, organism: str, site: Site) -> int | None:
        """Return the number of the row that answers for an organism at a site, or None if there is none."""
        row = self.row_of.get(f"{organism}{_AT}{site.value}")
        return self.row_of.get(organism) if row is None else row

    def ground(self, organism: str | None, site: Site) -> Ground | None:
        """Return the ground of the answers for an organism at a site, or None if no row answers."""
        row = self.row(organism, site) if organism and self.grounds else None
        return None if row is None else self.grounds[row]

    def refusal(self, organism: str | None) -> Reason:
        """Return the reason why an organism has no answer at the site asked for.

        Args:
            organism: organism code; None is a missing organism, "" one that `resolve` could not read.
        """
        if organism is None:
            return Reason.MISSING_ORGANISM
        if not organism:
            return Reason.UNKNOWN_ORGANISM
        return Reason.OTHER_SITE if organism in self.vocabulary else self.absent

    def look_up(
        self, organisms: Iterable[str | None], mic_codes: NDArray[np.int16], site: Site = Site.UNKNOWN
    ) -> NDArray[np.uint8]:
        """Return the answers for each of the given organisms with each of the given MICs, at one site.

        Args:
            organisms: organism codes; None is a missing organism, "" one that `resolve` could not read.
            mic_codes: from `encode_mics`.
            site: the site of infection.

        Returns:
            uint8 array (organisms, mics) of positions in `ANSWERS`.
        """
        names = list(organisms)
        answers = np.empty((len(names), len(mic_codes)), dtype=np.uint8)
        readable = mic_codes >= 0
        columns = np.where(readable, mic_codes, 0)
        for position, name in enumerate(names):
            row = self.row(name, site) if name else None
            if row is not None:
                answers[position] = self.cells[row][columns]
            else:
                answers[position] = answer_code(Category.NI, self.refusal(name))
        for code, refusal in _REFUSAL.items():
            answers[:, mic_codes == code] = refusal
        return answers

    def to_json(self) -> dict[str, Any]:
        """Return a JSON form that a person can read: per key three strings with one letter for each dilution."""
        letters = self.cells.tobytes().translate(_LETTER_OF_CODE).decode("ascii")
        distinct = list(dict.fromkeys(self.grounds))
        position = {ground: number for number, ground in enumerate(distinct)}
        return {
            "column": self.column,
            "absent": self.absent.value,
            "letters": {_LETTERS[code]: _describe(answer) for code, answer in enumerate(ANSWERS)},
            "organisms": {
                key: [letters[start : start + DILUTIONS] for start in range(row * CODES, (row + 1) * CODES, DILUTIONS)]
                for row, key in enumerate(self.keys)
            },
            "grounds": [ground.to_json() for ground in distinct],
            "ground_of": dict(zip(self.keys, map(position.__getitem__, self.grounds), strict=False)),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "TruthTable":
        """Return the table that `to_json` wrote.

        Raises:
            ValueError: the document was not written by `to_json`.
        """
        rows = document["organisms"]
        texts = ["".join(parts) for parts in rows.values()]
        # all rows at once: a release holds a million letters, and every start of the service reads them
        cells = _CODE_OF_LETTER[np.frombuffer("".join(texts).encode("ascii", "replace"), dtype=np.uint8)]
        if any(len(text) != CODES for text in texts) or (cells == _NO_LETTER).any():
            raise ValueError(f"{document['column']}: a row does not hold {CODES} letters of {_LETTERS}")
        distinct = [Ground.from_json(ground) for ground in document["grounds"]]
        ground_of = document["ground_of"]
        return cls(
            column=document["column"],
            # a release names the same organisms in each of its tables
            keys=tuple(map(sys.intern, rows)),
            cells=cells.reshape(len(rows), CODES),
            grounds=tuple(distinct[ground_of[key]] for key in rows) if ground_of else (),
            absent=Reason(document["absent"]),
        )


def _describe(answer: Answer | None) -> str:
    if answer is None:
        return "not asked"
    return f"NI: {answer.reason.value}" if answer.reason else answer.category.value
