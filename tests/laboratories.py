"""Small WHONET files and truth tables for tests of training."""

from pathlib import Path

import numpy as np
import polars as pl

from sirena.domain.category import Category, Reason
from sirena.domain.mic import DILUTIONS, MINIMUM_EXPONENT
from sirena.domain.site import Site
from sirena.domain.truth_table import TruthTable, answer_code
from sirena.training.cells import Cells, cells_of, tally, with_keys
from sirena.training.evidence import ROW_TYPES, Evidence, LabelSource
from sirena.whonet.file import WhonetFile
from sirena.whonet.reading import read_file

CENSORED = answer_code(Category.NI, Reason.CENSORED)
NO_BREAKPOINT = answer_code(Category.NI, Reason.NO_BREAKPOINT)


def whonet_file(folder: Path, text: str) -> WhonetFile:
    """Write lines of comma-separated values into a file, and read it as a WHONET file."""
    path = folder / "hospital.csv"
    path.write_text("\n".join(line.strip() for line in text.strip().splitlines()) + "\n", encoding="utf-8")
    return read_file(path)


def row_of_answers(*steps: tuple[int, Category]) -> np.ndarray:
    """Return a table's row in which each category begins at a dilution (an exponent); censored MICs agree with it."""
    exact = np.full(DILUTIONS, NO_BREAKPOINT, dtype=np.uint8)
    for exponent, category in steps:
        exact[exponent - MINIMUM_EXPONENT :] = answer_code(category)
    below = np.logical_and.accumulate(exact == exact[0])
    above = np.logical_and.accumulate((exact == exact[-1])[::-1])[::-1]
    return np.concatenate([exact, np.where(below, exact, CENSORED), np.where(above, exact, CENSORED)]).astype(np.uint8)


def reference_table(column: str = "AMK_NM") -> TruthTable:
    """Return a reference table with every kind of row: S-I-R, S-SDD-R, S-NS, always R, R only, none stated."""
    lowest = MINIMUM_EXPONENT
    rows = {
        "eco": row_of_answers((lowest, Category.S), (3, Category.I), (5, Category.R)),
        "kpn": row_of_answers((lowest, Category.S), (3, Category.I), (5, Category.R)),
        "ecl": row_of_answers((lowest, Category.S), (2, Category.SDD), (4, Category.R)),
        "pae": row_of_answers((lowest, Category.S), (5, Category.I), (6, Category.R)),
        "spn": row_of_answers((lowest, Category.S), (-2, Category.NS)),
        "efm": row_of_answers((lowest, Category.R)),
        "sau": row_of_answers((2, Category.R)),
        "cal": row_of_answers(),
    }
    return TruthTable(column, tuple(rows), np.stack(list(rows.values())), absent=Reason.NO_BREAKPOINT)


def evidence_of(*cells: tuple[str, str, int, str, int], column: str = "AMK_NM", site: Site = Site.UNKNOWN) -> Evidence:
    """Return evidence of isolates from one site, given as (organism, kind of interval, exponent, label, number)."""
    kinds = {"=": 0, "<=": DILUTIONS, ">=": 2 * DILUTIONS}
    rows = [
        (organism, site.value, column, kinds[kind] + exponent - MINIMUM_EXPONENT, label)
        for organism, kind, exponent, label, number in cells
        for _ in range(number)
    ]
    frame = pl.DataFrame(rows, schema=["organism", "site", "column", "mic_code", "label"], orient="row")
    frame = frame.with_row_index("isolate").cast(ROW_TYPES).select(ROW_TYPES.names())
    return Evidence(frame, LabelSource.FILE)


def counted(rows: pl.DataFrame, reference: TruthTable | None = None) -> Cells:
    """Count rows of evidence for amikacin into cells, by the keys of a reference if it has one."""
    return cells_of("AMK_NM", with_keys(tally(rows, seed=0), reference))


def laboratory(seed: int = 0, isolates: int = 400) -> Evidence:
    """Draw a laboratory's results: cut points 8/32 mg/L for E. coli, 16/64 for P. aeruginosa, 1 % wrong labels."""
    random = np.random.default_rng(seed)
    cells = []
    for _ in range(isolates):
        organism, lower, upper = [("eco", 3, 5), ("kpn", 3, 5), ("pae", 4, 6)][random.integers(3)]
        exponent = int(random.integers(-2, 9))
        level = (exponent > lower) + (exponent >= upper)
        if random.random() < 0.01:
            level = 2 - level
        kind = "<=" if exponent == -2 else ">=" if exponent == 8 else "="
        cells.append((organism, kind, exponent, "SIR"[level], 1))
    return evidence_of(*cells)
