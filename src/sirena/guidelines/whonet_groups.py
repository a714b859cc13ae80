"""How WHONET's tables name groups of organisms, and which group of the organism table each name stands for.

WHONET names a row's organisms by a code and the kind of code: one organism (``eco``), a genus (``STA``), a species
group (``SCN``), a set of serovars (``TYP``), a genus group (``NFR``), a family (``EBC``), anaerobes (``AN-``), a Gram
class (``+``), or all organisms (``ALL``).

A row for one organism is for its species with all serovars. If its code stands for no species – ``sc+`` is a
coagulase-positive staphylococcus whose species was not determined – the row is for that code alone, and does not apply
to isolates whose species was determined.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from sirena.domain.organisms import ORGANISMS, Organism, Rank, resolve

SPECIES_GROUPS: Final[dict[str, tuple[Rank, str]]] = {
    "ABX": (Rank.SPECIES_GROUP, "Acinetobacter baumannii complex"),
    "BCX": (Rank.SPECIES_GROUP, "Burkholderia cepacia complex"),
    "BFX": (Rank.SPECIES_GROUP, "Bacteroides fragilis group"),
    "BS-": (Rank.SPECIES_GROUP, "Streptococcus, beta-haemolytic"),
    "CAX": (Rank.SPECIES_GROUP, "Candida albicans complex"),
    "CGX": (Rank.SPECIES_GROUP, "Candida glabrata complex"),
    "CHX": (Rank.SPECIES_GROUP, "Candida haemulonii complex"),
    "CIX": (Rank.SPECIES_GROUP, "Citrobacter amalonaticus complex"),
    "COF": (Rank.GENUS_GROUP, "coryneform bacteria"),
    "CPX": (Rank.SPECIES_GROUP, "Candida parapsilosis complex"),
    "ECX": (Rank.SPECIES_GROUP, "Enterobacter cloacae complex"),
    "HAK": (Rank.GENUS_GROUP, "HACEK group"),
    "MAX": (Rank.SPECIES_GROUP, "Mycobacterium avium complex"),
    "MGX": (Rank.SPECIES_GROUP, "Meyerozyma guilliermondii complex"),
    "MTX": (Rank.SPECIES_GROUP, "Mycobacterium tuberculosis complex"),
    "PFX": (Rank.SPECIES_GROUP, "Pseudomonas fluorescens complex"),
    "RGM": (Rank.SPECIES_GROUP, "Mycobacterium, rapidly growing"),
    "SC+": (Rank.SPECIES_GROUP, "Staphylococcus, coagulase-positive"),
    "SCN": (Rank.SPECIES_GROUP, "Staphylococcus, coagulase-negative"),
    "SGM": (Rank.SPECIES_GROUP, "Mycobacterium, slowly growing"),
    "SVI": (Rank.SPECIES_GROUP, "Streptococcus, viridans group"),
}
"""Group of each WHONET code of the kind SPECIES_GROUP."""

SEROVAR_GROUPS: Final[dict[str, tuple[Rank, str]]] = {
    "ECO": (Rank.SPECIES, "Escherichia coli"),
    "HIN": (Rank.SPECIES, "Haemophilus influenzae"),
    "NME": (Rank.SPECIES, "Neisseria meningitidis"),
}
"""Group of each WHONET code of the kind SEROVAR_GROUP: a species with all its serovars is the species."""

WIDE_GROUPS: Final[dict[str, tuple[Rank, str]]] = {
    "NFR": (Rank.GENUS_GROUP, "non-fermenting Gram-negative bacilli"),
    "EBC": (Rank.ORDER, "Enterobacterales"),
    "ANA": (Rank.ANAEROBE_CLASS, "anaerobes"),
    "AN-": (Rank.ANAEROBE_CLASS, "Gram-negative anaerobes"),
    "AN+": (Rank.ANAEROBE_CLASS, "Gram-positive anaerobes"),
    "+": (Rank.ANY, "Gram-positive bacteria"),
    "-": (Rank.ANY, "Gram-negative bacteria"),
}
"""Group of each code of the kinds GENUS_GROUP, FAMILY_CODE, ANAEROBE, ANAEROBE+SUBKINGDOM_CODE and SUBKINGDOM_CODE."""

_KINDS: Final = {
    "SPECIES_GROUP": SPECIES_GROUPS,
    "SEROVAR_GROUP": SEROVAR_GROUPS,
    **dict.fromkeys(
        ("GENUS_GROUP", "FAMILY_CODE", "ANAEROBE", "ANAEROBE+SUBKINGDOM_CODE", "SUBKINGDOM_CODE"), WIDE_GROUPS
    ),
}


_MISSPELT: Final = {"RZH": "RHZ", "ACI": "AC-", "KLE": "KL-"}
"""Genus codes that WHONET's breakpoint and resistance tables spell differently from its table of organisms."""


def group_of_whonet(kind: str, code: str, genera: Mapping[str, str] | None = None) -> tuple[Rank, str]:
    """Return the group of the organism table that a WHONET code stands for.

    Args:
        kind: kind of the code, as in WHONET's ``ORGANISM_CODE_TYPE``.
        code: the code.
        genera: genus names by WHONET genus code, for codes that stand for a whole genus ("MYC") and for no organism.

    Raises:
        LookupError: the organism table has no such group.

    >>> group_of_whonet("WHONET_ORG_CODE", "eco")
    (<Rank.SPECIES: 2>, 'Escherichia coli')
    """
    code = code.strip()
    if kind == "WHONET_ORG_CODE":
        return _group_of_organism(code.lower())
    if kind == "GENUS_CODE":
        code = _MISSPELT.get(code, code)
        organism = ORGANISMS.get(code.lower())
        genus = (genera or {}).get(code) or (_genus(organism) if organism else "")
        if not genus:
            raise LookupError(f"genus code {code}")
        return Rank.GENUS, genus
    try:
        return _KINDS[kind][code]
    except KeyError:
        raise LookupError(f"{kind} {code}") from None


def _group_of_organism(code: str) -> tuple[Rank, str]:
    """Return the species of an organism's code, or the code alone if it stands for no single species."""
    organism = ORGANISMS.get(code)
    if organism is None:
        raise LookupError(f"organism code {code}")
    rank, group = organism.narrowest_group
    return (rank, group) if rank <= Rank.SPECIES else (Rank.CODE, resolve(code) or code)


def genera_of_codes(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the genus name that each WHONET genus code stands for.

    Args:
        pairs: (genus code, organism code) of WHONET's organism table; a code stands for the commonest genus of its
            organisms.

    >>> genera_of_codes([("ESC", "eco"), ("STA", "sau"), ("STA", "sep")])
    {'ESC': 'Escherichia', 'STA': 'Staphylococcus'}
    """
    counts: dict[str, Counter[str]] = {}
    for genus_code, organism_code in pairs:
        organism = ORGANISMS.get(organism_code.lower())
        if genus_code and organism and _genus(organism):
            counts.setdefault(genus_code, Counter())[_genus(organism)] += 1
    return {code: counter.most_common(1)[0][0] for code, counter in counts.items()}


def _genus(organism: Organism) -> str:
    return next((group for rank, group in organism.lineage if rank is Rank.GENUS), "")
