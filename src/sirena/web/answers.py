"""What gives the answers on the web pages: the guideline editions in force, or the models of a release."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.test_column import TestColumn
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.choice import ChosenEditions
from sirena.panel.compiled import Panel
from sirena.panel.provenance import stamp_of


@dataclass(frozen=True)
class NamedPanel:
    """A panel of models, with the name that the web pages show."""

    panel: Panel
    name: str
    """Name on the pages: ``CLSI 2026, EUCAST 2026`` or ``release 3 · CLSI 2026``."""
    by_models: bool
    """True when models of a release answer; False when the guideline editions do."""
    source_of: Callable[[Iterable[str]], str]
    """Function that returns what answers some model columns, as reports name it: ``reference · CLSI 2026``."""

    def table_of(self, column: TestColumn) -> TruthTable | None:
        """Return the truth table that answers a test column; None if there is none."""
        return self.panel.tables.get(column.model_column)


def answers_of_editions(editions: ChosenEditions, columns: Collection[str] | None = None) -> NamedPanel:
    """Return a panel compiled from guideline editions instead of models.

    Args:
        editions: the guideline editions, one for each guideline.
        columns: model columns to answer; by default those of every antimicrobial in the editions, which takes half a
            second.
    """
    if columns is None:
        columns = [f"{drug}_{letter}M" for drug in ANTIMICROBIALS for letter in editions.by_letter]
    tables = editions.tables(columns)
    provenance = {}
    for column in tables:
        edition = editions.of(column)
        assert edition is not None  # a table is made by an edition
        provenance[column] = {"edition": edition.name}

    return NamedPanel(
        Panel(tables, provenance, "reference"),
        editions.names_for(tables),
        by_models=False,
        source_of=editions.stamp_for,
    )


def answers_of_release(panel: Panel) -> NamedPanel:
    """Return the panel of a release, with its name for the pages."""
    return NamedPanel(
        panel, stamp_of(panel, panel.tables), by_models=True, source_of=lambda columns: stamp_of(panel, columns)
    )
