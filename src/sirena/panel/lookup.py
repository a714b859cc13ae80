"""The answers of one column: for each combination of distinct body site, distinct organism and distinct MIC.

Rules, each with a test of like name:

- an empty MIC gets no answer, whatever else is wrong with the row;
- a zone column is refused with `Reason.NOT_AN_MIC`, and a column without a model with `Reason.NO_MODEL`, before
  organism and value are read, since neither could change the answer;
- then an unreadable or impossible MIC, a missing organism, an unknown organism, in this order.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..domain.category import Category, Reason
from ..domain.mic import MISSING, encode_mics
from ..domain.organisms import resolve_many
from ..domain.site import Site
from ..domain.test_column import TestColumn, parse_test_column
from ..domain.truth_table import NOT_ASKED, TruthTable, answer_code
from ..domain.vernacular import AMBIGUOUS

NO_MODEL: Final = answer_code(Category.NI, Reason.NO_MODEL)
NOT_AN_MIC: Final = answer_code(Category.NI, Reason.NOT_AN_MIC)

_LONGEST_MIC: Final = 64
_LONGEST_ORGANISM: Final = 200
_NO_MIC: Final = "?"
_NO_NAME: Final = "?"


def factorise(texts: Iterable[str | None]) -> tuple[list[str | None], NDArray[np.intp]]:
    """Return the distinct texts in order of appearance, and the position of each row's text among them.

    >>> texts, positions = factorise(["eco", "kpn", "eco"])
    >>> texts, positions.tolist()
    (['eco', 'kpn'], [0, 1, 0])
    """
    rows = texts if isinstance(texts, Sequence) else list(texts)
    distinct = list(dict.fromkeys(rows))
    position_of = dict(zip(distinct, range(len(distinct)), strict=True))
    return distinct, np.fromiter(map(position_of.__getitem__, rows), dtype=np.intp, count=len(rows))


def encode_texts(texts: Sequence[str | None], drug: str | None = None) -> NDArray[np.int16]:
    """Return the MIC codes of a column's distinct texts, as `encode_mics` does; an overlong text is unreadable.

    >>> encode_texts(["<=2", None, "?"]).tolist()
    [43, -1, -2]
    """
    return encode_mics((_NO_MIC if text and len(text) > _LONGEST_MIC else text for text in texts), drug)


def resolve_texts(texts: Sequence[str | None]) -> list[str | None]:
    """Return the WHONET codes of distinct organism texts; a text too long to be a name is unknown.

    An abbreviation in capitals that Spanish laboratories and WHONET read differently (``EPI``, ``PSA``) is unknown too.
    To name WHONET's organism, write its code in lower case, ``epi``; to name the other organism, write its name.

    Returns:
        For each text the code; None for a missing organism; "" for an unknown one.

    >>> resolve_texts(["eco", "E. coli", None])
    ['eco', 'eco', None]
    """
    return resolve_many(
        _NO_NAME if text and (len(text) > _LONGEST_ORGANISM or text.strip() in AMBIGUOUS) else text for text in texts
    )


@lru_cache(maxsize=16384)
def encode_text(text: str | None, drug: str | None = None) -> int:
    """Return the code of one MIC text; results are cached, since laboratories use a few hundred spellings.

    >>> from sirena.domain.mic import Mic
    >>> str(Mic.from_code(encode_text("<= 0,5")))
    '<=0.5'
    """
    return int(encode_texts([text], drug)[0])


@lru_cache(maxsize=16384)
def resolve_text(text: str | None) -> str | None:
    """Return the code of one organism text, as `resolve_texts` does; results are cached.

    >>> resolve_text("E. coli")
    'eco'
    """
    return resolve_texts([text])[0]


@lru_cache(maxsize=4096)
def read_column(name: str) -> TestColumn | None:
    """Return the parsed name of a test column, as `parse_test_column` does; results are cached.

    >>> read_column("AMK_NM")
    TestColumn(drug='AMK', guideline='N', method='M', potency='')
    """
    return parse_test_column(name)


def refusal_of(column: TestColumn | None) -> int:
    """Return the answer to every value of a column that no table answers, as a position in `ANSWERS`.

    >>> refusal_of(read_column("AMK_ND30")) == NOT_AN_MIC
    True
    """
    return NOT_AN_MIC if column is not None and not column.is_mic else NO_MODEL


def cross_answers(
    column: TestColumn | None,
    table: TruthTable | None,
    organisms: Sequence[str | None],
    mic_codes: NDArray[np.int16],
    sites: Sequence[Site],
) -> NDArray[np.uint8]:
    """Return the answer to every combination of distinct body site, distinct organism and distinct MIC.

    Args:
        column: the parsed test column; None if its name is not that of a test column.
        table: the table that answers the column; None if there is none.
        organisms: WHONET codes, from `resolve_texts`.
        mic_codes: MIC codes, from `encode_texts`.
        sites: the distinct body sites.

    Returns:
        uint8 array (sites, organisms, mics) of positions in `ANSWERS`.

    >>> from sirena.guidelines.editions import load_edition
    >>> from sirena.guidelines.interpreter import compile_tables
    >>> table = compile_tables(load_edition("CLSI 2026"), ["AMK"])["AMK"]
    >>> answers = cross_answers(read_column("AMK_NM"), table, ["eco", "kpn"], encode_texts(["2", "16"]), [Site.URINE])
    >>> (answers == answer_code(Category.S)).tolist()
    [[[True, False], [True, False]]]
    """
    if column is not None and column.is_mic and table is not None:
        # sites without a row of their own are answered alike, so they are asked once
        own_sites = [site if site in table.own_sites else None for site in sites]
        answers = {
            own: table.look_up(organisms, mic_codes, site)
            for own, site in dict(zip(own_sites, sites, strict=True)).items()
        }
        return np.stack([answers[own] for own in own_sites])
    refusal = refusal_of(column)
    row = np.where(mic_codes == MISSING, NOT_ASKED, refusal).astype(np.uint8)
    return np.broadcast_to(row, (len(sites), len(organisms), len(mic_codes)))
