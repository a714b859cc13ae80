"""How much an answer says of what it rests on: a client chooses by ``?ground=none``, ``short`` or ``full``."""

import enum
from typing import Final
from urllib.parse import parse_qsl

from sirena.serving.errors import UnknownParameterError

PARAMETER: Final = "ground"


class GroundDetail(enum.StrEnum):
    """What stands beside the categories."""

    NONE = "none"
    """Model, version, edition and reasons; no ground."""
    SHORT = "short"
    """Also the number of each row's ground, and every ground that was referred to, once."""
    FULL = "full"
    """Also, beside each category, the sentence it rests on, under ``Eti_X_basis`` as in files."""


def read_detail(query: bytes) -> GroundDetail:
    """Read a request's query; other parameters than ``ground`` are ignored.

    Raises:
        UnknownParameterError: it asks for something else than the three.

    >>> read_detail(b"ground=none"), read_detail(b"")
    (<GroundDetail.NONE: 'none'>, <GroundDetail.SHORT: 'short'>)
    """
    if not query:
        return GroundDetail.SHORT
    given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)).get(PARAMETER)
    if given is None:
        return GroundDetail.SHORT
    try:
        return GroundDetail(given)
    except ValueError:
        raise UnknownParameterError(
            "the parameter ground has no such value", hint=f"one of {', '.join(GroundDetail)}; short is the default"
        ) from None
