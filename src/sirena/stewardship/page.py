"""The antibiogram as one page to print, in a single file without scripts or further requests.

A cell shows %S and n in figures, and %S as a shade of blue, darker for lower susceptibility, so that a grey printer
shows it too; a cell with fewer than 30 isolates has no colour. Species are in order of frequency, drugs by class:
nothing is ranked by susceptibility.
"""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.language import Language
from sirena.domain.organisms import ORGANISMS, Rank
from sirena.stewardship.antibiogram import Antibiogram
from sirena.stewardship.antimicrobial_names import drug_name
from sirena.stewardship.cells import FEW
from sirena.stewardship.isolates import species_of
from sirena.stewardship.report_parts import ReportParts
from sirena.stewardship.strata import WHOLE
from sirena.stewardship.words import (
    method_sentences,
    mode_sentence,
    period_sentence,
    source_sentence,
    stratum_name,
    stratum_title,
    word,
)

_SHADES: Final = 6


class Paper(enum.StrEnum):
    """Paper size of a page, in landscape format."""

    A4 = "a4"
    A3 = "a3"


_WIDEST: Final = {Paper.A4: (20, 14), Paper.A3: (32, 22)}
"""Most drugs side by side on a page: for one guideline, and for two, whose headings need more room."""
_GROUPS: Final = ("gram_negative", "gram_positive", "others")


@dataclass(frozen=True, slots=True)
class ShownCell:
    """One cell of a table on the page."""

    text: str
    """Large text: ``67``, ``RI``, ``I↑ 94``; empty if there is nothing to show."""
    beside: str
    """Additional per cent susceptible at increased exposure, ``+I↑ 12``."""
    n: int
    marks: str
    style: str
    """Class names for the style sheet."""
    title: str
    """All figures, shown when a person points at the cell."""


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One species of a table, with its cells."""

    species: str
    isolates: int
    identifying: bool
    cells: tuple[ShownCell | None, ...]


@dataclass(frozen=True, slots=True)
class ShownTable:
    """One table: a group of organisms in one stratum."""

    heading: str
    columns: tuple[tuple[str, str], ...]
    """Pairs of column and name of the drug."""
    rows: tuple[ShownRow, ...]


def render_page(
    antibiogram: Antibiogram, language: Language, further: ReportParts | None = None, *, paper: Paper = Paper.A4
) -> str:
    """Return the page as HTML; every text on it is escaped, names of wards included.

    Args:
        antibiogram: the antibiogram.
        language: language of the page.
        further: what a report shows in addition to the antibiogram.
        paper: paper size.
    """
    parts = []
    widest = _WIDEST[paper][antibiogram.several_guidelines]
    for by in antibiogram.cells["by"].unique(maintain_order=True).to_list():
        cells = antibiogram.cells.filter(pl.col("by") == by)
        if by != WHOLE:
            cells = cells.filter(pl.col("isolates") >= FEW)
        parts.append(
            (
                by,
                stratum_title(by, language),
                list(_tables(cells, by, language, widest)),
            )
        )
    whole_cells = antibiogram.cells.filter((pl.col("by") == WHOLE) & (pl.col("mics") >= FEW))
    return _template().render(
        a=antibiogram,
        language=language.value,
        paper=paper.name,
        w=lambda name: word(name, language),
        named=lambda stratum: stratum_name(stratum, language),
        mode=mode_sentence(antibiogram, language),
        period=period_sentence(antibiogram),
        source=source_sentence(antibiogram, language),
        cautions=[c.spanish if language is Language.SPANISH else c.english for c in antibiogram.cautions],
        method=list(method_sentences(antibiogram, language)),
        parts=parts,
        mics=whole_cells.to_dicts(),
        combinations=[row for row in antibiogram.combinations.to_dicts() if row["by"] == WHOLE or not row["few"]],
        coverage=_coverage(antibiogram),
        few=FEW,
        r=further,
        drug_name=lambda column: drug_name(column, language),
    )


def _coverage(antibiogram: Antibiogram) -> dict[str, Any] | None:
    """Return the coverage of syndromes as a table with one row per regimen and one column per syndrome."""
    answers = {(row["regimen"], row["syndrome"]): row for row in antibiogram.wisca.to_dicts()}
    if not answers:
        return None
    syndromes = sorted({syndrome for _, syndrome in answers})
    regimens = sorted({regimen for regimen, _ in answers})
    rows = [(regimen, [answers.get((regimen, syndrome)) for syndrome in syndromes]) for regimen in regimens]
    return {"syndromes": syndromes, "rows": rows}


def _tables(cells: pl.DataFrame, by: str, language: Language, widest: int) -> Iterator[ShownTable]:
    for stratum in cells["stratum"].unique(maintain_order=True).to_list():
        part = cells.filter(pl.col("stratum") == stratum)
        rows_of: dict[str, list[dict[str, Any]]] = {}
        for cell in part.iter_rows(named=True):
            rows_of.setdefault(cell["species"], []).append(cell)
        for group in _GROUPS:
            species = [name for name in rows_of if _group(name) == group]
            shown_columns = {cell["column"] for name in species for cell in rows_of[name] if cell["n"]}
            if shown_columns:
                columns = sorted(shown_columns, key=_drug_order)
                heading = word(group, language)
                label = heading if by == WHOLE else f"{stratum_name(stratum, language)} · {heading}"
                for side_by_side in _batched(columns, widest):
                    rows = tuple(_row(name, rows_of[name], side_by_side, language) for name in species)
                    names = tuple((column, drug_name(column, language)) for column in side_by_side)
                    yield ShownTable(label, names, rows)


def _row(species: str, cells: list[dict[str, Any]], columns: Sequence[str], language: Language) -> ShownRow:
    by_column = {cell["column"]: _shown(cell, language) for cell in cells}
    first_cell = cells[0]
    return ShownRow(
        species, first_cell["isolates"], first_cell["identifying"], tuple(by_column.get(column) for column in columns)
    )


def _shown(cell: Mapping[str, Any], language: Language) -> ShownCell | None:
    n, title = cell["n"], _title(cell, language)
    if cell["is_expected"]:
        return ShownCell("RI", "", 0, "", "ri", title)
    if not n:
        return None
    if cell["no_s"]:
        exposure = (("I↑" if cell["guideline"] == "EUCAST" else "I", cell["percent_i"]), ("SDD", cell["percent_sdd"]))
        share_words = [f"{name} {share:.0f}" for name, share in exposure if share]
        text, shade = " ".join(share_words) or f"R {cell['percent_r']:.0f}", 100 - cell["percent_r"]
    else:
        text, shade = f"{cell['percent_s']:.0f}", cell["percent_s"]
    has_exposure = cell["guideline"] == "EUCAST" and not cell["no_s"] and cell["percent_i"]
    marks = "".join(
        mark
        for mark, present in (
            ("*", cell["few"]),
            (word("urine_mark", language), cell["urine"]),
            ("p", cell["partial"]),
            ("!", cell["selective"]),
        )
        if present
    )
    style = "few" if cell["few"] else f"s{min(int((100 - shade) / 100 * _SHADES), _SHADES - 1)}"
    return ShownCell(text, f"+I↑ {cell['percent_i']:.0f}" if has_exposure else "", n, marks, style, title)


def _title(cell: Mapping[str, Any], language: Language) -> str:
    figures = [f"{name} {cell[name]}" for name in ("S", "SDD", "I", "R", "NS", "NI") if cell[name]]
    limits = f" ({cell['low']:.0f}–{cell['high']:.0f} %)" if cell["low"] is not None else ""
    name = f"{cell['species']}, {drug_name(cell['column'], language)} {cell['guideline']}"
    return f"{name}: n {cell['n']}{limits}; {', '.join(figures)}"


def _batched(columns: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Yield the columns in parts of at most `size`."""
    for begin in range(0, len(columns), size):
        yield columns[begin : begin + size]


def _drug_order(column: str) -> tuple[str, str, str]:
    drug, _, suffix = column.partition("_")
    antimicrobial = ANTIMICROBIALS.get(drug)
    return suffix, antimicrobial.family if antimicrobial else "", drug


@cache
def _group(species: str) -> str:
    groups = _gram_of_species().get(species.partition(" (M")[0], ())
    if "Gram-negative bacteria" in groups:
        return "gram_negative"
    return "gram_positive" if "Gram-positive bacteria" in groups else "others"


@cache
def _gram_of_species() -> dict[str, tuple[str, ...]]:
    return {
        species_of(code): tuple(group for rank, group in organism.lineage if rank is Rank.ANY)
        for code, organism in ORGANISMS.items()
    }


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("sirena.stewardship"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("antibiogram.html.j2")
