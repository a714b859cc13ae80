"""Derive ``src/sirena/domain/organisms.csv`` from WHONET's organism table and the lists of species groups.

    python scripts/derive_organisms.py Organisms.txt.gz organism_groups.csv src/sirena/domain/organisms.csv

The two inputs are not part of this repository: ``Organisms.txt`` is a resource of WHONET, and
``organism_groups.csv`` (mo_group_name, mo_name) lists the members of species groups. Only facts are taken over
(code, names, genus, family, order, Gram, anaerobe, membership), into a schema of our own:

- one row per code, viruses, parasites and "no growth" included: a file holds such codes, and they are known
  organisms without a breakpoint, not unknown ones;
- ``name`` is the current name (`CURRENT_NAMES` where WHONET's is behind), every other name is a synonym;
- ``species`` is empty for codes that stand for a genus or a group;
- ``subspecies`` holds the serovar, subspecies or variety when the code is narrower than a species;
- groups across species are named in `GROUP_OF_LIST` and `GROUP_OF_WHONET`, and if the sources place an organism in
  groups that exclude each other, the list of members decides;
- what the sources lack or have wrong is corrected in the tables below, each with its reason.
"""

import csv
import gzip
import re
import sys
from pathlib import Path

COLUMNS = (
    "code",
    "name",
    "kingdom",
    "gram",
    "anaerobe",
    "subspecies",
    "species",
    "species_groups",
    "genus",
    "genus_groups",
    "family",
    "order",
    "replaced_by",
    "synonyms",
)

KINGDOM_OF_TYPE = {
    **dict.fromkeys("-+abm", "bacteria"),
    "f": "fungi",
    "v": "viruses",
    **dict.fromkeys("wi", "parasites"),
    **dict.fromkeys(("o", ""), "none"),
}

CURRENT_NAMES = {
    "ckr": "Pichia kudriavzevii",
    "cgl": "Nakaseomyces glabratus",
    "cfr": "Citrobacter freundii",
    "crs": "Candidozyma auris",
    "kma": "Kluyveromyces marxianus",
    "for": "Pseudomonas oryzihabitans",
    "pai": "Pediococcus acidilactici",
    "fso": "Fusarium solani",
    "sas": "Scedosporium apiospermum",
    "tha": "Candida haemulonii",
    # Species in their own right again (ICSP subcommittee on Brucella, 2021); the source has them as biovars.
    "bab": "Brucella abortus",
    "bcn": "Brucella canis",
    "bsu": "Brucella suis",
    "boi": "Brucella ovis",
}
"""Names in use today where the source still shows an older one first."""

GROUP_OF_LIST = {
    "Acinetobacter baumannii complex": "Acinetobacter baumannii complex",
    "Bacteroides fragilis complex": "Bacteroides fragilis group",
    "Burkholderia cepacia complex": "Burkholderia cepacia complex",
    "Citrobacter amalonaticus complex": "Citrobacter amalonaticus complex",
    "Citrobacter freundii complex": "Citrobacter freundii complex",
    "Enterobacter cloacae complex": "Enterobacter cloacae complex",
    "Klebsiella pneumoniae complex": "Klebsiella pneumoniae complex",
    "Mycobacterium avium-intracellulare complex": "Mycobacterium avium complex",
    "Mycobacterium tuberculosis complex": "Mycobacterium tuberculosis complex",
    "Rapidly growing Mycobacterium (RGM)": "Mycobacterium, rapidly growing",
    "Slowly growing Mycobacterium (SGM)": "Mycobacterium, slowly growing",
    "Pseudomonas fluorescens complex": "Pseudomonas fluorescens complex",
    "Coagulase-negative Staphylococcus (CoNS)": "Staphylococcus, coagulase-negative",
    "Coagulase-positive Staphylococcus (CoPS)": "Staphylococcus, coagulase-positive",
    "Streptococcus Group A": "Streptococcus group A",
    "Streptococcus Group B": "Streptococcus group B",
    "Streptococcus Group C": "Streptococcus group C",
    "Streptococcus Group G": "Streptococcus group G",
    "Streptococcus Group A, B, C, G": "Streptococcus groups A, B, C, G",
    "Viridans Group Streptococcus (VGS)": "Streptococcus, viridans group",
    "Yersinia pseudotuberculosis complex": "Yersinia pseudotuberculosis complex",
    "Candida albicans complex": "Candida albicans complex",
    "Candida glabrata complex": "Candida glabrata complex",
    "Candida parapsilosis complex": "Candida parapsilosis complex",
    "Meyerozyma guilliermondii complex": "Meyerozyma guilliermondii complex",
    "Coryneform bacterium": "coryneform bacteria",
    "Haemophilus, Aggregatibacter, Cardiobacterium, Eikenella, Kingella (HACEK)": "HACEK group",
}
"""Our name of each list of members; lists not named here (Lancefield groups without a breakpoint) are not used."""

GROUP_OF_WHONET = {
    "ABX": "Acinetobacter baumannii complex",
    "BCX": "Burkholderia cepacia complex",
    "BFX": "Bacteroides fragilis group",
    "BS-": "Streptococcus, beta-haemolytic",
    "CAX": "Candida albicans complex",
    "CGX": "Candida glabrata complex",
    "CHX": "Candida haemulonii complex",
    "CIX": "Citrobacter amalonaticus complex",
    "COF": "coryneform bacteria",
    "CPX": "Candida parapsilosis complex",
    "ECX": "Enterobacter cloacae complex",
    "HAK": "HACEK group",
    "MAX": "Mycobacterium avium complex",
    "MGX": "Meyerozyma guilliermondii complex",
    "MTX": "Mycobacterium tuberculosis complex",
    "PFX": "Pseudomonas fluorescens complex",
    "SC+": "Staphylococcus, coagulase-positive",
    "SCN": "Staphylococcus, coagulase-negative",
    "SGM": "Mycobacterium, slowly growing",
    "SVI": "Streptococcus, viridans group",
}

EXCLUSIVE = (
    {"Staphylococcus, coagulase-positive", "Staphylococcus, coagulase-negative"},
    {"Streptococcus, beta-haemolytic", "Streptococcus, viridans group"},
    {"Mycobacterium, rapidly growing", "Mycobacterium, slowly growing"},
    {"Citrobacter freundii complex", "Citrobacter amalonaticus complex"},
)
"""Groups no organism belongs to at once."""

BACTEROIDES = "Bacteroides, Parabacteroides, Phocaeicola"
BACTEROIDES_GENERA = frozenset({"Bacteroides", "Parabacteroides", "Phocaeicola"})
"""One genus when the guidelines' statements on Bacteroides were written; they still mean all three."""

GENUS_GROUPS = frozenset({"coryneform bacteria", "HACEK group"})
"""Groups across genera; all others lie within one genus."""

GROUP_ORDER = (
    "Streptococcus group A",
    "Streptococcus group B",
    "Streptococcus group C",
    "Streptococcus group G",
    "Streptococcus groups A, B, C, G",
    "Streptococcus, beta-haemolytic",
)
"""Narrow before wide; groups not named here exclude or do not meet one another."""

LANCEFIELD = {
    "bsa": ("Streptococcus group A", "Streptococcus groups A, B, C, G"),
    "bsb": ("Streptococcus group B", "Streptococcus groups A, B, C, G"),
    "bsc": ("Streptococcus group C", "Streptococcus groups A, B, C, G"),
    "bsg": ("Streptococcus group G", "Streptococcus groups A, B, C, G"),
}
"""Codes that stand for a Lancefield group itself."""

GROUPS_BY_CODE: dict[str, tuple[str, ...]] = {
    # Group F antigen is borne by small-colony streptococci of the S. anginosus group, which CLSI M100 Table 2H-1
    # sends to the viridans group.
    "bsf": ("Streptococcus, viridans group",),
    # Both guidelines read S. argenteus as S. aureus; "coagulase-positive" there means the other species.
    "sau": ("Staphylococcus aureus complex",),
    "srg": ("Staphylococcus aureus complex",),
    # Anaerobic: EUCAST says to test it as an anaerobe and gives it none of the breakpoints for staphylococci.
    "pps": (),
    # CLSI M45 has a table of its own for it (19), so table 6, for coryneform bacteria, is not meant.
    "smg": (),
    # No relative of Haemophilus, of which it once bore the name.
    "gva": (),
    "snv": ("Streptococcus, nutritionally variant",),
    # Source calls it coagulase-positive; described as coagulase-negative (Pain et al. 2020).
    "sbs": ("Staphylococcus, coagulase-negative",),
    # Coagulase varies; EUCAST (v15.0, staphylococci) counts it among the coagulase-negative.
    "shy": ("Staphylococcus, coagulase-negative",),
    # Older name of what is now this complex, and the valid name of A. dijkshoorniae, a member of it.
    "aan": ("Acinetobacter baumannii complex",),
    "anl": ("Acinetobacter baumannii complex",),
}

VIRIDANS = {
    "Streptococcus bovis",
    "Streptococcus equinus",
    "Streptococcus gallolyticus",
    "Streptococcus infantarius",
    "Streptococcus infantis",
    "Streptococcus lutetiensis",
    "Streptococcus pseudopneumoniae",
}
"""The S. bovis group, which CLSI M100 Table 2H-2 and EUCAST count among the viridans streptococci, and two species of
the mitis group in EUCAST's list (v15.0); the lists of members leave them out or put the former, with S. salivarius and
S. sanguinis, among the beta-haemolytic ones by Lancefield antigen."""

FACULTATIVE = {"Campylobacter", "Gemella", "Lactobacillus", "Pasteurella", "Shewanella", "Weissella"}
"""Genera that grow in air or with little oxygen (or have a CLSI M45 table for it) though the source marks them, or
single species of them, as anaerobes. *Campylobacter* has tables of its own and none of the anaerobes'."""

ANAEROBIC = {"Actinomyces", "Clostridium"}
"""Genera that the source marks as anaerobes with single species left out."""

NEGATIVICUTES = {
    *("Acidaminococcus", "Anaerovibrio", "Centipeda", "Dialister", "Megamonas", "Megasphaera", "Mitsuokella"),
    *("Pectinatus", "Propionispira", "Selenomonas", "Veillonella"),
}
"""Gram-negative members of a Gram-positive phylum; the source gives the phylum's reaction."""

NON_FERMENTERS = "non-fermenting Gram-negative bacilli"
OTHER_NON_FERMENTERS = "non-fermenting Gram-negative bacilli, other"
NAMED_NON_FERMENTERS = {
    "genus": {"Acinetobacter", "Moraxella"},
    "species": {
        "Pseudomonas aeruginosa",
        "Stenotrophomonas maltophilia",
        "Burkholderia mallei",
        "Burkholderia pseudomallei",
    },
    "species_groups": {"Burkholderia cepacia complex"},
}
"""CLSI M100 Table 2B-5 is for non-fermenters with no table of their own; fastidious Moraxella is none of them."""

WITHOUT_GENUS = {"pps"}
"""Codes to which nothing applies that a guideline says of the genus (see `GROUPS_BY_CODE`)."""

UNNAMED_NON_FERMENTERS = {"nfr"}
"""Codes that name the non-fermenters themselves; the source gives them no group."""

ENTEROBACTERALES = {"c63", "c64", "c59", "pec", "ect", "c58", "c60", "c68", "c69", "gne"}
"""Enterobacterales that the source does not mark as such (CDC enteric groups, Buttiauxella, Pectobacterium)."""

ORDER_OF_GENUS = {"Aeromonas": "Aeromonadales"}
"""Order of genera of which the source puts single species elsewhere: *A. dhakensis* among the Enterobacterales."""

ACID_FAST = {"Gordonia", "Mycobacterium", "Nocardia", "Rhodococcus", "Tsukamurella"}
"""Genera that are told by acid-fast staining; what guidelines expect of Gram-positive bacteria is not about them."""

GRAM_OF_CODE = {
    "an-": "-",
    "anc": "-",
    "anb": "-",
    "anr": "-",
    "an+": "+",
    "apc": "+",
    "apb": "+",
    "apr": "+",
    "ans": "+",
}
"""Gram reaction of codes that name a class of anaerobes."""

GRAM_OF_GENUS = {
    **dict.fromkeys(("Actinobaculum", "Asaccharospora", "Clostridioides", "Cutibacterium", "Eubacterium"), "+"),
    **dict.fromkeys(("Pseudopropionibacterium", "Weissella"), "+"),
    **dict.fromkeys(("Aliivibrio", "Anaerorhabdus", "Bacteroides", "Desulfovibrio", "Lawsonia"), "-"),
    **dict.fromkeys(("Parabacteroides", "Prevotella"), "-"),
}
"""Gram reaction of genera for which the source leaves it out."""

DUPLICATES = {"seu": "brs", "dem": "dev", "efv": "eca", "cdl": "cdi"}
"""Codes that mean the same as another: the left one is read as the right one. *E. flavescens* is *E. casseliflavus*,
*C. diversus* (*Levinea*) is *C. koseri*."""

SYNONYMS = {
    "cgl": ("Nakaseomyces glabrata", "Nakaseomyces glabratus", "Candida glabrata"),
    "ckr": ("Issatchenkia orientalis", "Candida krusei", "Pichia kudriavzevii"),
    "crs": ("Candida auris", "Candidozyma auris"),
    "cgu": ("Candida guilliermondii", "Meyerozyma guilliermondii"),
    "kma": ("Candida kefyr", "Kluyveromyces marxianus", "Candida pseudotropicalis"),
    "clu": ("Clavispora lusitaniae", "Candida lusitaniae"),
    "ssr": ("Mammaliicoccus sciuri",),
    "sle": ("Mammaliicoccus lentus",),
    "spv": ("Mammaliicoccus vitulinus",),
    "bds": ("Parabacteroides distasonis",),
    "kae": ("Klebsiella aerogenes", "Enterobacter aerogenes"),
    "eae": ("Klebsiella aerogenes", "Enterobacter aerogenes"),
    "cdf": ("Clostridioides difficile", "Clostridium difficile", "Peptoclostridium difficile"),
    "scn": (
        "coagulase negative Staphylococcus",
        "CoNS",
        "Staphylococcus coagulasa negativo",
        "Staphylococcus coagulase-negative",
    ),
    "sc+": ("coagulase positive Staphylococcus", "CoPS", "Staphylococcus coagulasa positivo"),
    "sau": ("MRSA", "MSSA", "SARM", "Staphylococcus aureus"),
    "svi": (
        "Streptococcus viridans",
        "viridans group streptococci",
        "Streptococcus viridans group",
        "Streptococcus grupo viridans",
    ),
    "bsa": ("Streptococcus group A", "Group A Streptococcus", "Streptococcus grupo A"),
    "bsb": ("Streptococcus group B", "Group B Streptococcus", "Streptococcus grupo B"),
    "bsc": ("Streptococcus group C", "Group C Streptococcus", "Streptococcus grupo C"),
    "bsf": ("Streptococcus group F", "Group F Streptococcus", "Streptococcus grupo F"),
    "bsg": ("Streptococcus group G", "Group G Streptococcus", "Streptococcus grupo G"),
    "bs-": (
        "beta-haemolytic Streptococcus",
        "beta-hemolytic Streptococcus",
        "Streptococcus beta-hemolytic",
        "Streptococcus beta hemolitico",
    ),
    "abx": ("Acinetobacter baumannii complex", "Acinetobacter baumannii-calcoaceticus complex"),
    "pma": ("Xanthomonas maltophilia", "Pseudomonas maltophilia"),
    "mac": ("MAC",),
    "sal": ("Salmonella enterica", "Salmonella"),
    "nfr": ("non-fermenting Gram-negative bacilli", "non-fermenter", "bacilo gramnegativo no fermentador"),
    "yea": ("levadura", "levaduras"),
    "cdp": ("Corynebacterium", "Corynebacterium sp."),
    "bab": ("Brucella abortus",),
    "bcn": ("Brucella canis",),
    "bsu": ("Brucella suis",),
    "boi": ("Brucella ovis",),
    "mab": ("Mycobacteroides abscessus", "Mycobacterium abscessus complex"),
    "mch": ("Mycobacteroides chelonae",),
    "mfo": ("Mycolicibacterium fortuitum",),
}
"""Names the source lacks: renamed taxa, usual abbreviations, Spanish names of groups."""


RENAMED = {
    "Aliarcobacter butzleri": "Arcobacter butzleri",
    "Atlantibacter hermannii": "Escherichia hermannii",
    "Acinetobacter seifertii": "Acinetobacter seifertti",
    "Brucella anthropi": "Ochrobactrum anthropi",
    "Citrobacter freundii complex": "Citrobacter freundii",
    "Enterocloster clostridioformis": "Clostridium clostridioforme",
    "Erysipelatoclostridium ramosum": "Clostridium ramosum",
    "Hathewaya histolytica": "Clostridium histolyticum",
    "Klebsiella pneumoniae complex": "Klebsiella pneumoniae ss. pneumoniae",
    "Lacticaseibacillus casei": "Lactobacillus casei",
    "Lacticaseibacillus rhamnosus": "Lactobacillus rhamnosus",
    "Lactiplantibacillus plantarum": "Lactobacillus plantarum",
    "Lelliottia amnigena": "Enterobacter amnigenus",
    "Limosilactobacillus fermentum": "Lactobacillus fermentum",
    "Limosilactobacillus reuteri": "Lactobacillus reuteri",
    "Lomentospora prolificans": "Scedosporium prolificans",
    "Magnusiomyces capitatus": "Saprochaete capitata",
    "Mycobacterium fortuitum complex": "Mycobacterium fortuitum",
    "Paeniclostridium sordellii": "Clostridium sordellii",
    "Paraclostridium bifermentans": "Clostridium bifermentans",
    "Pluralibacter gergoviae": "Enterobacter gergoviae",
    "Pneumocystis jirovecii": "Pneumocystis jiroveci",
    "Prescottella equi": "Rhodococcus equi",
    "Priestia megaterium": "Bacillus megaterium",
    "Proteus vulgaris group": "Proteus vulgaris",
    "Schaalia odontolytica": "Actinomyces odontolyticus",
    "Schaalia turicensis": "Actinomyces turicensis",
    "Segatella buccae": "Prevotella buccae",
    "Serratia liquefaciens complex": "Serratia liquefaciens",
    "Streptococcus anginosus group": "Streptococcus milleri",
    "Streptococcus milleri group": "Streptococcus milleri",
    "Stutzerimonas stutzeri": "Pseudomonas stutzeri",
    "Thomasclavelia ramosa": "Clostridium ramosum",
    "Winkia neuii": "Actinomyces neuii ss. neuii",
}
"""Names that came after the source, or that laboratories write, and the source's name for the same organism."""

WITHOUT_CODE = {
    **dict.fromkeys(("Klebsiella michiganensis", "Klebsiella grimontii"), "Klebsiella sp."),
    "Escherichia albertii": "Escherichia sp.",
    "Pseudomonas monteilii": "Pseudomonas sp.",
    "Serratia nematodiphila": "Serratia sp.",
    "Achromobacter insolitus": "Achromobacter sp.",
    "Ralstonia mannitolilytica": "Ralstonia sp.",
    **dict.fromkeys(
        (
            "Staphylococcus pettenkoferi",
            "Staphylococcus petrasii",
            "Staphylococcus condimenti",
            "Staphylococcus argensis",
            "Staphylococcus massiliensis",
        ),
        "Staphylococcus, coagulase negative",
    ),
    **dict.fromkeys(
        ("Streptococcus mitis group", "Streptococcus mitis/oralis", "Streptococcus oralis group"),
        "Streptococcus viridans, alpha-hem.",
    ),
    **dict.fromkeys(("Streptococcus bovis group",), "Streptococcus bovis"),
    **dict.fromkeys(
        (
            "Corynebacterium kroppenstedtii",
            "Corynebacterium simulans",
            "Corynebacterium tuberculostearicum",
        ),
        "Corynebacterium sp. (diphtheroids)",
    ),
    "Granulicatella elegans": "Granulicatella sp.",
    "Kocuria rhizophila": "Kocuria sp.",
    "Lactobacillus iners": "Lactobacillus sp.",
    "Lacticaseibacillus paracasei": "Lactobacillus sp.",
    **dict.fromkeys(("Phocaeicola dorei", "Bacteroides dorei"), "Phocaeicola spp."),
    "Parabacteroides goldsteinii": "Parabacteroides spp.",
    **dict.fromkeys(("Veillonella atypica", "Veillonella dispar"), "Veillonella sp."),
    **dict.fromkeys(("Cutibacterium avidum", "Cutibacterium granulosum"), "Cutibacterium sp."),
    **dict.fromkeys(("Actinomyces oris", "Actinomyces europaeus"), "Actinomyces sp."),
    "Mucor circinelloides": "Mucor sp.",
}
"""Species without a code of their own: read as the narrowest code that is true of them. None has a breakpoint or an
expected resistance of its own, so they lose nothing by it."""


def read_source(path: Path) -> list[dict[str, str]]:
    """Return the rows of WHONET's table."""
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [{key: (value or "").replace("\u00a0", " ").strip() for key, value in row.items()} for row in rows]


def read_members(path: Path) -> dict[str, set[str]]:
    """Return Sirena's group names by member name."""
    groups: dict[str, set[str]] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            name = GROUP_OF_LIST.get(row["mo_group_name"])
            if name:
                groups.setdefault(row["mo_name"], set()).add(name)
    return groups


def plain(name: str) -> str:
    """Return a name without rank markers, as the lists of members write it."""
    return re.sub(r"\b(ss\.|subsp\.|var\.|biovar) ", "", name)


_BINOMIAL = re.compile(r"([A-Z][a-z]+) ([a-z][a-z-]+),?(?: (.+))?$")
_NOT_SPECIES = {"Streptococcus viridans", "Streptococcus milleri"}
_NOT_EPITHETS = {"sp", "spp", "like", "group", "genomospecies", "complex", "subgroup"}
_NOT_GENERA = {"Gram", "Anaerobic", "Acid", "Mixed", "Non", "Mycelia", "Candidatus", "Yeast", "Mold", "Fungus"}


def taxonomy_of(name: str, genus_of_code: str) -> tuple[str, str, str]:
    """Return (genus, species, subspecies) that a current name states; empty texts for those it does not state."""
    if name.startswith("Salmonella ") and not name.startswith("Salmonella sp"):
        known = {"Salmonella bongori", "Salmonella enterica"}
        binomial = " ".join(name.split()[:2])
        species = binomial if binomial in known else "Salmonella enterica"
        return "Salmonella", species, "" if name == species else re.sub(r" \(.*\)$", "", name)
    match = _BINOMIAL.match(name)
    if match is None or match[1] in _NOT_GENERA or match[2] in _NOT_EPITHETS or "complex" in name or " group" in name:
        return genus_of_code, "", ""
    species = f"{match[1]} {match[2]}"
    if species in _NOT_SPECIES:
        return match[1], "", ""
    rest = re.sub(r"\s*\(.*\)$", "", (match[3] or "").rstrip())
    if match[2].endswith("-like"):
        return genus_of_code, "", ""
    nominotypical = rest in ("", f"ss. {match[2]}")
    return match[1], species, "" if nominotypical else f"{species} {rest}"


def genus_by_code(rows: list[dict[str, str]]) -> dict[str, str]:
    """Return the genus that each WHONET genus code stands for: the first word of the code's "sp." name."""
    genera: dict[str, str] = {}
    for row in rows:
        if re.fullmatch(r"[A-Z][a-z]+ spp?\.( \(.*\))?", row["ORGANISM"]) and row["TAXONOMIC_STATUS"] == "C":
            genera.setdefault(row["GENUS_CODE"], row["ORGANISM"].split()[0])
    for row in rows:
        genera.setdefault(row["GENUS_CODE"], row["GENUS"])
    genera[""] = ""
    return genera


def groups_of(
    code: str, names: list[str], genus: str, species: str, whonet: str, members: dict[str, set[str]]
) -> list[str]:
    """Return the groups across species that an organism belongs to, narrow before wide."""
    if code in GROUPS_BY_CODE:
        return list(GROUPS_BY_CODE[code])
    listed: set[str] = set()
    for name in names:
        listed = members.get(plain(name), set())
        if listed:
            break
    listed = listed | {group for group in members.get(genus, set()) if group in GENUS_GROUPS}
    listed |= set(LANCEFIELD.get(code, ()))
    if species in VIRIDANS or code == "sb2":
        listed = {"Streptococcus, viridans group"}
    own = GROUP_OF_WHONET.get(whonet)
    if own and not any(own in pair and listed & (pair - {own}) for pair in EXCLUSIVE):
        listed.add(own)
    if "Streptococcus groups A, B, C, G" in listed:
        listed.add("Streptococcus, beta-haemolytic")
    rank = {name: position for position, name in enumerate(GROUP_ORDER)}
    return sorted(listed, key=lambda name: (rank.get(name, -1), name))


def gram_of(row: dict[str, str], genus: str) -> str:
    """Return the Gram reaction, "+" or "-"; "" if it is variable, absent or not known."""
    code = row["WHONET_ORG_CODE"].lower()
    if genus in ACID_FAST:
        return ""
    if genus in NEGATIVICUTES:
        return "-"
    return row["SUBKINGDOM_CODE"] or GRAM_OF_CODE.get(code, "") or GRAM_OF_GENUS.get(genus, "")


def is_other_non_fermenter(row: dict[str, str], genus: str, species: str, groups: list[str]) -> bool:
    """Tell whether CLSI M100 Table 2B-5 applies to the organism."""
    return (
        row["GENUS_GROUP"] == "NFR"
        and genus not in NAMED_NON_FERMENTERS["genus"]
        and species not in NAMED_NON_FERMENTERS["species"]
        and not NAMED_NON_FERMENTERS["species_groups"] & set(groups)
    ) or row["WHONET_ORG_CODE"] in UNNAMED_NON_FERMENTERS


def derive(rows: list[dict[str, str]], members: dict[str, set[str]]) -> list[dict[str, str]]:
    """Return the rows of Sirena's table."""
    genera = genus_by_code(rows)
    by_code: dict[str, list[dict[str, str]]] = {}
    code_of_name = {row["ORGANISM"]: row["WHONET_ORG_CODE"].lower() for row in rows}
    for row in rows:
        by_code.setdefault(row["WHONET_ORG_CODE"].lower(), []).append(row)
    further: dict[str, list[str]] = {}
    for name, known in (*RENAMED.items(), *WITHOUT_CODE.items()):
        further.setdefault(code_of_name[known], []).append(name)
    table = []
    for code, named in sorted(by_code.items()):
        named.sort(key=lambda row: row["TAXONOMIC_STATUS"])
        row = named[0]
        names = [entry["ORGANISM"] for entry in named]
        name = CURRENT_NAMES.get(code, names[0])
        genus_of_code = "" if name.startswith("Candidatus") else genera.get(row["GENUS_CODE"], "")
        genus, species, subspecies = taxonomy_of(name, genus_of_code)
        if species and not subspecies and " ss. " in name and code_of_name.get(species, code) == code:
            name = species
        groups = groups_of(code, [name, *names], genus, species, row["SPECIES_GROUP"], members)
        kingdom = KINGDOM_OF_TYPE[row["ORGANISM_TYPE"]]
        order = "Enterobacterales" if row["FAMILY_CODE"] == "EBC" or code in ENTEROBACTERALES else row["ORDER"]
        order = ORDER_OF_GENUS.get(genus, order) if order else order
        genus_groups = [group for group in groups if group in GENUS_GROUPS]
        if genus in BACTEROIDES_GENERA:
            genus_groups.append(BACTEROIDES)
        if is_other_non_fermenter(row, genus, species, groups):
            genus_groups.append(OTHER_NON_FERMENTERS)
        if row["GENUS_GROUP"] == "NFR" or code in UNNAMED_NON_FERMENTERS:
            genus_groups.append(NON_FERMENTERS)
        synonyms = dict.fromkeys((*names, *SYNONYMS.get(code, ()), *further.get(code, ())))
        synonyms.pop(name, None)
        replaced = next((entry["REPLACED_BY"] for entry in named if entry["REPLACED_BY"]), DUPLICATES.get(code, ""))
        table.append(
            {
                "code": code,
                "name": name,
                "kingdom": kingdom,
                "gram": gram_of(row, genus) if kingdom == "bacteria" else "",
                "anaerobe": "yes" if (row["ANAEROBE"] or genus in ANAEROBIC) and genus not in FACULTATIVE else "",
                "subspecies": subspecies,
                "species": species,
                "species_groups": "; ".join(group for group in groups if group not in GENUS_GROUPS),
                "genus": "" if code in WITHOUT_GENUS else genus,
                "genus_groups": "; ".join(genus_groups),
                "family": row["FAMILY"],
                "order": "" if order == "Enterobacteriales" else order,
                "replaced_by": replaced.lower() if replaced.lower() in by_code else "",
                "synonyms": "; ".join(synonyms),
            }
        )
    return table


def main(organisms: str, groups: str, target: str) -> None:
    """Write the table."""
    table = derive(read_source(Path(organisms)), read_members(Path(groups)))
    with Path(target).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    print(f"{len(table)} organisms")


if __name__ == "__main__":
    main(*sys.argv[1:])
