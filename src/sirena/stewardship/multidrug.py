"""Multidrug resistance (MDR) by Magiorakos et al., Clin Microbiol Infect 2012;18:268, Tables 1-5.

``multidrug.csv``, in this module's folder, lists the antimicrobial categories of each group of organisms. Rules, each
with a test of like name:

- MDR: acquired non-susceptibility to at least one agent in three or more categories; an MRSA always is;
- a category to whose agents the organism has intrinsic resistance is left out of numerator and denominator;
- three categories suffice for MDR; for "not MDR" at least half of the categories must have been tested;
- XDR cannot be established without agents that few panels have; it is possible if at least half of the categories were
  tested and at most two of them are susceptible.

For EUCAST only R counts as non-susceptible, since I is susceptible at increased exposure.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from sirena.domain.organisms import Rank
from sirena.guidelines.tables import parse_rank
from sirena.stewardship.condition import FactState, parse_trigger
from sirena.stewardship.isolate_facts import IsolateFacts, Mask

Groups = tuple[tuple[Rank, str], ...]
_MRSA: Final = parse_trigger("MRSA=+ or MECA_PCR=+ or OXA|FOX=R")
_MDR: Final = 3
_XDR_LEFT: Final = 2


@dataclass(frozen=True)
class Multidrug:
    """The judgement of each row, as masks; all are False in rows of organisms that the definition does not cover."""

    resistant: Mask
    """True if the isolate is MDR."""
    too_few: Mask
    """True if it is undecided, since fewer than half of the categories were tested."""
    is_covered: Mask
    """True if the definition covers the organism."""
    possibly_extensive: Mask
    """True if XDR is possible."""


def parse_groups(text: str) -> Groups:
    """Parse a table cell that lists groups of organisms: ``genus:Salmonella; genus:Shigella``.

    Raises:
        ValueError: a rank is unknown.

    >>> parse_groups("genus:Salmonella")
    ((<Rank.GENUS: 4>, 'Salmonella'),)
    """
    parts = (part.strip().partition(":") for part in text.split(";") if part.strip())
    return tuple((parse_rank(rank), name) for rank, _, name in parts)


@cache
def _categories() -> Mapping[tuple[Rank, str, Groups], tuple[tuple[str, ...], ...]]:
    """Return the antimicrobials of each category, by group of organisms with its exceptions."""
    groups: dict[tuple[Rank, str, Groups], list[tuple[str, ...]]] = {}
    with Path(__file__).with_name("multidrug.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            key = parse_rank(row["rank"]), row["group"], parse_groups(row["except"])
            groups.setdefault(key, []).append(tuple(row["drugs"].split()))
    return {key: tuple(categories) for key, categories in groups.items()}


def find_multidrug(facts: IsolateFacts) -> Multidrug:
    """Return for every row whether it is multidrug-resistant, or whether too few categories were tested."""
    resistant, too_few, is_covered, extensive = (np.zeros(facts.rows, dtype=bool) for _ in range(4))
    for (rank, group, exceptions), categories in _categories().items():
        members = facts.members(rank, group, exceptions)
        if not members.any():
            continue
        non_susceptible, tested_categories, by_nature = (np.zeros(facts.rows, dtype=np.int64) for _ in range(3))
        for drugs in categories:
            is_decided, against, is_expected = (np.zeros(facts.rows, dtype=bool) for _ in range(3))
            for test in facts.tests_of(drugs):
                is_decided |= test.is_decided()
                against |= test.shows(FactState.NON_SUSCEPTIBLE)
                is_expected |= test.is_expected
            tested_categories += is_decided
            non_susceptible += against
            by_nature += is_expected & ~is_decided
        enough = 2 * tested_categories >= len(categories) - by_nature
        yes = non_susceptible >= _MDR
        if (rank, group) == (Rank.SPECIES, "Staphylococcus aureus"):
            yes |= facts.holds(_MRSA)
        resistant |= members & yes
        too_few |= members & ~yes & ~enough
        extensive |= members & yes & enough & (tested_categories - non_susceptible <= _XDR_LEFT)
        is_covered |= members
    return Multidrug(resistant, too_few, is_covered, extensive)
