"""Small panels made by hand: every cell is known to the reader of a test."""

import numpy as np

from sirena.domain.category import Category, Reason
from sirena.domain.mic import CODES, Interval, Mic
from sirena.domain.truth_table import TruthTable, answer_code
from sirena.panel.compiled import Panel


def cut_row(susceptible: int, resistant: int) -> np.ndarray:
    """Return one organism's row: S at or below, R at or above, as exponents of 2 mg/L; I between, NI when censored."""
    row = np.empty(CODES, dtype=np.uint8)
    for code in range(CODES):
        mic = Mic.from_code(code)
        low = -99 if mic.interval is Interval.AT_MOST else mic.exponent
        high = 99 if mic.interval is Interval.AT_LEAST else mic.exponent
        ends = {_category(end, susceptible, resistant) for end in (low, high)}
        row[code] = answer_code(ends.pop()) if len(ends) == 1 else answer_code(Category.NI, Reason.CENSORED)
    return row


def _category(exponent: int, susceptible: int, resistant: int) -> Category:
    if exponent <= susceptible:
        return Category.S
    return Category.R if exponent >= resistant else Category.I


def cut_table(column: str, cuts: dict[str, tuple[int, int]], **named: object) -> TruthTable:
    """Return a table with one pair of cut points per organism."""
    return TruthTable(
        column,
        tuple(cuts),
        np.array([cut_row(*pair) for pair in cuts.values()], dtype=np.uint8).reshape(len(cuts), CODES),
        basis=tuple(f"{organism} S<=2^{low} R>=2^{high}" for organism, (low, high) in cuts.items()),
        **named,  # type: ignore[arg-type]
    )


def small_panel(release: str = "release-1", *, shift: int = 0) -> Panel:
    """Return a panel of two models: AMK for E. coli and P. aeruginosa, CAZ for E. coli only.

    Args:
        release: its name.
        shift: dilutions by which every cut point is moved, to tell two panels apart.
    """
    tables = {
        "AMK_NM": cut_table("AMK_NM", {"eco": (2 + shift, 4 + shift), "pae": (4 + shift, 6 + shift)}),
        "CAZ_NM": cut_table("CAZ_NM", {"eco": (2 + shift, 4 + shift)}),
    }
    provenance = {
        column: {
            "model": f"modelo_{column}",
            "version": "3",
            "release": release,
            "edition": "CLSI 2025",
            "basis": "reference",
        }
        for column in tables
    }
    return Panel(tables, provenance, release)
