"""Importing WHONET's resource tables as guideline editions.

WHONET ships every year's figures as tab-delimited text (``Breakpoints.txt``, ``Organisms.txt``,
``ExpectedResistancePhenotypes.txt``, also gzipped). This module reads the human MIC rows for the antimicrobials Sirena
knows, translates WHONET's groups of organisms into the organism table's, and writes an edition into the folder of
imported editions. Rows that cannot be translated are counted by reason.

Rules, each with a test of like name:

- files are recognised by their columns, not by their names;
- a row for one code is for that species, or for the code alone if that stands for no species (`whonet_groups`);
- WHONET's R is at or above for every guideline; EUCAST's own "above" is restored: 8 becomes "R > 4";
- a row without figures is kept as a block, after which wider groups are not searched, unless another row for the same
  antimicrobial, group and site has figures;
- rows for all organisms are PK/PD, applied only on request; EUCAST's since 2025 are left out, since EUCAST says not to
  use them;
- a figure below 0.001 means that no MIC is S;
- high-level aminoglycosides are screens, under the plain agent's code (GEN 512) too; CLSI's 500 and 1000, which WHONET
  writes as 512 and 1024, are restored, and a negative screen of EUCAST's is not S;
- if the table states different figures for the same row, the first ones count, and the row's doubt names the others;
- every row rests on one reading, that of WHONET's authors.
"""

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from sirena.domain.antimicrobials import ANTIMICROBIALS, HIGH_LEVEL
from sirena.domain.category import Category
from sirena.domain.errors import UsageError
from sirena.domain.mic import nearest_dilutions, spell_dilution
from sirena.domain.organisms import Rank
from sirena.guidelines.edition_file import EditionRecord
from sirena.guidelines.editions import Edition, folder_name, is_shipped
from sirena.guidelines.rows import (
    NO_SUSCEPTIBLE_CATEGORY,
    PK_PD,
    Breakpoint,
    ExpectedResistance,
    Guideline,
    Statement,
)
from sirena.guidelines.sites import Indication, parse_sites
from sirena.guidelines.storing import store_edition
from sirena.guidelines.tables import parse_concentration, spell_concentration
from sirena.guidelines.whonet_groups import genera_of_codes, group_of_whonet
from sirena.guidelines.whonet_tables import read_whonet_tables

_SCREENS_OF_CLSI: Final = {(512.0, 513.0): (500.0, 500.001), (1024.0, 1025.0): (1000.0, 1000.0)}
"""Figures of CLSI's screens for high-level resistance by WHONET's figures for them, which lie on the two-fold scale."""

_SCREENED: Final = frozenset({"GEN", "STR"})
_HIGH_LEVEL_FROM: Final = 100
"""mg/L. Breakpoints of gentamicin and streptomycin are lower; a figure from here on is the screen of enterococci."""

_WITHOUT_PK_PD: Final = 2025
"""Year from which EUCAST says that its PK/PD rows should not be used."""

_TOLD: Final = {
    Guideline.CLSI: "figures of the FDA may stand among those of CLSI: the tables do not tell them apart",
    Guideline.EUCAST: "the tables do not hold EUCAST's dashes, IE, notes and brackets: where EUCAST says R without "
    "testing, or gives no category, a wider row or none answers",
}
"""What the tables of WHONET do not show about an edition."""

_NARROW_NON_FERMENTERS: Final = (Rank.GENUS_GROUP, "non-fermenting Gram-negative bacilli, other")


@dataclass(frozen=True)
class ImportedEdition:
    """The result of importing one guideline edition."""

    name: str
    breakpoints: int
    expected_resistance: int
    skipped_rows: Mapping[str, int] = field(default_factory=dict)
    """Number of rows that could not be imported, by reason."""


def import_whonet(
    paths: Iterable[Path], folder: Path, names: Iterable[str] = (), *, in_force_since: datetime.date | None = None
) -> list[ImportedEdition]:
    r"""Import editions from WHONET's tables and store them, readable by every account of the machine.

    Args:
        paths: the tables, plain or gzipped, in any order; the table of breakpoints is required.
        folder: folder of imported editions; created if missing.
        names: editions to import, ``CLSI 2024``; by default the newest year of each guideline.
        in_force_since: day from which the edition is in force, which WHONET's tables do not state; allowed with one
            edition only.

    Raises:
        TableError: a file is not one of WHONET's tables, or cannot be read.
        UsageError: a named edition is not in the tables, or comes with Sirena; or `in_force_since` was given for
            several editions.

    >>> import tempfile
    >>> row = {"GUIDELINES": "CLSI", "YEAR": "1999", "TEST_METHOD": "MIC", "BREAKPOINT_TYPE": "Human"}
    >>> row |= {"ORGANISM_CODE": "eco", "ORGANISM_CODE_TYPE": "WHONET_ORG_CODE", "SITE_OF_INFECTION": ""}
    >>> row |= {"REFERENCE_TABLE": "Table 2A", "WHONET_ABX_CODE": "AMK", "S": "16", "R": "64", "SDD": ""}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder, "Breakpoints.txt")
    ...     _ = table.write_text("\t".join(row) + "\n" + "\t".join(row.values()))
    ...     import_whonet([table], Path(folder, "editions"))
    [ImportedEdition(name='CLSI 1999', breakpoints=1, expected_resistance=0, skipped_rows={})]
    """
    source = read_whonet_tables(paths)
    if "breakpoints" not in source.rows:
        raise UsageError("no table of breakpoints was given", hint="give WHONET's Breakpoints.txt, plain or gzipped")
    by_edition: dict[str, list[dict[str, str]]] = {}
    for row in source.rows["breakpoints"]:
        if row["GUIDELINES"] in Guideline.__members__:
            by_edition.setdefault(f"{row['GUIDELINES']} {row['YEAR']}", []).append(row)
    genera = genera_of_codes(
        (row["GENUS_CODE"] or "", row["WHONET_ORG_CODE"]) for row in source.rows.get("organisms", ())
    )
    statements = _read_phenotypes(source.rows.get("phenotypes", ()), genera)
    edition_names = _names_to_import(names, by_edition)
    if in_force_since is not None and len(edition_names) > 1:
        raise UsageError(f"one day was given for {len(edition_names)} editions", hint="import one at a time: --edition")
    imported = []
    for name in edition_names:
        edition, report = _read_edition(name, by_edition[name], statements, genera)
        edition = replace(edition, record=_record(edition, source.files, in_force_since))
        provenance = {
            "files": [dict(file) for file in source.files],
            "breakpoints": report.breakpoints,
            "expected_resistance": report.expected_resistance,
            "skipped": report.skipped_rows,
        }
        store_edition(folder, edition, provenance)
        imported.append(report)
    return imported


def _record(
    edition: Edition, files: Sequence[Mapping[str, str]], in_force_since: datetime.date | None
) -> EditionRecord:
    names = ", ".join(file["file"] for file in files)
    reading = f"imported from WHONET's tables ({names}); nobody compared them with the documents"
    return EditionRecord((f"WHONET's tables of {edition.name}",), in_force_since, reading, (_TOLD[edition.guideline],))


def _names_to_import(names: Iterable[str], by_edition: Mapping[str, object]) -> list[str]:
    requested_names = [_canonical(name) for name in names]
    for name in requested_names:
        if name not in by_edition:
            raise UsageError("the table holds no such edition", hint=f"it holds {', '.join(sorted(by_edition))}")
    newest = {name.split()[0]: name for name in sorted(by_edition)}
    edition_names = requested_names or sorted(newest.values())
    own = [name for name in edition_names if is_shipped(name)]
    if own:
        raise UsageError(f"{own[0]} comes with Sirena", hint="use it as it is, with an overlay for local rules")
    return edition_names


def _canonical(name: str) -> str:
    return " ".join(folder_name(name).split("_")).upper()


def _read_edition(
    name: str,
    rows: Iterable[dict[str, str]],
    statements: Mapping[str, tuple[dict[object, ExpectedResistance], Counter[str]]],
    genera: Mapping[str, str],
) -> tuple[Edition, ImportedEdition]:
    skip_counts: Counter[str] = Counter()
    row_of_key: dict[object, Breakpoint] = {}
    guideline = Guideline(name.split()[0])
    # PK/PD rows last: where a table of the species states figures too, these stand
    for row in sorted(rows, key=lambda row: row["REFERENCE_TABLE"] == PK_PD):
        if row["TEST_METHOD"] == "MIC" and row["BREAKPOINT_TYPE"] == "Human":
            imported_row = _breakpoint(row, guideline, genera)
            if isinstance(imported_row, Breakpoint) and imported_row.source == PK_PD and _is_without_pk_pd(name):
                imported_row = "is a PK/PD row, which EUCAST says not to use"
            if isinstance(imported_row, str):
                skip_counts[imported_row] += 1
            elif row_of_key.get(imported_row.key, imported_row).states_nothing:
                row_of_key[imported_row.key] = imported_row
            elif (
                row_of_key.setdefault(imported_row.key, imported_row) != imported_row
                and not imported_row.states_nothing
            ):
                row_of_key[imported_row.key] = _with_conflict(row_of_key[imported_row.key], imported_row)
                skip_counts["states again, with other figures, what an earlier row states"] += 1
    expected_resistance, unknown = statements.get(guideline.value, ({}, Counter()))
    skip_counts.update(unknown)
    edition = Edition(name, guideline, tuple(row_of_key.values()), tuple(expected_resistance.values()))
    return edition, ImportedEdition(name, len(row_of_key), len(expected_resistance), dict(skip_counts))


def _with_conflict(kept_row: Breakpoint, other_row: Breakpoint) -> Breakpoint:
    """Return the row that is kept, marked as in doubt if the other row has different figures."""
    if (kept_row.susceptible, kept_row.resistant) == (other_row.susceptible, other_row.resistant):
        return kept_row
    figures = f"S {spell_concentration(other_row.susceptible)}, R {spell_concentration(other_row.resistant)}"
    return replace(
        kept_row, doubt=f"WHONET's table states other figures too: {figures} ({other_row.source or 'no table named'})"
    )


def _is_without_pk_pd(name: str) -> bool:
    guideline, year = name.split()
    return guideline == Guideline.EUCAST and int(year) >= _WITHOUT_PK_PD


def _breakpoint(row: Mapping[str, str], guideline: Guideline, genera: Mapping[str, str]) -> Breakpoint | str:
    """Return Sirena's row for one of WHONET's, or the reason why there is none."""
    drug = row["WHONET_ABX_CODE"]
    if drug not in ANTIMICROBIALS:
        return "is for an antimicrobial that Sirena does not answer for"
    everyone = row["ORGANISM_CODE_TYPE"] == "ALL" or not row["ORGANISM_CODE_TYPE"]
    try:
        rank, group = _everyone(drug) if everyone else _group(row, genera)
        sites = parse_sites(row["SITE_OF_INFECTION"])
        susceptible, resistant = parse_concentration(row["S"]), parse_concentration(row["R"])
    except LookupError:
        return "is for organisms that no group of ours stands for"
    except ValueError:
        return "holds a site or figure that cannot be read"
    if drug in HIGH_LEVEL or (drug in _SCREENED and (resistant or 0) > _HIGH_LEVEL_FROM):
        sites = (Indication.SCREEN,)
        susceptible, resistant = _screen(susceptible, resistant, guideline)
    if susceptible is not None and susceptible < NO_SUSCEPTIBLE_CATEGORY:
        susceptible = NO_SUSCEPTIBLE_CATEGORY
    if resistant is not None and guideline is Guideline.EUCAST:
        resistant = above(resistant)
    middle = Category.SDD if row["SDD"].strip() else Category.I
    source = PK_PD if everyone else row["REFERENCE_TABLE"]
    statement = Statement.BLOCK if susceptible is None and resistant is None else Statement.BREAKPOINT
    return Breakpoint(drug, rank, group, sites, susceptible, resistant, middle, source, statement)


def _screen(
    susceptible: float | None, resistant: float | None, guideline: Guideline
) -> tuple[float | None, float | None]:
    """Return S and R of a screen for high-level resistance as its guideline states them."""
    if guideline is Guideline.EUCAST or susceptible is None or resistant is None:
        return None, resistant
    return _SCREENS_OF_CLSI.get((susceptible, resistant), (susceptible, resistant))


def _group(row: Mapping[str, str], genera: Mapping[str, str]) -> tuple[Rank, str]:
    """Return the group a row is for; CLSI's table for non-fermenters (2B-5) is for those without an own table."""
    rank, group = group_of_whonet(row["ORGANISM_CODE_TYPE"], row["ORGANISM_CODE"], genera)
    return _NARROW_NON_FERMENTERS if row["ORGANISM_CODE"] == "NFR" else (rank, group)


def _everyone(drug: str) -> tuple[Rank, str]:
    return Rank.ANY, "fungi" if ANTIMICROBIALS[drug].atc.startswith("J02") else "bacteria"


def above(resistant: float) -> float:
    """Return EUCAST's "R above" for WHONET's "R at or above": the next lower dilution, 4 for 8, 128 for 129.

    >>> above(8), above(128), above(129)
    (4.0, 64.0, 128.0)
    """
    return float(spell_dilution(nearest_dilutions(resistant)[1] - 1))


def _read_phenotypes(
    rows: Iterable[Mapping[str, str]], genera: Mapping[str, str]
) -> dict[str, tuple[dict[object, ExpectedResistance], Counter[str]]]:
    """Return statements of expected resistance by guideline, with each class replaced by its antimicrobials.

    Tables marked (Vet) are left out: they come from CLSI VET01 and concern animals.
    """
    statements_of_guideline: dict[str, tuple[dict[object, ExpectedResistance], Counter[str]]] = {}
    for row in rows:
        if "(Vet)" in row["REFERENCE_TABLE"]:
            continue
        statement_of_key, skip_counts = statements_of_guideline.setdefault(row["GUIDELINE"], ({}, Counter()))
        try:
            rank, group = group_of_whonet(row["ORGANISM_CODE_TYPE"], row["ORGANISM_CODE"], genera)
            exceptions = frozenset(
                group_of_whonet(row["EXCEPTION_ORGANISM_CODE_TYPE"], code, genera)
                for code in row["EXCEPTION_ORGANISM_CODE"].split(",")
                if code.strip()
            )
        except LookupError:
            skip_counts["expected resistance of organisms that no group of ours stands for"] += 1
            continue
        for drug in _drugs_of(row["ABX_CODE"], row["ANTIBIOTIC_EXCEPTIONS"]):
            statement = ExpectedResistance(drug, rank, group, exceptions, row["REFERENCE_TABLE"])
            statement_of_key[statement.key] = statement
    return statements_of_guideline


def _drugs_of(code: str, exceptions: str) -> list[str]:
    """Return the codes of the antimicrobials that a WHONET code or an ATC class names."""
    if code in ANTIMICROBIALS:
        return [code]
    if not any(letter.isdigit() for letter in code):
        return []
    # they test synergy with a cell-wall agent: a statement on the class is about their use alone
    left_out = HIGH_LEVEL | {part.strip() for part in exceptions.split(",")}
    return [drug for drug, agent in ANTIMICROBIALS.items() if agent.atc.startswith(code) and drug not in left_out]
