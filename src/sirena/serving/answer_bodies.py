"""Encoding answers as the bytes of a response.

A column has few distinct answers, so each is encoded once and a row is joined from ready-made pieces. Grounds are
encoded once per release (see `prepared`): answers refer to them by number, and a response contains those that it refers
to.
"""

import numpy as np
import orjson
from numpy.typing import NDArray

from sirena.panel.layouts import NO_GROUND
from sirena.serving.core import AnsweredColumn, Interpretation
from sirena.serving.ground_detail import GroundDetail
from sirena.serving.prepared import BASIS_SUFFIX, MARK_STEP, REASONS, PreparedRelease


def encode_answers(release: PreparedRelease, interpretation: Interpretation, detail: GroundDetail) -> bytes:
    """Return ``{"predictions": [one object per row], "provenance": {...}, ..., "grounds": {...}}``.

    An empty MIC is null; an NI has its reason under ``Eti_X_reason``; a category that was given without knowing the
    body site, and does not hold at every site, has its mark under ``Eti_X_mark``.

    Args:
        release: release that answered.
        interpretation: the answers.
        detail: how much the response says about grounds.
    """
    rows = _spelt_rows(release, interpretation, detail) if interpretation.organisms else b""
    return b'{"predictions":[' + rows + b"]," + encode_beside(release, interpretation, detail) + b"}"


def basis_of(
    release: PreparedRelease, interpretation: Interpretation, answered_column: AnsweredColumn
) -> list[str | None]:
    """Return, for each answer in a column, its ground or reason as a sentence; None for an empty MIC."""
    rows = zip(answered_column.answers, answered_column.grounds, interpretation.sites, strict=True)
    return [release.sentence(answer, number, site) for answer, number, site in rows]


def encode_beside(
    release: PreparedRelease, interpretation: Interpretation, detail: GroundDetail, *, with_rows: bool = True
) -> bytes:
    """Return the members of the response other than the answers, as a JSON object without its braces.

    They are: provenance (release, organisms and body sites as read; for each column the model, version, guideline
    edition, basis and each row's ground), the number of unread specimens, and the reasons and grounds that the answers
    refer to.

    Args:
        release: release that answered.
        interpretation: the answers.
        detail: how much the response says about grounds.
        with_rows: whether to include organism, site and ground of each row.
    """
    columns = [release.column(column) for column in interpretation.test_columns]
    if detail is GroundDetail.NONE or not with_rows:
        provenance = [column.plain for column in columns]
    else:
        numbers = _spelt_numbers(interpretation.numbers)
        provenance = [column.head + line + b"]}" for column, line in zip(columns, numbers, strict=True)]
    answers = sorted(set().union(*interpretation.tallies))
    return b"".join(
        (
            release.head,
            orjson.dumps(list(interpretation.organisms) if with_rows else [])[1:-1],
            b'],"sites":',
            orjson.dumps(list(interpretation.sites) if with_rows else []),
            b",",
            b",".join(provenance),
            b'},"unknown_specimens":%d' % interpretation.unknown_specimens,
            b',"reasons":{',
            b",".join(reason for answer in answers if (reason := REASONS[answer]) is not None),
            b"}",
            b"" if detail is GroundDetail.NONE else _grounds(release, interpretation),
        )
    )


def _spelt_numbers(numbers: NDArray[np.int32]) -> list[bytes]:
    """Return each line of ground numbers as members of a JSON list; `NO_GROUND`, the only negative number, is null."""
    text = orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY)[2:-2]
    # to look for none costs as much as to write all
    text = text.replace(b"%d" % NO_GROUND, b"null") if (numbers < 0).any() else text
    return text.split(b"],[")


def _grounds(release: PreparedRelease, interpretation: Interpretation) -> bytes:
    return b',"grounds":{' + b",".join(release.grounds[number] for number in interpretation.grounds) + b"}"


def _spelt_rows(release: PreparedRelease, interpretation: Interpretation, detail: GroundDetail) -> bytes:
    last_place = len(interpretation.test_columns) - 1
    cells = np.empty((len(interpretation.organisms), last_place + 1), dtype=object)
    for place, answered_column in enumerate(interpretation.columns):
        numbers = interpretation.answers[place]
        if interpretation.marks is not None:
            numbers = numbers + MARK_STEP * interpretation.marks[place]
        pieces = release.column(answered_column.column).pieces
        pieces = b"{" + pieces if place == 0 else pieces
        if detail is GroundDetail.FULL:
            cells[:, place] = pieces[numbers] + _spelt_basis(
                answered_column, basis_of(release, interpretation, answered_column)
            )
        else:
            cells[:, place] = pieces[numbers]
    cells[:, last_place] += b"}"
    return b",".join(cells.ravel().tolist())


def _spelt_basis(answered_column: AnsweredColumn, sentences: list[str | None]) -> NDArray[np.object_]:
    member = b"," + orjson.dumps(answered_column.column.category_column + BASIS_SUFFIX) + b":"
    members = {sentence: member + orjson.dumps(sentence) for sentence in set(sentences)}
    return np.array([members[sentence] for sentence in sentences], dtype=object)
