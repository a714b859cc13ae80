"""What another guideline edition would change in an open file.

Rules, each with a test of like name:

- an edition answers the columns of its own guideline; in a file without such columns, it answers all columns as if they
were of its guideline; - a change from S to R comes first, then the change with most results; - figures are those of
`panel.file_changes`, which `sirena release diff --file` prints.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from sirena.domain.category import Category
from sirena.domain.test_column import TestColumn, parse_test_column
from sirena.domain.truth_table import ANSWERS, TruthTable
from sirena.guidelines.editions import Edition, Editions
from sirena.guidelines.interpreter import compile_tables
from sirena.guidelines.written_rules import RulesSource
from sirena.panel.compiled import Panel
from sirena.panel.file_changes import FileChanges, file_changes, gravest_first
from sirena.panel.frame import Isolates
from sirena.web.explanation import CellExplanation
from sirena.web.opened_file import OpenedFile

_REFERENCE: Final = "reference · "
"""Prefix of the names of editions when no model answers."""


@dataclass(frozen=True)
class EditionChanges(FileChanges):
    """Changes that another guideline edition would make in the answers of a file."""

    current_answers: str
    """Name of the editions or release that answer these columns now: ``CLSI 2026``, ``release 3 · CLSI 2026``."""
    edition: str
    """Name of the other edition, with the hospital's own rules in force on it."""
    own_guideline: bool
    """True when the file has columns of this edition's guideline."""


@dataclass(frozen=True)
class OfficialAnswer:
    """The answer of a guideline edition to a result that a model answered."""

    edition: str
    category: Category
    is_same: bool
    """True when the model gave the same answer with the same reason."""


@dataclass(frozen=True)
class OtherEditions:
    """The guideline editions with which a file can be compared."""

    editions: Editions = field(default_factory=Editions)
    overlay: Callable[[], RulesSource | None] = lambda: None
    """Function that returns the hospital's own rules in force."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all guideline editions."""
        return self.editions.names

    def changes(self, opened_file: OpenedFile, name: str) -> EditionChanges:
        """Return what a guideline edition would change in the answers of an open file.

        Args:
            opened_file: the file.
            name: one of `names`.

        Raises:
            UsageError: there is no such edition.
        """
        edition = self.editions.load(name, in_force=self.overlay())
        columns = opened_file.file.mic_columns
        own = {header: column for header, column in columns.items() if column.guideline == edition.guideline.letter}
        compared_columns = own or columns
        isolates = replace(Isolates.of_file(opened_file.file), test_columns=compared_columns)
        tables = _tables_of(edition, compared_columns)
        changes = file_changes(isolates, opened_file.answers.panel, Panel(tables, {}, edition.name))
        current_answers = opened_file.answers.source_of(column.model_column for column in compared_columns.values())
        return EditionChanges(
            len(compared_columns),
            gravest_first(changes),
            current_answers.removeprefix(_REFERENCE),
            edition.name,
            bool(own),
        )

    def official(self, explanation: CellExplanation) -> OfficialAnswer | None:
        """Return the answer of the guideline edition that a model learnt; None if no model answered, or none is known.

        Args:
            explanation: explanation of the answer.
        """
        name = explanation.provenance.get("edition", "").partition(" + ")[0]
        column = parse_test_column(explanation.column)
        if (
            not explanation.provenance.get("model")
            or name not in self.names
            or explanation.organism is None
            or column is None
        ):
            return None
        panel = Panel(_tables_of(self.editions.load(name), {explanation.column: column}), {}, name)
        answer = ANSWERS[
            panel.answer_resolved(explanation.column, explanation.organism.code, explanation.mic_read, explanation.site)
        ]
        return OfficialAnswer(name, answer.category if answer else Category.NI, answer == explanation.answer)


def _tables_of(edition: Edition, columns: Mapping[str, TestColumn]) -> dict[str, TruthTable]:
    tables = _compiled(edition, tuple(sorted({column.drug for column in columns.values()})))
    return {
        column.model_column: replace(table, column=column.model_column)
        for column in columns.values()
        if (table := tables[column.drug]).keys
    }


@lru_cache(maxsize=4)
def _compiled(edition: Edition, drugs: tuple[str, ...]) -> dict[str, TruthTable]:
    return compile_tables(edition, drugs)
