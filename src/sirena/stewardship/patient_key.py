"""A patient's key that identifies nobody: a keyed digest, made for one count and kept in memory only.

Rules, each with a test of like name:

- the key of the digest is random for every count and never leaves the process, so no digest can be traced back;
- texts that differ only in case and surrounding blanks are the same patient;
- a cell without letters and digits, or with zeros only, stands for no patient.
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
"""Matches a letter, or a digit other than zero, in the last part."""


def digest_patients(columns: Sequence[pl.Series]) -> pl.Series:
    """Return a digest of each row's patient.

    Args:
        columns: columns of texts that identify a patient, such as laboratory and number; the last is the number. Empty
            cells are null.

    Returns:
        UInt64; null if the number stands for no patient.
    """
    texts = _names(columns)
    distinct = texts.unique().drop_nulls()
    distinct = distinct.filter(distinct.str.contains(_SOMEBODY))
    return texts.replace_strict(
        distinct, _digests(distinct.to_list(), secrets.token_bytes(32)), default=None, return_dtype=pl.UInt64
    )


def share_patients(columns: Sequence[pl.Series], shares: int) -> pl.Series:
    """Return the number of each row's share of the file; all rows of a patient are in the same share.

    Args:
        columns: columns as for `digest_patients`.
        shares: number of shares, of about equal size.

    Returns:
        UInt64 below `shares`; rows without a patient are distributed evenly.
    """
    names = _names(columns)
    share_of_row = pl.int_range(len(names), dtype=pl.UInt64, eager=True)
    has_name = names.str.contains(_SOMEBODY).fill_null(value=False)
    return names.hash().zip_with(has_name, share_of_row) % shares


def _names(columns: Sequence[pl.Series]) -> pl.Series:
    """Return one text per row that identifies the patient; null without a number."""
    cells = pl.DataFrame([column.alias(f"{number}") for number, column in enumerate(columns)]).select(
        pl.concat_str(pl.all().fill_null("").str.strip_chars().str.to_lowercase(), separator=_BETWEEN)
    )
    return cells.to_series().zip_with(columns[-1].is_not_null(), pl.Series([None], dtype=pl.String))


def _digests(texts: Sequence[str], key: bytes) -> pl.Series:
    keyed_hash = hashlib.blake2b(key=key, digest_size=_BYTES)

    def digest(text: str) -> bytes:
        state = keyed_hash.copy()
        state.update(text.encode())
        return state.digest()

    return pl.Series(np.frombuffer(b"".join(map(digest, texts)), dtype=np.uint64))
