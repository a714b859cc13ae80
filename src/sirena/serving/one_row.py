"""The fast path for the commonest request: one isolate as one record, answered by joining prepared pieces.

Rules, each with a test of like name:

- the response equals that of the general path (`core.interpret`, `answer_bodies`), byte for byte;
- special cases – two columns of one test, several organism columns, an unknown model, nothing to answer – are left to
  the general path, which raises the errors.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from sirena.domain.site import Site
from sirena.panel.lookup import resolve_text
from sirena.panel.sites import SITES, read_specimen
from sirena.serving.core import PANEL_MODEL, Rows
from sirena.serving.ground_detail import GroundDetail
from sirena.serving.mic_cells import text_of
from sirena.serving.prepared import (
    REASONS,
    PreparedColumn,
    PreparedRelease,
    RecordAnswer,
    SpeltAnswer,
    TensorKey,
)

_SPELT_SITES: Final = [orjson.dumps(site) for site in SITES]
_PLACES: Final = {site: place for place, site in enumerate(SITES)}


def answer_record(
    release: PreparedRelease,
    record: Mapping[str, Any],
    site: Site | None,
    model: str,
    detail: GroundDetail = GroundDetail.SHORT,
) -> RecordAnswer | None:
    """Return the answer to one isolate; None if the general path must answer.

    Args:
        release: the loaded release.
        record: cells by column name, as sent.
        site: the body site that the request names; None to take it from the specimen.
        model: registered name of the model.
        detail: how much the response says about grounds; sentences are left to the general path.
    """
    form = release.form(tuple(record))
    if form is None or detail is GroundDetail.FULL:
        return None
    tests = form.tests
    if model != PANEL_MODEL:
        tests = _tests_of(release, tests, model)
        if not tests:
            return None
    organism = resolve_text(text_of(record[form.organism]))
    specimen = form.specimen
    row_site = (
        site if site is not None else Site.UNKNOWN if specimen is None else read_specimen(text_of(record[specimen]))
    )
    place = _PLACES[Site.UNKNOWN if row_site is None else row_site]
    known_place = place if row_site is not None else None
    with_grounds = detail is not GroundDetail.NONE
    if len(tests) > 1:
        answers = _answers(release, tests, record, organism, place)
        return _join(release, tests, answers, organism, known_place, with_grounds=with_grounds)
    ((name, column),) = tests
    text = text_of(record[name])
    key = (organism, known_place, text, with_grounds)
    whole_answer = column.whole_answers.get(key)
    if whole_answer is None:
        answers = _answers(release, tests, record, organism, place)
        whole_answer = _join(release, tests, answers, organism, known_place, with_grounds=with_grounds)
        release.keep(column, key, whole_answer)
    return whole_answer


def find_single_test(
    release: PreparedRelease, rows: Rows, model: str, detail: GroundDetail
) -> tuple[PreparedColumn, TensorKey] | None:
    """Return column and key of the answer to tensors of one row with one test; None for all others.

    Args:
        release: the loaded release.
        rows: the request.
        model: registered name of the model.
        detail: how much the response says about grounds; sentences are left to the general path.
    """
    form = release.form(tuple(rows.columns)) if rows.length == 1 else None
    if form is None or detail is GroundDetail.FULL:
        return None
    tests = form.tests if model == PANEL_MODEL else _tests_of(release, form.tests, model)
    if len(tests) != 1:
        return None
    ((name, column),) = tests
    text = text_of(rows.columns[name][0])
    organism = resolve_text(text_of(rows.columns[form.organism][0]))
    site = rows.site
    if site is None:
        site = Site.UNKNOWN if form.specimen is None else read_specimen(text_of(rows.columns[form.specimen][0]))
    return column, (model, organism, site, text, detail is not GroundDetail.NONE)


def _tests_of(
    release: PreparedRelease, tests: Sequence[tuple[str, PreparedColumn]], model: str
) -> Sequence[tuple[str, PreparedColumn]]:
    """Return the tests that a model answers; none if the release does not have the model."""
    label = model.removeprefix("modelo_")
    if label == model or label not in release.panel.tables:
        return ()
    return [pair for pair in tests if pair[1].label == label]


def _answers(
    release: PreparedRelease,
    tests: Sequence[tuple[str, PreparedColumn]],
    record: Mapping[str, Any],
    organism: str | None,
    place: int,
) -> list[SpeltAnswer]:
    subject = (organism, place)
    answers = []
    for name, column in tests:
        cell = record[name]
        text = cell if cell is None or type(cell) is str else text_of(cell)
        earlier_answers = column.spelt_answers.get(subject)
        answer = earlier_answers.get(text) if earlier_answers is not None else None
        answers.append(answer or release.spell(column, organism, place, text))
    return answers


def _join(
    release: PreparedRelease,
    tests: Sequence[tuple[str, PreparedColumn]],
    answers: Sequence[SpeltAnswer],
    organism: str | None,
    place: int | None,
    *,
    with_grounds: bool,
) -> RecordAnswer:
    pieces, provenance, counts, numbers, reasons = zip(*answers, strict=True)
    if not with_grounds:
        provenance = tuple(column.plain for _, column in tests)
    content = b"".join(
        (
            b'{"predictions":[{',
            b",".join(pieces),
            b"}],",
            release.head,
            orjson.dumps(organism or None),
            b'],"sites":[',
            b"null" if place is None else _SPELT_SITES[place],
            b"],",
            b",".join(provenance),
            b'},"unknown_specimens":1,"reasons":{' if place is None else b'},"unknown_specimens":0,"reasons":{',
            b",".join([REASONS[reason] or b"" for reason in sorted({*reasons} - {None})]),
            b'},"grounds":{' if with_grounds else b"}",
            b",".join([release.grounds[number] for number in dict.fromkeys(numbers) if number is not None])
            if with_grounds
            else b"",
            b"}}" if with_grounds else b"}",
        )
    )
    return RecordAnswer(content, counts, 1 if place is None else 0, 0 if organism else 1)
