"""The organisms of the synthetic hospital, and how the MICs of each antimicrobial are distributed.

The figures are rounded from everyday knowledge of a Latin American general hospital and of the usual instrument panels;
they are invented, belong to no hospital, and follow no guideline. They are chosen so that every antimicrobial has
susceptible, intermediate and resistant isolates. ``synthetic_spreads.csv``, in this module's folder, has one row for
each group and antimicrobial, and for each organism that differs from its group; concentrations in mg/L.
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Species:
    """One organism of the synthetic hospital."""

    code: str
    """WHONET code."""
    name: str
    group: str
    """Group of organisms whose antimicrobials are tested; a key of the table of spreads."""
    weight: float
    """Share of all isolates, in per cent."""
    org_type: str
    """WHONET's ORG_TYPE: ``+``, ``-``, ``f``."""
    specimens: str
    """Key of `SPECIMENS`."""


SPECIES: Final = tuple(
    Species(code, name, group, float(weight), org_type, specimens)
    for code, name, group, weight, org_type, specimens in (
        line.split("|")
        for line in """\
eco|Escherichia coli|EB|29|-|urinary
kpn|Klebsiella pneumoniae|EB|13|-|any
kox|Klebsiella oxytoca|EB|1.5|-|any
ecl|Enterobacter cloacae|EB|3.5|-|any
eae|Klebsiella aerogenes|EB|1|-|any
cfr|Citrobacter freundii|EB|1|-|urinary
pmi|Proteus mirabilis|EB|3.5|-|urinary
mmo|Morganella morganii|EB|1|-|urinary
sma|Serratia marcescens|EB|1.5|-|any
pae|Pseudomonas aeruginosa|PA|8|-|any
aba|Acinetobacter baumannii|AB|4|-|any
pma|Stenotrophomonas maltophilia|SM|1|-|any
sau|Staphylococcus aureus|ST|10|+|skin
sep|Staphylococcus epidermidis|CN|3.5|+|blood
shl|Staphylococcus haemolyticus|CN|1.5|+|blood
efa|Enterococcus faecalis|EF|4.5|+|urinary
efm|Enterococcus faecium|EM|2.5|+|any
spn|Streptococcus pneumoniae|PN|2.5|+|airways
sgc|Streptococcus agalactiae|BH|1.5|+|urinary
spy|Streptococcus pyogenes|BH|1|+|skin
hin|Haemophilus influenzae|HI|1|-|airways
cal|Candida albicans|YA|2.8|f|blood
cgl|Candida glabrata|YG|1|f|blood
cpa|Candida parapsilosis|YP|1.6|f|blood
ctr|Candida tropicalis|YT|1.4|f|blood
ckr|Candida krusei|YK|0.4|f|blood
""".splitlines()
    )
)

SPECIMENS: Final[dict[str, dict[str, float]]] = {
    "urinary": {"ur": 0.78, "bl": 0.12, "ti": 0.04, "ab": 0.04, "sf": 0.02},
    "any": {"ur": 0.32, "bl": 0.22, "sp": 0.28, "wd": 0.12, "ab": 0.05, "sf": 0.01},
    "skin": {"wd": 0.45, "bl": 0.28, "ab": 0.17, "sp": 0.08, "sf": 0.02},
    "blood": {"bl": 0.74, "ur": 0.12, "ca": 0.12, "sf": 0.02},
    "airways": {"sp": 0.62, "bl": 0.24, "sf": 0.09, "ey": 0.05},
}
"""Shares of specimen types by WHONET code: ur urine, bl blood, sp sputum, wd wound, ab abscess, ti tissue, ca catheter,
ey eye, sf spinal fluid."""

WARDS: Final = (
    ("icu", "icu", 0.20),
    ("med1", "med", 0.18),
    ("med2", "med", 0.10),
    ("sur", "sur", 0.15),
    ("ped", "ped", 0.08),
    ("nicu", "icu", 0.04),
    ("obg", "obg", 0.04),
    ("er", "eme", 0.08),
    ("outp", "out", 0.13),
)
"""Ward, WHONET's ward type, share of the isolates."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How the MICs of one antimicrobial are distributed in one group of organisms, as exponents of two (mg/L)."""

    drug: str
    tested_share: float
    """Share of the group's isolates that are tested."""
    wild_type: int
    """Commonest MIC of isolates without acquired resistance."""
    resistant_share: float
    resistant: int
    """Commonest MIC of resistant isolates."""
    lowest: int
    highest: int
    """Range of the instrument's panel: MICs outside are reported as at most or at least."""


_URINE: Final = frozenset({"NIT", "NOR", "FOS"})
"""Antimicrobials that are tested in urine only."""


def _exponent(concentration: str) -> int:
    return round(math.log2(float(concentration)))


def _read_table() -> dict[str, dict[str, Spread]]:
    table: dict[str, dict[str, Spread]] = {}
    with Path(__file__).with_name("synthetic_spreads.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            table.setdefault(row["group"], {})[row["drug"]] = Spread(
                drug=row["drug"],
                tested_share=float(row["tested"]),
                wild_type=_exponent(row["wild_type"]),
                resistant_share=float(row["resistant_share"]),
                resistant=_exponent(row["resistant"]),
                lowest=_exponent(row["lowest"]),
                highest=_exponent(row["highest"]),
            )
    return table


_SPREADS: Final = _read_table()


DRUGS: Final = tuple(sorted({drug for spreads in _SPREADS.values() for drug in spreads}))
"""Antimicrobials the hospital tests, in alphabetical order."""


def spreads_of(species: Species) -> dict[str, Spread]:
    """Return the spread of each antimicrobial tested on a species: the species' own, or else that of its group.

    >>> amikacin = spreads_of(SPECIES[0])["AMK"]
    >>> SPECIES[0].code, 2**amikacin.wild_type, 2**amikacin.resistant
    ('eco', 2, 64)
    """
    return _SPREADS[species.group] | _SPREADS.get(species.code, {})


def is_tested_only_in_urine(drug: str) -> bool:
    """Tell whether an antimicrobial is tested in urine only, being for uncomplicated urinary tract infection.

    >>> is_tested_only_in_urine("NIT"), is_tested_only_in_urine("AMK")
    (True, False)
    """
    return drug in _URINE


CLASSES: Final[dict[str, str]] = {
    drug: name
    for name, drugs in {
        "cephalosporin": "ATM CAZ CRO CTX FEP CZO CXM OXA",
        "carbapenem": "ETP IPM MEM CZT CZA",
        "penicillin": "AMP AMC SAM TZP PEN FOX CPT",
        "quinolone": "CIP LVX MFX NOR",
        "aminoglycoside": "AMK GEN TOB GEH STH",
        "macrolide": "ERY CLI",
        "azole": "FLU VOR",
        "echinocandin": "CAS MIF",
    }.items()
    for drug in drugs.split()
}
"""Class of each antimicrobial whose resistance is correlated with others'; the rest are independent."""
