"""Small panels made by hand, in which the reader of a test knows every cell."""

import numpy as np

from sirena.domain.category import Category, Reason
from sirena.domain.ground import Ground, GroundKind
from sirena.domain.mic import CODES, Interval, Mic
from sirena.domain.truth_table import TruthTable, answer_code, split_key
from sirena.panel.compiled import Panel


def cut_row(susceptible: int, resistant: int) -> np.ndarray:
    """Return one organism's row: S at or below, R at or above, as exponents of 2 mg/L; I between, NI if censored."""
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


URINE = "uncomplicated urinary tract infection"
"""Words of a ground that holds for urine alone."""


def cut_ground(key: str, susceptible: int, resistant: int, *, site: str = "") -> Ground:
    """Return the ground of a row with these cut points, as of a guideline's breakpoint for the organism."""
    return Ground(
        GroundKind.BREAKPOINT,
        "CLSI 2026",
        statement="breakpoint",
        rank="species",
        group=split_key(key)[0],
        site=site,
        susceptible=2.0**susceptible,
        resistant=2.0**resistant,
        middle="I",
        source="Table 0",
        readings=2,
    )


def cut_table(
    column: str, cuts: dict[str, tuple[int, int]], *, sites: dict[str, str] | None = None, **named: object
) -> TruthTable:
    """Return a table with one pair of cut points per key.

    Args:
        column: test column that the table answers.
        cuts: exponents of S and R by key, ``eco`` or ``eco@urine``.
        sites: site in the ground of a key, for keys whose ground is for one site.
        named: further fields of the table, by name.
    """
    return TruthTable(
        column,
        tuple(cuts),
        np.array([cut_row(*pair) for pair in cuts.values()], dtype=np.uint8).reshape(len(cuts), CODES),
        grounds=tuple(cut_ground(key, *pair, site=(sites or {}).get(key, "")) for key, pair in cuts.items()),
        **named,  # type: ignore[arg-type]
    )


def small_panel(release: str = "release-1", *, shift: int = 0) -> Panel:
    """Return a panel of two models: AMK for E. coli and P. aeruginosa, CAZ for E. coli only.

    Args:
        release: name of the release.
        shift: dilutions by which every cut point is moved, to make panels that differ.
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
            "edition": "CLSI 2026",
            "basis": "reference",
        }
        for column in tables
    }
    return Panel(tables, provenance, release)


def panel_with_sites(release: str = "release-2") -> Panel:
    """Return a panel whose answers differ by site.

    PEN for pneumococcus: one row for cerebrospinal fluid, and one for every other site, whose ground says so. NIT for
    E. coli: a row for urine, which also answers for an unknown site, and none for other sites.
    """
    tables = {
        "PEN_NM": cut_table(
            "PEN_NM", {"spn": (1, 3), "spn@csf": (-4, -3)}, sites={"spn": "non-meningitis", "spn@csf": "meningitis"}
        ),
        "NIT_NM": cut_table(
            "NIT_NM",
            {"eco@urine": (5, 7), "eco@unknown": (5, 7)},
            sites={"eco@urine": URINE, "eco@unknown": URINE},
        ),
    }
    facts = {"version": "1", "release": release, "edition": "CLSI 2026", "basis": "reference"}
    return Panel(tables, {column: {"model": f"modelo_{column}", **facts} for column in tables}, release)
