"""From answers to the bytes of a response.

A column has few distinct answers, so each is spelt once and a row is a join of ready-made pieces. Grounds are spelt
once a release: answers refer to them by number, and a response holds those it refers to.
"""

from functools import lru_cache
from typing import Any, Final

import orjson

from sirena import __version__
from sirena.domain.category import Reason
from sirena.domain.ground import Ground
from sirena.domain.test_column import TestColumn
from sirena.domain.truth_table import ANSWERS
from sirena.panel.basis import MARKS
from sirena.serving.core import Interpretation

REASON_SUFFIX: Final = "_reason"
MARK_SUFFIX: Final = "_mark"
_MARK_STEP: Final = len(ANSWERS)


def encode_answers(interpretation: Interpretation) -> bytes:
    """Return ``{"predictions": [one object a row], "provenance": {...}, ..., "grounds": {...}}``.

    An empty MIC is null; NI has its reason beside it under ``Eti_X_reason``; a category given without knowing the
    site, which does not hold everywhere, has its mark under ``Eti_X_mark``.
    """
    columns = []
    for answered in interpretation.columns:
        spelt = _pieces(answered.column)
        if answered.marks is None:
            columns.append([spelt[code] for code in answered.answers])
        else:
            pairs = zip(answered.answers, answered.marks, strict=True)
            columns.append([spelt[code + _MARK_STEP * mark] for code, mark in pairs])
    records = b",".join(b"{" + b",".join(row) + b"}" for row in zip(*columns, strict=True))
    beside = orjson.dumps(beside_answers(interpretation), option=orjson.OPT_NON_STR_KEYS)
    return b'{"predictions":[' + records + b"]," + beside[1:]


def beside_answers(interpretation: Interpretation) -> dict[str, Any]:
    """Return what stands beside the answers: provenance, the grounds and reasons they refer to, unread specimens."""
    return {
        "provenance": provenance_of(interpretation),
        "unknown_specimens": interpretation.unknown_specimens,
        "reasons": {reason: orjson.Fragment(_spelt_reason(reason)) for reason in _reasons(interpretation)},
        "grounds": {
            number: orjson.Fragment(_spelt_ground(ground)) for number, ground in interpretation.grounds.items()
        },
    }


def provenance_of(interpretation: Interpretation) -> dict[str, Any]:
    """Return where the answers come from.

    Release, organisms and sites as read, and by column model, version, edition, basis and each row's ground.
    """
    return {
        "release": interpretation.release,
        "sirena": __version__,
        "organisms": list(interpretation.organisms),
        "sites": list(interpretation.sites),
        **{
            answered.column.category_column: {**answered.provenance, "ground": list(answered.grounds)}
            for answered in interpretation.columns
        },
    }


def _reasons(interpretation: Interpretation) -> list[Reason]:
    codes = {code for answered in interpretation.columns for code in set(answered.answers)}
    answers = (ANSWERS[code] for code in sorted(codes))
    return [answer.reason for answer in answers if answer is not None and answer.reason is not None]


@lru_cache(maxsize=32768)
def _spelt_ground(ground: Ground) -> bytes:
    return orjson.dumps({**ground.to_json(), "english": ground.english(), "spanish": ground.spanish()})


@lru_cache(maxsize=64)
def _spelt_reason(reason: Reason) -> bytes:
    return orjson.dumps({"english": reason.sentence, "spanish": reason.spanish})


@lru_cache(maxsize=1024)
def _pieces(column: TestColumn) -> list[bytes]:
    """Return the spelt answers without a mark, then those with the first mark, and so on."""
    name = column.category_column
    pieces = []
    for mark in MARKS:
        for answer in ANSWERS:
            record: dict[str, str | None] = {name: answer.category.value if answer else None}
            if answer is not None and answer.reason is not None:
                record[name + REASON_SUFFIX] = answer.reason.value
            if mark is not None:
                record[name + MARK_SUFFIX] = mark.value
            pieces.append(orjson.dumps(record)[1:-1])
    return pieces
