"""The sheet of grounds in a workbook: the statements on which the answers of each column rest, and how many do."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

    from sirena.panel.column_answers import ColumnTally

SHEET: Final = "Grounds"
_STRUCTURE: Final = (
    *("edition", "kind", "statement", "rank", "group", "site", "susceptible", "resistant", "middle"),
    *("source", "readings", "doubt", "remark"),
)
_HEADER: Final = ("column", "results", "mark", *_STRUCTURE, "english", "spanish")


class GroundSheet:
    """The grounds of the answers in a file, added column by column."""

    def __init__(self) -> None:
        """Create the sheet without grounds."""
        self._rows: list[tuple[str, ...]] = []

    def add(self, tally: "ColumnTally") -> None:
        """Add the grounds of the answers in one column, the most common first."""
        for use in sorted(tally.grounds, key=lambda use: -use.count):
            facts = use.ground.to_json()
            cells = [_spelt(facts.get(name, "")) for name in _STRUCTURE]
            mark = use.mark.value if use.mark else ""
            self._rows.append((tally.column, str(use.count), mark, *cells, use.ground.english(), use.ground.spanish()))

    def table(self) -> "pl.DataFrame":
        """Return the sheet as a table of texts."""
        import polars as pl

        return pl.DataFrame(self._rows, schema=dict.fromkeys(_HEADER, pl.String), orient="row")


def _spelt(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
