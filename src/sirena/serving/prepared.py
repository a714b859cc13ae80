"""What no request changes: everything about a release's answers, spelt once when the release is loaded.

An answer to an isolate is then look-ups and one join of ready-made pieces; see `one_row` and `answer_bodies`.
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
from sirena.domain.mic import CODES, MISSING
from sirena.domain.site import Site
from sirena.domain.specimens import SPECIMEN_COLUMN
from sirena.domain.test_column import TestColumn
from sirena.domain.truth_table import ANSWERS, NOT_ASKED
from sirena.panel.basis import IS_CATEGORY, MARKS, Language, ground_sentence, reason_sentence
from sirena.panel.compiled import Panel
from sirena.panel.layouts import NO_GROUND
from sirena.panel.lookup import encode_text, read_column, refusal_of
from sirena.panel.sites import SITES
from sirena.serving.core import LONGEST_NAME, LONGEST_TEST_NAME, ORGANISM_COLUMNS, column_provenance

REASON_SUFFIX: Final = "_reason"
MARK_SUFFIX: Final = "_mark"
BASIS_SUFFIX: Final = "_basis"
MARK_STEP: Final = len(ANSWERS)
"""Pieces without a mark come first, then those with the first mark, and so on."""
_MOST_NAMES: Final = 4096
"""Column names whose meaning is remembered; callers choose names, so there must be an end."""
_MOST_COLUMNS: Final = 1024
"""Test columns that are kept prepared; the release's own are the first of them."""
_MOST_FORMS: Final = 256
"""Orders of column names that are remembered."""
_LONGEST_FORM: Final = 4096
"""Letters of the names of one that is."""
_MOST_ANSWERS: Final = 32768
"""Answers that are kept spelt, some 400 bytes each; a hospital's isolates of a month need about half as many."""
_LONGEST_MIC: Final = 16
"""Letters of an MIC whose answer is kept."""


class ColumnRole(Enum):
    """What a column of a request that names no test is for."""

    ORGANISM = 1
    LOCAL_ORGANISM = 2
    SPECIMEN = 3
    NONE = 4


_ROLES: Final = dict(zip((*ORGANISM_COLUMNS, SPECIMEN_COLUMN), ColumnRole, strict=False))


class SpeltAnswer(NamedTuple):
    """One answer of one column, in all that is said of it."""

    piece: bytes
    """The answer: ``"Eti_AMK_NM":"S"``."""
    provenance: bytes
    """Where it comes from, with the number of its ground."""
    counted: tuple[str | None, int]
    """Under which it is counted: label of the column, and position in `ANSWERS`."""
    ground: int | None
    """Number of its ground."""
    reason: int | None
    """Position in `REASONS` when it has one."""


class PreparedColumn:
    """One test column of one release."""

    __slots__ = ("column", "drug", "flat", "head", "label", "pieces", "plain", "refusal", "spelt")

    def __init__(self, panel: Panel, column: TestColumn) -> None:
        """Prepare the answers of a panel to a test column, also one that no model answers."""
        self.column = column
        self.drug = column.drug
        self.flat = panel.flat.get(column.model_column) if column.is_mic else None
        self.refusal = refusal_of(column)
        """The answer to every value when `flat` is None."""
        self.label = column.model_column if self.flat is not None else None
        """Name under which answers are counted; None where no model answers."""
        self.pieces = _pieces(column.category_column)
        """Spelt answers: ``"Eti_AMK_NM":"S"``, by position in `ANSWERS` plus `MARK_STEP` times that in `MARKS`."""
        facts = column_provenance(panel, column)
        self.head = orjson.dumps({column.category_column: {**facts, "ground": []}})[1:-3]
        """Provenance of the column, up to the grounds of its rows; ``]}`` ends it."""
        self.plain = orjson.dumps({column.category_column: facts})[1:-1]
        """Provenance of the column without grounds."""
        self.spelt: dict[tuple[str | None, int], dict[str | None, SpeltAnswer]] = {}
        """Answers that were given, by organism and position in `SITES`, then by the MIC's text."""


@dataclass(frozen=True, slots=True)
class RecordForm:
    """What the columns of a record are for."""

    organism: str
    """Name of the column that holds the organism."""
    specimen: str | None
    tests: Sequence[tuple[str, PreparedColumn]]
    """Name of each test column, no test twice."""


class PreparedRelease:
    """A panel with all that is spelt once."""

    def __init__(self, panel: Panel) -> None:
        """Prepare a panel."""
        self.panel = panel
        self.grounds: Sequence[bytes] = [_spelt_ground(number, ground) for number, ground in enumerate(panel.grounds)]
        """Each ground with its number as key: ``"12":{...}``."""
        self.numbers: Sequence[bytes] = [*(b"%d" % number for number in range(len(panel.grounds))), b"null"]
        """Numbers of grounds as text; `NO_GROUND`, which is -1, finds the last."""
        self.marks: Sequence[bytes] = [marks.tobytes() for marks in panel.marks]
        """As in `Panel`, quicker for one."""
        facts = {"release": panel.release, "sirena": __version__, "organisms": []}
        self.head = b'"provenance":' + orjson.dumps(facts)[:-2]
        """Where the answers come from, up to the organisms of the rows."""
        self._sentences: dict[tuple[int, int], str] = {}
        self._roles: dict[str, PreparedColumn | ColumnRole] = {}
        self._columns: dict[str, PreparedColumn] = {}
        self._forms: dict[tuple[str, ...], RecordForm | None] = {}
        self._room = _MOST_ANSWERS
        for column in panel.tables:
            self.role(column)

    def role(self, name: str) -> PreparedColumn | ColumnRole:
        """Return what a column of a request is for, by its name."""
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
        """Return what the columns of a record are for; None where that is not plain."""
        try:
            return self._forms[names]
        except KeyError:
            form = self._read_form(names)
            short = len(self._forms) < _MOST_FORMS and sum(map(len, names)) <= _LONGEST_FORM
            # a column that is not kept by itself is not kept by a form either
            if short and (form is None or all(self._columns.get(one.column.name) is one for _, one in form.tests)):
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
        if organism is None or not tests or len({prepared.column.name for _, prepared in tests}) != len(tests):
            return None
        return RecordForm(organism, of_role.get(ColumnRole.SPECIMEN), tests)

    def spell(self, column: PreparedColumn, organism: str | None, place: int, text: str | None) -> SpeltAnswer:
        """Answer one MIC, and keep the answer to one that can be read.

        Args:
            column: that is asked.
            organism: as `resolve_text` reads it.
            place: of the site in `SITES`.
            text: the MIC.
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
        spelt = SpeltAnswer(
            column.pieces[answer + MARK_STEP * mark],
            column.head + self.numbers[number] + b"]}",
            (column.label, answer),
            None if number == NO_GROUND else number,
            answer if REASONS[answer] is not None else None,
        )
        if self._room and (code >= 0 or code == MISSING) and (text is None or len(text) <= _LONGEST_MIC):
            self._room -= 1
            column.spelt.setdefault((organism, place), {})[text] = spelt
        return spelt

    def sentence(self, answer: int, number: int | None, site: Site | None) -> str | None:
        """Return what an answer rests on, as ``Eti_X_basis`` of a file tells it in English; None where not asked.

        Args:
            answer: position in `ANSWERS`.
            number: of the ground; None where no row of a guideline or of labels answers.
            site: of the row; None where the specimen could not be read.
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
        """Return a test column as prepared."""
        prepared = self._columns.get(column.name)
        if prepared is None:
            prepared = PreparedColumn(self.panel, column)
            if len(self._columns) < _MOST_COLUMNS:
                self._columns[column.name] = prepared
        return prepared


def _spelt_ground(number: int, ground: Ground) -> bytes:
    document = {str(number): {**ground.to_json(), "english": ground.english(), "spanish": ground.spanish()}}
    return orjson.dumps(document)[1:-1]


def _spelt_reason(reason: Reason) -> bytes:
    return orjson.dumps({reason.value: {"english": reason.sentence, "spanish": reason.spanish}})[1:-1]


REASONS: Final[Sequence[bytes | None]] = [
    _spelt_reason(answer.reason) if answer is not None and answer.reason is not None else None for answer in ANSWERS
]
"""By position in `ANSWERS`: its reason as ``"censored":{...}``; None where it has none."""


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
