"""How much a response says about grounds; the client chooses by ``?ground=none``, ``short`` or ``full``."""

import enum
from typing import Final
from urllib.parse import parse_qsl

from sirena.serving.errors import UnknownParameterError

PARAMETER: Final = "ground"


class GroundDetail(enum.StrEnum):
    """What a response says about grounds, in addition to the categories."""

    NONE = "none"
    """Model, version, edition and reasons, but no grounds."""
    SHORT = "short"
    """Also the number of each row's ground, and each of these grounds once."""
    FULL = "full"
    """Also the sentence of each category's ground, under ``Eti_X_basis`` as in files."""


def read_detail(query: bytes) -> GroundDetail:
    """Return the detail that a request's query asks for; other parameters than ``ground`` are ignored.

    Raises:
        UnknownParameterError: ``ground`` has a value other than ``none``, ``short`` and ``full``.

    >>> read_detail(b"ground=none"), read_detail(b"")
    (<GroundDetail.NONE: 'none'>, <GroundDetail.SHORT: 'short'>)
    """
    if not query:
        return GroundDetail.SHORT
    value = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)).get(PARAMETER)
    if value is None:
        return GroundDetail.SHORT
    try:
        return GroundDetail(value)
    except ValueError:
        raise UnknownParameterError(
            "the parameter ground has no such value", hint=f"one of {', '.join(GroundDetail)}; short is the default"
        ) from None
