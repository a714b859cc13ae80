"""The patient as a key that leads nowhere: a keyed digest, made for one run and kept in memory alone.

Rules, each with a test of like name:

- the key of the digest is drawn anew in every run and never leaves the process, so no digest can be looked up;
- case and surrounding blanks make no other patient;
- a cell without letter or digit, or of zeros alone, names nobody.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from typing import Final

import polars as pl

_BYTES: Final = 8
_NOBODY: Final = re.compile(r"[\W_0]*")


def digest_patients(columns: Sequence[pl.Series], key: bytes | None = None) -> pl.Series:
    """Return a digest of the patient of each row.

    Args:
        columns: what names a patient, e.g. the laboratory and the number; the last is the number. Texts, null for none.
        key: of the digest; drawn at random when None. Parts counted on several machines need the same one.

    Returns:
        UInt64, null where the number names nobody.
    """
    secret = key or secrets.token_bytes(32)
    joined = pl.DataFrame([column.alias(f"{number}") for number, column in enumerate(columns)]).select(
        pl.concat_str(pl.all().fill_null("").str.strip_chars().str.to_lowercase(), separator="\x1f")
    )
    texts = joined.to_series().zip_with(columns[-1].is_not_null(), pl.Series([None], dtype=pl.String))
    distinct = texts.unique().drop_nulls()
    digests = [_digest(text, secret) for text in distinct.to_list()]
    return texts.replace_strict(distinct, pl.Series(digests, dtype=pl.UInt64), default=None, return_dtype=pl.UInt64)


def _digest(text: str, key: bytes) -> int | None:
    if _NOBODY.fullmatch(text.rpartition("\x1f")[2]):
        return None
    return int.from_bytes(hashlib.blake2b(text.encode(), key=key, digest_size=_BYTES).digest(), "big")
