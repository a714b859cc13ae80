"""From answers to the bytes of a response.

A column has few distinct answers, so each is spelt once and a row is a join of ready-made pieces. Grounds are spelt
once a release (see `prepared`): answers refer to them by number, and a response holds those it refers to.
"""

import orjson

from sirena.serving.core import AnsweredColumn, Interpretation
from sirena.serving.prepared import MARK_STEP, REASONS, PreparedRelease


def encode_answers(release: PreparedRelease, interpretation: Interpretation) -> bytes:
    """Return ``{"predictions": [one object a row], "provenance": {...}, ..., "grounds": {...}}``.

    An empty MIC is null; NI has its reason beside it under ``Eti_X_reason``; a category given without knowing the
    site, which does not hold everywhere, has its mark under ``Eti_X_mark``.
    """
    columns = [_spelt_column(release, answered) for answered in interpretation.columns]
    records = b"},{".join(map(b",".join, zip(*columns, strict=True)))
    rows = b"{" + records + b"}" if interpretation.organisms else b""
    return b'{"predictions":[' + rows + b"]," + encode_beside(release, interpretation) + b"}"


def encode_beside(release: PreparedRelease, interpretation: Interpretation) -> bytes:
    """Return what stands beside the answers, as members of an object without its braces.

    Provenance (release, organisms and sites as read, and by column model, version, edition, basis and each row's
    ground), the number of unread specimens, and the reasons and grounds that the answers refer to.
    """
    provenance = [
        release.column(answered.column).head + orjson.dumps(answered.grounds)[1:-1] + b"]}"
        for answered in interpretation.columns
    ]
    answers = set().union(*(answered.answers for answered in interpretation.columns))
    return b"".join(
        (
            release.head,
            orjson.dumps(interpretation.organisms)[1:-1],
            b'],"sites":',
            orjson.dumps(interpretation.sites),
            b",",
            b",".join(provenance),
            b'},"unknown_specimens":%d' % interpretation.unknown_specimens,
            b',"reasons":{',
            b",".join(spelt for answer in sorted(answers) if (spelt := REASONS[answer]) is not None),
            b'},"grounds":{',
            b",".join(release.grounds[number] for number in interpretation.grounds),
            b"}",
        )
    )


def _spelt_column(release: PreparedRelease, answered: AnsweredColumn) -> list[bytes]:
    pieces = release.column(answered.column).pieces
    if answered.marks is None:
        return [pieces[answer] for answer in answered.answers]
    pairs = zip(answered.answers, answered.marks, strict=True)
    return [pieces[answer + MARK_STEP * mark] for answer, mark in pairs]
