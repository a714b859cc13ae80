"""How a file is to be answered: by which truth tables, and with which expert rules."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from sirena.domain.category import Reason
from sirena.domain.mic import CODES
from sirena.domain.site import Site
from sirena.domain.test_column import TestColumn
from sirena.domain.truth_table import TruthTable
from sirena.panel.column_answers import TablesFor
from sirena.whonet.file import WhonetFile

if TYPE_CHECKING:
    from sirena.guidelines.choice import ChosenEditions
    from sirena.guidelines.interpreter import Reading
    from sirena.guidelines.written_rules import RulesSource
    from sirena.panel.compiled import Panel
    from sirena.stewardship.expert_rules import ExpertRule


@dataclass(frozen=True)
class RulesToApply:
    """Expert rules, and where those of the hospital come from."""

    rules: "tuple[ExpertRule, ...]"
    own_name: str
    """File name of the hospital's own rules among them; empty if there are none."""


def rules_to_apply(with_expert_rules: bool, path: Path | None = None) -> RulesToApply | None:
    """Return the expert rules to apply; None if none are requested.

    The hospital's own rules are those in the given file, else those approved and in force.

    Args:
        with_expert_rules: True applies Sirena's expert rules, and the hospital's own that are in force.
        path: file of the hospital's own rules; if there is one, expert rules are applied in any case.

    Raises:
        SirenaError: the ledger, which holds the approved rules, cannot be read.
        TableError: the table has a row that is no rule.
    """
    if not with_expert_rules and path is None:
        return None
    from sirena.stewardship.expert_rules import load_expert_rules

    own = path or _rules_in_force()
    return RulesToApply(load_expert_rules(own), "" if own is None else own.name)


def _rules_in_force() -> "RulesSource | None":
    from sirena.acts.rules_in_force import expert_rules_in_force
    from sirena.settings.catalogue import load_settings

    return expert_rules_in_force(load_settings())


def stamp_with_rules(stamp: str, rules: RulesToApply | None) -> str:
    """Return the name of what answered with that of the expert rules added: ``reference · CLSI 2026 · expert rules``.

    Args:
        stamp: name of what answered.
        rules: the expert rules that are applied; None if none are.
    """
    if rules is None:
        return stamp
    return f"{stamp} · expert rules{f' + {rules.own_name}' if rules.own_name else ''}"


@dataclass(frozen=True)
class FileQuestion:
    """How a file is to be answered, and by which truth tables."""

    tables_for: TablesFor
    """Function that returns the truth table of a test column."""
    stamp: str
    """Name of the release or editions that answer, to which that of the rules is added in the last column."""
    site: Site | None = None
    """Body site of every row; None if the specimen of each row decides."""
    source: Callable[[TestColumn], str] | None = None
    """Function that names the model that answers a column, to be written after each ground; None writes none."""
    zones: bool = False
    """True if zone columns get a category column too, with NI, because no MIC model answers them."""
    rules: RulesToApply | None = None
    """Expert rules, whose columns are written next to the categories; None to apply no rules."""

    @classmethod
    def by_editions(
        cls,
        file: WhonetFile,
        editions: "ChosenEditions",
        *,
        reading: "Reading | None" = None,
        site: Site | None = None,
        rules: RulesToApply | None = None,
    ) -> Self:
        """Create the question that guideline editions answer, each column by its own guideline.

        Args:
            file: the file, for its columns.
            editions: the guideline editions.
            reading: how the editions are to be read.
            site: body site of every row; None if the specimen of each row decides.
            rules: expert rules; None to apply no rules.
        """
        columns = _model_columns(file)
        tables = {column: _without_breakpoints(column) for column in columns}
        tables |= editions.tables(columns, reading=reading)
        return cls(
            lambda column: tables[column.model_column], stamp=editions.stamp_for(columns), site=site, rules=rules
        )

    @classmethod
    def by_release(
        cls, file: WhonetFile, panel: "Panel", *, site: Site | None = None, rules: RulesToApply | None = None
    ) -> Self:
        """Create the question that the models of a release answer.

        Args:
            file: the file, for its columns.
            panel: panel of the release.
            site: body site of every row; None if the specimen of each row decides.
            rules: expert rules; None to apply no rules.
        """
        from sirena.panel.provenance import model_of, stamp_of

        return cls(
            lambda column: panel.tables.get(column.model_column),
            stamp=stamp_of(panel, _model_columns(file)),
            site=site,
            source=lambda column: model_of(panel, column.name),
            zones=True,
            rules=rules,
        )

    @property
    def full_stamp(self) -> str:
        """Text of the last column: the release or editions, and the expert rules that are applied."""
        return stamp_with_rules(self.stamp, self.rules)


def _model_columns(file: WhonetFile) -> list[str]:
    return sorted({column.model_column for column in file.mic_columns.values()})


def _without_breakpoints(column: str) -> TruthTable:
    """Return the table of a column for which no edition has breakpoints."""
    return TruthTable(column, (), np.empty((0, CODES), dtype=np.uint8), absent=Reason.NO_BREAKPOINT)
