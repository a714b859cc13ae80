"""From answers to the bytes of a response.

A column has few distinct answers, so each is spelt once and a row is a join of ready-made pieces.
"""

from functools import lru_cache
from typing import Any, Final

import orjson

from sirena import __version__
from sirena.domain.test_column import TestColumn
from sirena.domain.truth_table import ANSWERS
from sirena.serving.core import Interpretation

REASON_SUFFIX: Final = "_reason"


def encode_answers(interpretation: Interpretation) -> bytes:
    """Return ``{"predictions": [one object a row], "provenance": {...}}``.

    An empty MIC is null; NI has its reason beside it under ``Eti_X_reason``.
    """
    pieces = [_pieces(answered.column) for answered in interpretation.columns]
    columns = [
        [spelt[code] for code in answered.answers]
        for spelt, answered in zip(pieces, interpretation.columns, strict=True)
    ]
    records = b",".join(b"{" + b",".join(row) + b"}" for row in zip(*columns, strict=True))
    return b'{"predictions":[' + records + b'],"provenance":' + orjson.dumps(provenance_of(interpretation)) + b"}"


def provenance_of(interpretation: Interpretation) -> dict[str, Any]:
    """Return what the answers rest on: release, organisms as read, and per column model, version, edition and basis."""
    return {
        "release": interpretation.release,
        "sirena": __version__,
        "organisms": list(interpretation.organisms),
        **{answered.column.category_column: dict(answered.provenance) for answered in interpretation.columns},
    }


@lru_cache(maxsize=1024)
def _pieces(column: TestColumn) -> list[bytes]:
    name = column.category_column
    pieces = []
    for answer in ANSWERS:
        record: dict[str, str | None] = {name: answer.category.value if answer else None}
        if answer is not None and answer.reason is not None:
            record[name + REASON_SUFFIX] = answer.reason.value
        pieces.append(orjson.dumps(record)[1:-1])
    return pieces
