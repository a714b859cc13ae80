"""From answers to the bytes of a response.

A column has few distinct answers, so each is spelt once and a row is a join of ready-made pieces. Grounds are spelt
once a release (see `prepared`): answers refer to them by number, and a response holds those it refers to.
"""

from dataclasses import replace

import numpy as np
import orjson
from numpy.typing import NDArray

from sirena.panel.compiled import NO_GROUND
from sirena.serving.core import AnsweredColumn, Interpretation
from sirena.serving.ground_detail import GroundDetail
from sirena.serving.prepared import BASIS_SUFFIX, MARK_STEP, REASONS, PreparedRelease


def encode_answers(release: PreparedRelease, interpretation: Interpretation, detail: GroundDetail) -> bytes:
    """Return ``{"predictions": [one object a row], "provenance": {...}, ..., "grounds": {...}}``.

    An empty MIC is null; NI has its reason beside it under ``Eti_X_reason``; a category given without knowing the
    site, which does not hold everywhere, has its mark under ``Eti_X_mark``.

    Args:
        release: by which was answered.
        interpretation: the answers.
        detail: how much is said of what they rest on.
    """
    columns = [_spelt_column(release, answered) for answered in interpretation.columns]
    if detail is GroundDetail.FULL:
        columns = [
            _with_basis(pieces, answered.column.category_column, basis_of(release, interpretation, answered))
            for pieces, answered in zip(columns, interpretation.columns, strict=True)
        ]
    records = b"},{".join(map(b",".join, zip(*columns, strict=True)))
    rows = b"{" + records + b"}" if interpretation.organisms else b""
    return b'{"predictions":[' + rows + b"]," + encode_beside(release, interpretation, detail) + b"}"


def basis_of(release: PreparedRelease, interpretation: Interpretation, answered: AnsweredColumn) -> list[str | None]:
    """Return the sentence that each answer of a column rests on; None where not asked."""
    rows = zip(answered.answers, answered.grounds, interpretation.sites, strict=True)
    return [release.sentence(answer, number, site) for answer, number, site in rows]


def encode_beside(
    release: PreparedRelease, interpretation: Interpretation, detail: GroundDetail, *, with_rows: bool = True
) -> bytes:
    """Return what stands beside the answers, as members of an object without its braces.

    Provenance (release, organisms and sites as read, and by column model, version, edition, basis and each row's
    ground), the number of unread specimens, and the reasons and grounds that the answers refer to.

    Args:
        release: by which was answered.
        interpretation: the answers.
        detail: how much is said of what they rest on.
        with_rows: whether organism, site and ground of each row are told here.
    """
    rows = interpretation if with_rows else replace(interpretation, organisms=(), sites=())
    provenance = [
        release.column(answered.column).plain
        if detail is GroundDetail.NONE or not with_rows
        else release.column(answered.column).head + _spelt_numbers(answered.numbers) + b"]}"
        for answered in interpretation.columns
    ]
    answers = set().union(*(answered.distinct_answers for answered in interpretation.columns))
    return b"".join(
        (
            release.head,
            orjson.dumps(rows.organisms)[1:-1],
            b'],"sites":',
            orjson.dumps(rows.sites),
            b",",
            b",".join(provenance),
            b'},"unknown_specimens":%d' % interpretation.unknown_specimens,
            b',"reasons":{',
            b",".join(spelt for answer in sorted(answers) if (spelt := REASONS[answer]) is not None),
            b"}",
            b"" if detail is GroundDetail.NONE else _grounds(release, interpretation),
        )
    )


def _spelt_numbers(numbers: NDArray[np.int32]) -> bytes:
    """Return numbers of grounds as members of a list; `NO_GROUND`, the only negative one, is null."""
    return orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].replace(b"%d" % NO_GROUND, b"null")


def _grounds(release: PreparedRelease, interpretation: Interpretation) -> bytes:
    return b',"grounds":{' + b",".join(release.grounds[number] for number in interpretation.grounds) + b"}"


def _with_basis(pieces: list[bytes], category: str, sentences: list[str | None]) -> list[bytes]:
    member = b"," + orjson.dumps(category + BASIS_SUFFIX) + b":"
    spelt = {sentence: member + orjson.dumps(sentence) for sentence in set(sentences)}
    return [piece + spelt[sentence] for piece, sentence in zip(pieces, sentences, strict=True)]


def _spelt_column(release: PreparedRelease, answered: AnsweredColumn) -> list[bytes]:
    pieces = release.column(answered.column).pieces
    if answered.marks is None:
        return list(map(pieces.__getitem__, answered.answers))
    pairs = zip(answered.answers, answered.marks, strict=True)
    return [pieces[answer + MARK_STEP * mark] for answer, mark in pairs]
