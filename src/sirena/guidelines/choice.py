"""Which guideline edition answers a test column: the newest in force of its guideline, unless another is named.

A column ``AMK_NM`` is answered by CLSI, ``AMK_EM`` by EUCAST, so one file may be answered by several editions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sirena.domain.errors import UsageError
from sirena.domain.test_column import parse_test_column
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.editions import Edition, Editions
from sirena.guidelines.interpreter import Reading, compile_tables
from sirena.guidelines.rows import Guideline
from sirena.guidelines.written_rules import RulesSource


@dataclass(frozen=True)
class ChosenEditions:
    """The guideline editions chosen, one for each guideline."""

    by_letter: Mapping[str, Edition]
    """Edition by the guideline letter of test columns: N is CLSI, E is EUCAST."""

    def of(self, column: str) -> Edition | None:
        """Return the edition that answers a test column; None if no edition of the column's guideline was chosen."""
        test_column = parse_test_column(column)
        return self.by_letter.get(test_column.guideline) if test_column else None

    def names_for(self, columns: Iterable[str]) -> str:
        """Return the names of the editions that some test columns need: ``CLSI 2026, EUCAST 2026``."""
        editions = (self.of(column) for column in columns)
        return ", ".join(sorted({edition.name for edition in editions if edition is not None}))

    def stamp_for(self, columns: Iterable[str]) -> str:
        """Return how a file names what answered some test columns: ``reference · CLSI 2026``."""
        edition_names = self.names_for(columns)
        return f"reference · {edition_names}" if edition_names else "reference"

    def tables(self, columns: Iterable[str], *, reading: Reading | None = None) -> dict[str, TruthTable]:
        """Compile the truth tables of some test columns, each from the edition of its guideline.

        Args:
            columns: model columns, ``AMK_NM``.
            reading: how the editions are to be read.

        Returns:
            Truth table by test column; columns without an edition, or about which it states nothing, are left out.
        """
        drugs: dict[str, list[str]] = {}
        for test_column in filter(None, map(parse_test_column, columns)):
            drugs.setdefault(test_column.guideline, []).append(test_column.drug)
        table_sets = (
            compile_tables(edition, sorted(set(drugs.get(letter, ()))), reading=reading or Reading())
            for letter, edition in self.by_letter.items()
        )
        return {table.column: table for tables in table_sets for table in tables.values() if table.keys}


def choose_editions(
    editions: Editions,
    names: Sequence[str] = (),
    overlay: RulesSource | None = None,
    *,
    in_force: RulesSource | None = None,
) -> ChosenEditions:
    """Return the edition for each guideline: the named ones, and for the other guidelines the newest in force.

    Args:
        editions: the editions to choose from.
        names: names of requested editions, at most one of each guideline: ``CLSI 2025``.
        overlay: a hospital's own rules that the caller requests; None for none.
        in_force: the hospital's rules in force; they change the editions that they name.

    Raises:
        UsageError: there is no such edition, two of one guideline are named, or no edition has a rule of the overlay.

    >>> from sirena.guidelines.editions import Editions
    >>> choose_editions(Editions(), ["CLSI 2025"]).names_for(["AMK_NM"])
    'CLSI 2025'
    """
    named_editions = [editions.load(name, in_force=in_force) for name in names]
    edition_of_letter = {edition.guideline.letter: edition for edition in named_editions}
    if len(edition_of_letter) < len(named_editions):
        raise UsageError("two editions of one guideline are named", hint="name one for CLSI and one for EUCAST")
    for guideline in Guideline:
        if guideline.letter not in edition_of_letter:
            edition_of_letter[guideline.letter] = editions.load(guideline, in_force=in_force)
    if overlay is None:
        return ChosenEditions(edition_of_letter)
    overlaid_editions = {
        letter: editions.load(_plain(edition), in_force=overlay) for letter, edition in edition_of_letter.items()
    }
    if not any(edition.overlay for edition in overlaid_editions.values()):
        raise UsageError(
            f"{overlay.name} has no rule for {' or '.join(_plain(edition) for edition in edition_of_letter.values())}",
            hint="name the edition its rules are for; see docs/howto/local-rules.md",
        )
    return ChosenEditions(overlaid_editions)


def _plain(edition: Edition) -> str:
    return edition.name.partition(" + ")[0]
