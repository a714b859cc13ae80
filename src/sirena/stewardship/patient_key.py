"""The patient as a key that leads nowhere: a keyed digest, made for one count and kept in memory alone.

Rules, each with a test of like name:

- the key of the digest is drawn anew for every count and never leaves the process, so no digest can be looked up;
- case and surrounding blanks make no other patient;
- a cell without letter or digit, or of zeros alone, names nobody.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

_BYTES: Final = 8
_BETWEEN: Final = "\x1f"
_SOMEBODY: Final = r"[^\W_0][^\x1f]*$"
"""A letter or a digit other than zero in the last part."""


def digest_patients(columns: Sequence[pl.Series]) -> pl.Series:
    """Return a digest of the patient of each row.

    Args:
        columns: what names a patient, e.g. the laboratory and the number; the last is the number. Texts, null for none.

    Returns:
        UInt64, null where the number names nobody.
    """
    texts = _names(columns)
    distinct = texts.unique().drop_nulls()
    distinct = distinct.filter(distinct.str.contains(_SOMEBODY))
    return texts.replace_strict(
        distinct, _digests(distinct.to_list(), secrets.token_bytes(32)), default=None, return_dtype=pl.UInt64
    )


def share_patients(columns: Sequence[pl.Series], shares: int) -> pl.Series:
    """Return the share of each row, such that all rows of a patient have the same.

    Args:
        columns: as of `digest_patients`.
        shares: how many there are, of about the same size.

    Returns:
        UInt64 below `shares`; rows that name nobody are dealt out one by one.
    """
    names = _names(columns)
    dealt = pl.int_range(len(names), dtype=pl.UInt64, eager=True)
    is_somebody = names.str.contains(_SOMEBODY).fill_null(value=False)
    return names.hash().zip_with(is_somebody, dealt) % shares


def _names(columns: Sequence[pl.Series]) -> pl.Series:
    """Return what tells patients apart, one text a row, null without a number."""
    joined = pl.DataFrame([column.alias(f"{number}") for number, column in enumerate(columns)]).select(
        pl.concat_str(pl.all().fill_null("").str.strip_chars().str.to_lowercase(), separator=_BETWEEN)
    )
    return joined.to_series().zip_with(columns[-1].is_not_null(), pl.Series([None], dtype=pl.String))


def _digests(texts: Sequence[str], key: bytes) -> pl.Series:
    keyed = hashlib.blake2b(key=key, digest_size=_BYTES)

    def digest(text: str) -> bytes:
        state = keyed.copy()
        state.update(text.encode())
        return state.digest()

    return pl.Series(np.frombuffer(b"".join(map(digest, texts)), dtype=np.uint64))
