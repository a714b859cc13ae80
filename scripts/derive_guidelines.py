"""Derive the shipped guideline tables from collected facts.

    python scripts/derive_guidelines.py breakpoints_2025.csv ExpectedResistancePhenotypes.txt.gz \
        Organisms.txt.gz src/sirena/guidelines/tables

None of the inputs is part of this repository. ``breakpoints_2025.csv`` holds the human MIC breakpoints of CLSI
(M100-Ed35, M45, M27M44S, M61, M24) and EUCAST (v15.0) as the R package AMR 3.0.0 collected them; groups of
organisms are named there by AMR and here by our own organism table. ``ExpectedResistancePhenotypes.txt`` is WHONET's
table of intrinsic resistance (CLSI M100 Appendix B, M24, M27, M38; EUCAST expected resistant phenotypes).

What is changed on the way, and why, stands beside each table below.
"""

import csv
import gzip
import sys
from pathlib import Path

from sirena.domain.category import Category
from sirena.domain.organisms import Rank
from sirena.guidelines.rows import NO_SUSCEPTIBLE_CATEGORY, Breakpoint, ExpectedResistance
from sirena.guidelines.sites import parse_sites
from sirena.guidelines.tables import breakpoints_text, expected_resistance_text
from sirena.guidelines.whonet_groups import genera_of_codes
from sirena.guidelines.whonet_import import read_phenotypes

GROUPS = {
    "(unknown Gram-negatives)": (Rank.GENUS_GROUP, "non-fermenting Gram-negative bacilli, other"),
    "(unknown anaerobic Gram-negatives)": (Rank.ANAEROBE_CLASS, "Gram-negative anaerobes"),
    "(unknown anaerobic Gram-positives)": (Rank.ANAEROBE_CLASS, "Gram-positive anaerobes"),
    "(unknown anaerobic bacteria)": (Rank.ANAEROBE_CLASS, "anaerobes"),
    "Coryneform bacterium": (Rank.GENUS_GROUP, "coryneform bacteria"),
    "Beta-haemolytic Streptococcus": (Rank.SPECIES_GROUP, "Streptococcus, beta-haemolytic"),
    "Coagulase-negative Staphylococcus (CoNS)": (Rank.SPECIES_GROUP, "Staphylococcus, coagulase-negative"),
    "Coagulase-positive Staphylococcus (CoPS)": (Rank.SPECIES_GROUP, "Staphylococcus, coagulase-positive"),
    "Mycobacterium avium-intracellulare complex": (Rank.SPECIES_GROUP, "Mycobacterium avium complex"),
    "Rapidly growing Mycobacterium (RGM)": (Rank.SPECIES_GROUP, "Mycobacterium, rapidly growing"),
    "Slowly growing Mycobacterium (SGM)": (Rank.SPECIES_GROUP, "Mycobacterium, slowly growing"),
    "Streptococcus Group A": (Rank.SPECIES_GROUP, "Streptococcus group A"),
    "Streptococcus Group B": (Rank.SPECIES_GROUP, "Streptococcus group B"),
    "Streptococcus Group C": (Rank.SPECIES_GROUP, "Streptococcus group C"),
    "Streptococcus Group G": (Rank.SPECIES_GROUP, "Streptococcus group G"),
    "Streptococcus Group A, B, C, G": (Rank.SPECIES_GROUP, "Streptococcus groups A, B, C, G"),
    "Viridans Group Streptococcus (VGS)": (Rank.SPECIES_GROUP, "Streptococcus, viridans group"),
    # CLSI M27M44S says Candida krusei; the collection resolved that name to another species.
    "Issatchenkia brumptii": (Rank.SPECIES, "Pichia kudriavzevii"),
    "Nakaseomyces glabrata": (Rank.SPECIES, "Nakaseomyces glabratus"),
}
"""Our name of each group that the collection names otherwise; the rest keep rank and name."""

PLAIN_RANKS = {"species": Rank.SPECIES, "genus": Rank.GENUS, "order": Rank.ORDER}


def breakpoints(path: Path) -> dict[str, list[Breakpoint]]:
    """Return the rows of each edition."""
    editions: dict[str, list[Breakpoint]] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            generic = row["organism_group"] == "(unknown name)"
            # Breakpoints without an organism: fluconazole's are for yeasts, the rest for bacteria.
            anyone = (Rank.ANY, "fungi" if row["ab"] == "FLU" else "bacteria")
            rank, group = anyone if generic else _group(row["rank"], row["organism_group"])
            editions.setdefault(row["guideline"], []).append(
                Breakpoint(
                    drug=row["ab"],
                    rank=rank,
                    group=group,
                    sites=parse_sites(row["site"]),
                    susceptible=_figure(row["breakpoint_S"]),
                    resistant=_figure(row["breakpoint_R"]),
                    middle=Category.SDD if row["is_SDD"] == "TRUE" else Category.I,
                    source=row["ref_tbl"],
                )
            )
    return editions


def _group(rank: str, name: str) -> tuple[Rank, str]:
    return GROUPS.get(name) or (PLAIN_RANKS[rank], name)


def _figure(text: str) -> float | None:
    """The collection writes 0.0001 where EUCAST prints 0.001: no MIC is S."""
    value = float(text) if text else None
    return NO_SUSCEPTIBLE_CATEGORY if value is not None and value < NO_SUSCEPTIBLE_CATEGORY else value


def whonet_rows(path: str) -> list[dict[str, str]]:
    """Return the rows of a WHONET table."""
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [{key: value or "" for key, value in row.items()} for row in rows]


def expected(phenotypes: str, organisms: str) -> dict[str, list[ExpectedResistance]]:
    """Return the statements of each edition, read as an import reads them."""
    genera = genera_of_codes((row["GENUS_CODE"], row["WHONET_ORG_CODE"]) for row in whonet_rows(organisms))
    found = read_phenotypes(whonet_rows(phenotypes), genera)
    return {f"{guideline} 2025": list(kept.values()) for guideline, (kept, _) in found.items()}


def main(facts: str, phenotypes: str, organisms: str, target: str) -> None:
    """Write both editions."""
    statements = expected(phenotypes, organisms)
    for edition, rows in breakpoints(Path(facts)).items():
        folder = Path(target) / edition.lower().replace(" ", "_")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "breakpoints.csv").write_text(breakpoints_text(edition, rows), encoding="utf-8")
        (folder / "expected_resistance.csv").write_text(
            expected_resistance_text(edition, statements[edition]), encoding="utf-8"
        )
        print(f"{edition}: {len(rows)} breakpoints, {len(statements[edition])} statements of expected resistance")


if __name__ == "__main__":
    main(*sys.argv[1:])
