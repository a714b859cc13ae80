"""Sirena's names for groups of organisms that the collected facts name differently; all others keep rank and name."""

from typing import Final

from sirena.domain.organisms import Rank

_NAMES: Final = {
    "(unknown Gram-negatives)": (Rank.GENUS_GROUP, "non-fermenting Gram-negative bacilli, other"),
    "(unknown anaerobic bacteria)": (Rank.ANAEROBE_CLASS, "anaerobes"),
    "Coryneform bacterium": (Rank.GENUS_GROUP, "coryneform bacteria"),
    "Beta-haemolytic Streptococcus": (Rank.SPECIES_GROUP, "Streptococcus, beta-haemolytic"),
    "Coagulase-negative Staphylococcus (CoNS)": (Rank.SPECIES_GROUP, "Staphylococcus, coagulase-negative"),
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
    "Salmonella Typhi": (Rank.SEROVAR, "Salmonella Typhi"),
}
EXPECTED_GROUPS: Final = {
    ("CLSI", "Bacteroides"): (Rank.GENUS_GROUP, "Bacteroides, Parabacteroides, Phocaeicola"),
    ("EUCAST", "Staphylococcus aureus"): (Rank.SPECIES_GROUP, "Staphylococcus aureus complex"),
}
"""Groups that statements of expected resistance mean by an older or narrower name."""

EXPECTED_EXCEPTIONS: Final = {
    ("CLSI", "Gram-positive bacteria"): (Rank.ANAEROBE_CLASS, "anaerobes"),
    ("CLSI", "non-fermenting Gram-negative bacilli"): (Rank.SPECIES, "Burkholderia pseudomallei"),
}
"""Members of a group that its statements of expected resistance are not about: they have tables of their own."""
_RANKS: Final = {
    "species": Rank.SPECIES,
    "genus": Rank.GENUS,
    "order": Rank.ORDER,
    "species group": Rank.SPECIES_GROUP,
}


def group_of(rank: str, name: str) -> tuple[Rank, str]:
    """Return Sirena's rank and name for a group of breakpoint rows."""
    return _NAMES.get(name) or (_RANKS[rank], name)
