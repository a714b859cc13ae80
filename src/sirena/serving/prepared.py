"""The parts of answers that are equal for all requests, encoded once when the release is loaded.

Answering an isolate then needs only look-ups and one join of these pieces; see `one_row` and `answer_bodies`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from sirena import __version__
from sirena.domain.category import Reason
from sirena.domain.ground import Ground
from sirena.domain.language import Language
from sirena.domain.mic import CODES, MISSING
from sirena.domain.site import Site
from sirena.domain.specimens import SPECIMEN_COLUMN
from sirena.domain.test_column import TestColumn
from sirena.domain.truth_table import ANSWERS, NOT_ASKED
from sirena.panel.basis import IS_CATEGORY, MARKS, ground_sentence, reason_sentence
from sirena.panel.compiled import Panel
from sirena.panel.layouts import NO_GROUND
from sirena.panel.lookup import encode_text, read_column, refusal_of
from sirena.panel.sites import SITES
from sirena.serving.core import LONGEST_NAME, LONGEST_TEST_NAME, ORGANISM_COLUMNS, column_provenance

REASON_SUFFIX: Final = "_reason"
MARK_SUFFIX: Final = "_mark"
BASIS_SUFFIX: Final = "_basis"
MARK_STEP: Final = len(ANSWERS)
"""Distance in `pieces` from a piece without a mark to the same piece with the first mark, and so on."""
_MOST_NAMES: Final = 4096
"""Most column names that are cached; clients choose names, so there must be a limit."""
_MOST_COLUMNS: Final = 1024
"""Most test columns that are kept prepared; the release's own come first."""
_MOST_FORMS: Final = 256
"""Most sequences of column names that are cached."""
_LONGEST_FORM: Final = 4096
"""Longest sequence that is cached, in characters of its names."""
_MOST_ANSWERS: Final = 32768
"""Most encoded answers that are kept, some 400 bytes each; a hospital's month of isolates needs about half as many."""
_MOST_WHOLE_ANSWERS: Final = 4096
"""Most whole answers to one test that are kept, some 1,000 bytes each."""
_LONGEST_MIC: Final = 16
"""Longest MIC text whose answer is kept, in characters."""


class ColumnRole(Enum):
    """The role of a request's column that is not a test column."""

    ORGANISM = 1
    LOCAL_ORGANISM = 2
    SPECIMEN = 3
    NONE = 4


_ROLES: Final = dict(zip((*ORGANISM_COLUMNS, SPECIMEN_COLUMN), ColumnRole, strict=False))


class SpeltAnswer(NamedTuple):
    """One answer in one column, with all its encoded parts."""

    piece: bytes
    """The encoded answer: ``"Eti_AMK_NM":"S"``."""
    provenance: bytes
    """The encoded provenance, with the number of the ground."""
    count_key: tuple[str | None, int]
    """Key for counting the answer: label of the column, and position in `ANSWERS`."""
    ground: int | None
    """Number of the answer's ground; None if there is none."""
    reason: int | None
    """Position in `REASONS`; None if the answer has no reason."""


class RecordAnswer(NamedTuple):
    """The answer to one record."""

    content: bytes
    """Body of the response."""
    counts: Sequence[tuple[str | None, int]]
    """Arguments for `ServiceMetrics.count_one`."""
    unknown_specimens: int
    unknown_organisms: int


AnswerKey = tuple[str | None, int | None, str | None, bool]
"""What the answer to one test depends on: the organism's code, the position of the body site in `SITES` (None if the
specimen cannot be read), the text of the MIC, and whether the answer names its ground."""
TensorKey = tuple[str, str | None, Site | None, str | None, bool]
"""The same for an answer as tensors: name of the model in the request, organism, body site, MIC, and whether the answer
names its ground. In both kinds of key the MIC is the last but one."""


class PreparedColumn:
    """One test column of one release, prepared for encoding."""

    __slots__ = (
        "column",
        "drug",
        "flat",
        "head",
        "label",
        "pieces",
        "plain",
        "refusal",
        "spelt_answers",
        "whole_answers",
    )

    def __init__(self, panel: Panel, column: TestColumn) -> None:
        """Prepare a panel's answers to a test column, even if no model answers it."""
        self.column = column
        self.drug = column.drug
        self.flat = panel.flat.get(column.model_column) if column.is_mic else None
        self.refusal = refusal_of(column)
        """Position of the answer to every value, if no model answers the column (`flat` is None)."""
        self.label = column.model_column if self.flat is not None else None
        """Name under which answers are counted; None if no model answers the column."""
        self.pieces = _pieces(column.category_column)
        """Encoded answers (``"Eti_AMK_NM":"S"``): position in `ANSWERS` plus `MARK_STEP` times position in `MARKS`."""
        facts = column_provenance(panel, column)
        self.head = orjson.dumps({column.category_column: {**facts, "ground": []}})[1:-3]
        """Encoded provenance of the column up to the grounds of its rows; ``]}`` completes it."""
        self.plain = orjson.dumps({column.category_column: facts})[1:-1]
        """Encoded provenance of the column without grounds."""
        self.spelt_answers: dict[tuple[str | None, int], dict[str | None, SpeltAnswer]] = {}
        """Answers that were given before, by organism and position in `SITES`, then by text of the MIC."""
        self.whole_answers: dict[AnswerKey | TensorKey, RecordAnswer] = {}
        """Whole answers to records, and to tensors of one row, with this test alone."""


@dataclass(frozen=True, slots=True)
class RecordForm:
    """The roles of a record's columns."""

    organism: str
    """Name of the column that holds the organism."""
    specimen: str | None
    tests: Sequence[tuple[str, PreparedColumn]]
    """Name of each test column with the prepared column; no test occurs twice."""


class PreparedRelease:
    """A panel of models, with the parts of responses that are encoded once for all requests."""

    def __init__(self, panel: Panel) -> None:
        """Prepare a panel for answering."""
        self.panel = panel
        self.grounds: Sequence[bytes] = [_spelt_ground(number, ground) for number, ground in enumerate(panel.grounds)]
        """Each ground encoded with its number as key: ``"12":{...}``."""
        self.numbers: Sequence[bytes] = [*(b"%d" % number for number in range(len(panel.grounds))), b"null"]
        """Numbers of grounds as text; the last element, which `NO_GROUND` (-1) selects, stands for none."""
        self.marks: Sequence[bytes] = [marks.tobytes() for marks in panel.marks]
        """The marks of `Panel.marks`, in a form that is faster for single answers."""
        facts = {"release": panel.release, "sirena": __version__, "organisms": []}
        self.head = b'"provenance":' + orjson.dumps(facts)[:-2]
        """Encoded provenance of the response up to the organisms of the rows."""
        self._sentences: dict[tuple[int, int], str] = {}
        self._roles: dict[str, PreparedColumn | ColumnRole] = {}
        self._columns: dict[str, PreparedColumn] = {}
        self._forms: dict[tuple[str, ...], RecordForm | None] = {}
        self._room = _MOST_ANSWERS
        self._room_for_whole_answers = _MOST_WHOLE_ANSWERS
        for column in panel.tables:
            self.role(column)

    def role(self, name: str) -> PreparedColumn | ColumnRole:
        """Return the role of a request's column, by its name."""
        role = self._roles.get(name)
        if role is None:
            if len(name) > LONGEST_NAME:
                return ColumnRole.NONE
            column = read_column(name) if len(name) <= LONGEST_TEST_NAME else None
            role = _ROLES.get(name.strip().upper(), ColumnRole.NONE) if column is None else self.column(column)
            if len(self._roles) < _MOST_NAMES:
                self._roles[name] = role
        return role

    def form(self, names: tuple[str, ...]) -> RecordForm | None:
        """Return the roles of a record's columns; None for special cases, which the general path answers."""
        try:
            return self._forms[names]
        except KeyError:
            form = self._read_form(names)
            short = len(self._forms) < _MOST_FORMS and sum(map(len, names)) <= _LONGEST_FORM
            # a column that is not kept by itself is not kept by a form either
            if short and (
                form is None or all(self._columns.get(column.column.name) is column for _, column in form.tests)
            ):
                self._forms[names] = form
            return form

    def _read_form(self, names: Iterable[str]) -> RecordForm | None:
        of_role: dict[ColumnRole, str] = {}
        tests: list[tuple[str, PreparedColumn]] = []
        for name in names:
            role = self.role(name)
            if isinstance(role, PreparedColumn):
                tests.append((name, role))
            elif role is not ColumnRole.NONE and of_role.setdefault(role, name) != name:
                return None
        organism = of_role.get(ColumnRole.ORGANISM, of_role.get(ColumnRole.LOCAL_ORGANISM))
        if organism is None or not tests or len({column.column.name for _, column in tests}) != len(tests):
            return None
        return RecordForm(organism, of_role.get(ColumnRole.SPECIMEN), tests)

    def spell(self, column: PreparedColumn, organism: str | None, place: int, text: str | None) -> SpeltAnswer:
        """Return the answer to one MIC, encoded; it is kept for later if the MIC can be read.

        Args:
            column: the test column.
            organism: the organism's code, from `resolve_text`.
            place: position of the body site in `SITES`.
            text: text of the MIC.
        """
        code = encode_text(text, column.drug)
        flat = column.flat
        offset = flat.offset(organism, SITES[place]) if organism and flat is not None else None
        if code == MISSING:
            answer = NOT_ASKED
        elif flat is None:
            answer = column.refusal
        elif code >= 0 and offset is not None:
            answer = flat.cells[offset + code]
        else:
            answer = self.panel.answer_resolved(column.column.name, organism, text, SITES[place])
        if answer == NOT_ASKED or flat is None or offset is None or not flat.ground_of:
            number = NO_GROUND
        else:
            number = flat.ground_of[offset // CODES]
        mark = self.marks[place][number] if IS_CATEGORY[answer] else 0
        spelt_answer = SpeltAnswer(
            column.pieces[answer + MARK_STEP * mark],
            column.head + self.numbers[number] + b"]}",
            (column.label, answer),
            None if number == NO_GROUND else number,
            answer if REASONS[answer] is not None else None,
        )
        if self._room and can_be_kept(column, text):
            self._room -= 1
            column.spelt_answers.setdefault((organism, place), {})[text] = spelt_answer
        return spelt_answer

    def keep(self, column: PreparedColumn, key: AnswerKey | TensorKey, answer: RecordAnswer) -> None:
        """Keep the whole answer to one row with one test, while there is room, if answers to its MIC may be kept."""
        if self._room_for_whole_answers and can_be_kept(column, key[-2]):
            self._room_for_whole_answers -= 1
            column.whole_answers[key] = answer

    def sentence(self, answer: int, number: int | None, site: Site | None) -> str | None:
        """Return the sentence of an answer's ground in English, as in ``Eti_X_basis`` of a file; None for an empty MIC.

        Args:
            answer: position of the answer in `ANSWERS`.
            number: number of the ground; None if there is none.
            site: body site of the row; None if the specimen could not be read.
        """
        if answer == NOT_ASKED:
            return None
        if number is None:
            return reason_sentence(answer, Language.ENGLISH)
        mark = self.panel.mark_of(number, site or Site.UNKNOWN)
        sentence = self._sentences.get((number, mark))
        if sentence is None:
            sentence = ground_sentence(self.panel.grounds[number], MARKS[mark], Language.ENGLISH)
            self._sentences[number, mark] = sentence
        return sentence

    def column(self, column: TestColumn) -> PreparedColumn:
        """Return a test column, prepared for encoding."""
        prepared_column = self._columns.get(column.name)
        if prepared_column is None:
            prepared_column = PreparedColumn(self.panel, column)
            if len(self._columns) < _MOST_COLUMNS:
                self._columns[column.name] = prepared_column
        return prepared_column


def can_be_kept(column: PreparedColumn, text: str | None) -> bool:
    """Tell whether answers to a MIC may be kept: it is empty, or short and readable."""
    return text is None or (len(text) <= _LONGEST_MIC and encode_text(text, column.drug) >= MISSING)


def _spelt_ground(number: int, ground: Ground) -> bytes:
    document = {str(number): {**ground.to_json(), "english": ground.english(), "spanish": ground.spanish()}}
    return orjson.dumps(document)[1:-1]


def _spelt_reason(reason: Reason) -> bytes:
    return orjson.dumps({reason.value: {"english": reason.sentence, "spanish": reason.spanish}})[1:-1]


REASONS: Final[Sequence[bytes | None]] = [
    _spelt_reason(answer.reason) if answer is not None and answer.reason is not None else None for answer in ANSWERS
]
"""For each position in `ANSWERS`, its reason encoded as ``"censored":{...}``; None if it has none."""


def _pieces(name: str) -> NDArray[np.object_]:
    pieces = []
    for mark in MARKS:
        for answer in ANSWERS:
            record: dict[str, Any] = {name: answer.category.value if answer else None}
            if answer is not None and answer.reason is not None:
                record[name + REASON_SUFFIX] = answer.reason.value
            if mark is not None:
                record[name + MARK_SUFFIX] = mark.value
            pieces.append(orjson.dumps(record)[1:-1])
    return np.array(pieces, dtype=object)
