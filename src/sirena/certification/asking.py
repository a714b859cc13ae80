"""Asking any model, Sirena's or another's, every question of the grid (each organism, body site and MIC).

A compiled `TruthTable` is read by one array index. Any other model gets the questions as a user would write them
(organism code, MIC text), and its answers are kept for each question, since a foreign model may not follow Sirena's
rules: it may answer ``3`` differently from ``4``, or ``<4`` differently from ``<=2``.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sirena.certification.grid import (
    ASKED_LATTICE,
    CANONICAL_QUESTION,
    CODE_LATTICE,
    COMPARATORS,
    QUESTION_CODES,
    SCALE,
)
from sirena.certification.replies import Replies, read_replies
from sirena.domain.errors import SirenaError, UsageError
from sirena.domain.site import Site
from sirena.domain.specimens import SPECIMEN_COLUMN
from sirena.domain.truth_table import NOT_ASKED, TruthTable, key_of, split_key

ORGANISM_COLUMN: Final = "ORGANISM"
"""Header of the column of organism codes in the questions to a model, as in WHONET files."""
_SPECIMEN_OF: Final = {
    Site.UNKNOWN: "",
    Site.CEREBROSPINAL_FLUID: "sf",
    Site.URINE: "ur",
    Site.BLOOD: "bl",
    Site.RESPIRATORY: "sp",
    Site.STOOL: "st",
    Site.OTHER: "wd",
}
"""A WHONET specimen code for each site, by which a model is asked."""


@dataclass(frozen=True)
class AskedTable:
    """A model's answers to every question of the grid."""

    column: str
    """Test column that the model answers, ``AMK_NM``."""
    keys: tuple[str, ...]
    """First axis of `answers`: organism codes, with a site if it was asked separately (`truth_table.key_of`)."""
    answers: NDArray[np.uint8]
    """Positions in `ANSWERS`; shape (keys, 5 comparators, 41 numbers); 0 is a refusal without reason."""
    cells: NDArray[np.uint8] | None = None
    """The whole truth table by MIC code, if the model is one; shape (keys, 3, 28)."""
    unintelligible_replies: int = 0
    """Number of replies that were neither a category nor empty; they count as refusals."""
    failed_questions: int = 0
    """Number of questions that ended in an error of the model; they count as refusals."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of test column, keys and answers; it identifies what was certified."""
        state = hashlib.sha256("\n".join((self.column, *self.keys)).encode())
        for array in (self.answers, self.cells):
            state.update(b"\0" if array is None else np.ascontiguousarray(array).tobytes())
        return state.hexdigest()

    @cached_property
    def spelling_conflicts(self) -> int:
        """Number of questions answered differently from the plainest spelling of the same MIC (``<4`` and ``<=2``)."""
        flat = self.answers.reshape(len(self.keys), ASKED_LATTICE.size)
        return int((flat != flat[:, CANONICAL_QUESTION]).sum())


def ask_table(table: TruthTable) -> AskedTable:
    """Return a truth table's answers to every question.

    >>> from sirena.domain.mic import CODES
    >>> table = TruthTable("AMK_NM", ("eco",), np.ones((1, CODES), dtype=np.uint8))
    >>> ask_table(table).answers.shape
    (1, 5, 41)
    """
    count = len(table.keys)
    return AskedTable(
        column=table.column,
        keys=table.keys,
        answers=table.cells[:, QUESTION_CODES].reshape(count, len(COMPARATORS), len(SCALE)),
        cells=table.cells.reshape(count, len(CODE_LATTICE.comparators), len(CODE_LATTICE.numbers)),
    )


def table_of_predictor(
    predict: Callable[[pd.DataFrame], Any],
    column: str,
    keys: Sequence[str],
    *,
    batch_rows: int = 20_000,
    on_progress: Callable[[int, int], None] | None = None,
) -> AskedTable:
    """Return any model's answers to every question, asked as rows of organism code, specimen and MIC text.

    The model is asked in batches with one comparator each. A batch that raises an error is halved by organism until
    the organisms that cause the error are found; their questions with that comparator count as refused.

    Args:
        predict: takes a frame with columns ``ORGANISM``, ``SPEC_TYPE`` and ``column``, all text, and returns one answer
            per row: a frame holding ``Eti_<column>`` or a single column, a series, a list, an array; category
            texts, or the codes 0, 1, 2 for S, I, R; None, NaN or "" for a refusal.
        column: test column, ``AMK_NM``.
        keys: WHONET codes to ask about, each once; with a body site if that is asked about separately.
        batch_rows: maximum number of rows in one call of `predict`.
        on_progress: called after each batch with the number of questions asked so far, and of all questions.

    Raises:
        UsageError: there are no organisms, or one occurs twice, or the answers have an unknown form.
        SirenaError: the model fails on every question.

    >>> answered = table_of_predictor(lambda questions: ["S"] * len(questions), "AMK_NM", ["eco", "kpn"])
    >>> answered.answers.shape, answered.failed_questions
    ((2, 5, 41), 0)
    """
    names = tuple(keys)
    if not names:
        raise UsageError(f"{column}: no organism to ask the model for", hint="name the organisms of its vocabulary")
    if len(set(names)) != len(names):
        raise UsageError(f"{column}: an organism is named twice", hint="name each organism once")
    answers = np.full((len(names), len(COMPARATORS), len(SCALE)), NOT_ASKED, dtype=np.uint8)
    questions = [_question(key, set(names)) for key in names]
    total, question_count, unintelligible_replies, failed_questions = answers.size, 0, 0, 0
    last_error: Exception | None = None
    for comparator, rows in _batches(len(names), max(1, batch_rows // len(SCALE))):
        parts = [rows]
        while parts:
            part = parts.pop()
            replies, error = _ask(predict, column, questions[part], comparator)
            size = len(names[part]) * len(SCALE)
            if replies is not None:
                answers[part, comparator] = replies.answers.reshape(-1, len(SCALE))
                unintelligible_replies += replies.unintelligible_replies
            elif len(names[part]) > 1:
                middle = (part.start + part.stop) // 2
                parts += [slice(part.start, middle), slice(middle, part.stop)]
                continue
            else:
                failed_questions, last_error = failed_questions + size, error
            question_count += size
            if on_progress is not None:
                on_progress(question_count, total)
    if failed_questions == total:
        raise SirenaError(
            f"{column}: the model ends with {type(last_error).__name__} on every question",
            hint=f"it must take a frame with the text columns {ORGANISM_COLUMN} and {column}",
        ) from last_error
    if unintelligible_replies == total - failed_questions:
        raise UsageError(
            f"{column}: none of the model's answers is a category",
            hint="answer S, I, R, SDD, NS or NI, or the codes 0, 1, 2 for S, I, R",
        )
    return AskedTable(
        column, names, answers, unintelligible_replies=unintelligible_replies, failed_questions=failed_questions
    )


def _batches(organisms: int, step: int) -> Iterator[tuple[int, slice]]:
    for comparator in range(len(COMPARATORS)):
        for start in range(0, organisms, step):
            yield comparator, slice(start, min(start + step, organisms))


def _question(key: str, keys: set[str]) -> tuple[str, str]:
    """Return the organism code and specimen by which to ask about a key: of its site, or of one without its own key."""
    organism, site = split_key(key)
    if site is None:
        site = next(site for site in (Site.UNKNOWN, Site.OTHER, *Site) if key_of(organism, site) not in keys)
    return organism, _SPECIMEN_OF[site]


def _ask(
    predict: Callable[[pd.DataFrame], Any], column: str, questions: Sequence[tuple[str, str]], comparator: int
) -> tuple[Replies | None, Exception | None]:
    prefix = COMPARATORS[comparator].prefix
    frame = pd.DataFrame(
        {
            ORGANISM_COLUMN: np.repeat(np.array([organism for organism, _ in questions], dtype=object), len(SCALE)),
            SPECIMEN_COLUMN: np.repeat(np.array([specimen for _, specimen in questions], dtype=object), len(SCALE)),
            column: np.tile(np.array([prefix + number for number in SCALE], dtype=object), len(questions)),
        },
        dtype=object,
    )
    try:
        return_value = predict(frame)
    except Exception as error:  # noqa: BLE001 - a stranger's model may raise anything; what it refuses is the finding
        return None, error
    return read_replies(return_value, column, len(frame)), None
