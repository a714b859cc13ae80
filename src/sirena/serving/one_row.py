"""The quick way for the commonest request: one isolate as one record, answered by a join of what is prepared.

Rules, each with a test of like name:

- it answers byte for byte what the general way (`core.interpret`, `answer_bodies`) answers;
- whatever is not plain – two columns of one test, several organism columns, an unknown model, nothing to answer – is
  left to the general way, which knows the errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from sirena.domain.mic import CODES, MISSING
from sirena.domain.site import Site
from sirena.domain.truth_table import NOT_ASKED
from sirena.panel.basis import IS_CATEGORY
from sirena.panel.compiled import NO_GROUND
from sirena.panel.lookup import encode_text, resolve_text
from sirena.panel.sites import read_specimen
from sirena.serving.core import PANEL_MODEL, text_of
from sirena.serving.ground_detail import GroundDetail
from sirena.serving.prepared import MARK_STEP, REASONS, SITES, ColumnRole, PreparedColumn, PreparedRelease

_NOBODY: Final[Any] = object()
"""Stands for a cell that the record does not have."""


@dataclass(slots=True)
class RecordAnswer:
    """The answer to one record."""

    content: bytes
    """Body of the response."""
    counts: list[tuple[str | None, int, int]]
    """What `ServiceMetrics.count` takes."""
    unknown_specimens: int


def answer_record(
    release: PreparedRelease,
    record: Mapping[str, Any],
    site: Site | None,
    model: str,
    detail: GroundDetail = GroundDetail.SHORT,
) -> RecordAnswer | None:
    """Answer one isolate, or return None: then the general way must be asked.

    Args:
        release: the loaded release.
        record: cells by column name, as they came.
        site: the site named for the request; None lets the specimen decide.
        model: registered name.
        detail: how much is said of what the answers rest on; sentences are left to the general way.
    """
    if detail is GroundDetail.FULL:
        return None
    organism_cell = local_cell = specimen = _NOBODY
    tests: list[tuple[PreparedColumn, Any]] = []
    known_role = release.known_role
    for name, cell in record.items():
        role = known_role(name) or release.role(name)
        if type(role) is PreparedColumn:
            tests.append((role, cell))
        elif role is ColumnRole.ORGANISM:
            if organism_cell is not _NOBODY:
                return None
            organism_cell = cell
        elif role is ColumnRole.SPECIMEN:
            if specimen is not _NOBODY:
                return None
            specimen = cell
        elif role is ColumnRole.LOCAL_ORGANISM:
            if local_cell is not _NOBODY:
                return None
            local_cell = cell
    if model != PANEL_MODEL:
        wanted = model.removeprefix("modelo_")
        if wanted == model or wanted not in release.panel.tables:
            return None
        tests = [pair for pair in tests if pair[0].label == wanted]
    if organism_cell is _NOBODY:
        organism_cell = local_cell
    if not tests or organism_cell is _NOBODY or len({column for column, _ in tests}) != len(tests):
        return None
    organism = resolve_text(text_of(organism_cell))
    read = site if site is not None else Site.UNKNOWN if specimen is _NOBODY else read_specimen(text_of(specimen))
    return _answer(release, tests, organism, read, with_grounds=detail is not GroundDetail.NONE)


def _answer(
    release: PreparedRelease,
    tests: list[tuple[PreparedColumn, Any]],
    organism: str | None,
    read: Site | None,
    *,
    with_grounds: bool,
) -> RecordAnswer:
    site = Site.UNKNOWN if read is None else read
    place = SITES.index(site)
    marks, numbers = release.marks[place], release.numbers
    pieces: list[bytes] = []
    provenance: list[bytes] = []
    counts: list[tuple[str | None, int, int]] = []
    grounds: dict[int, None] = {}
    reasons: set[int] = set()
    for column, cell in tests:
        text = cell if cell is None or type(cell) is str else text_of(cell)
        code = encode_text(text, column.drug)
        flat = column.flat
        offset = column.offsets[place].get(organism) if organism else None
        if code == MISSING:
            answer = NOT_ASKED
        elif flat is None:
            answer = column.refusal
        elif code >= 0 and offset is not None:
            answer = flat.cells[offset + code]
        else:
            answer = release.panel.answer_resolved(column.column.name, organism, text, site)
        if answer == NOT_ASKED or flat is None or offset is None or not flat.ground_of:
            number = NO_GROUND
        else:
            number = flat.ground_of[offset // CODES]
            grounds[number] = None
        if IS_CATEGORY[answer]:
            pieces.append(column.pieces[answer + MARK_STEP * marks[number]])
        else:
            pieces.append(column.pieces[answer])
            reasons.add(answer)
        provenance.append(column.head + numbers[number] + b"]}" if with_grounds else column.plain)
        counts.append((column.label, answer, 1))
    content = b"".join(
        (
            b'{"predictions":[{',
            b",".join(pieces),
            b"}],",
            release.head,
            orjson.dumps(organism or None),
            b'],"sites":[',
            orjson.dumps(read),
            b"],",
            b",".join(provenance),
            b'},"unknown_specimens":',
            b"1" if read is None else b"0",
            b',"reasons":{',
            b",".join([spelt for answer in sorted(reasons) if (spelt := REASONS[answer]) is not None]),
            b"}",
            b',"grounds":{' + b",".join([release.grounds[number] for number in grounds]) + b"}"
            if with_grounds
            else b"",
            b"}",
        )
    )
    return RecordAnswer(content, counts, 1 if read is None else 0)
