"""Names of organisms in titles and footnotes, and the groups of the organism table that they stand for.

Rules, each with a test of like name:

- a shortened genus is that of a member of the breakpoint table's groups (``E. coli`` among Enterobacterales), or of the
  only organism of that name; if two fit, a person must decide;
- ``except`` and ``other than`` leave organisms out; in brackets they concern only the name before them;
- ``other enterococci`` is the whole group of the table, since the named species have rows of their own, which take
precedence; - Lancefield groups, viridans and coagulase-negative groups are the organism table's groups of the same
name; - a phenotype (MRSA) is no group of organisms.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from sirena.domain.organisms import ORGANISMS, Rank
from sirena.guidelines.eucast.findings import Group, UndecidableError

_FIXED: Final[dict[str, tuple[Group, ...]]] = {
    "viridans group streptococci": ((Rank.SPECIES_GROUP, "Streptococcus, viridans group"),),
    "coagulase-negative staphylococci": ((Rank.SPECIES_GROUP, "Staphylococcus, coagulase-negative"),),
    "s. agalactiae (group b streptococci)": ((Rank.SPECIES_GROUP, "Streptococcus group B"),),
    "streptococcus groups a, b, c and g": ((Rank.SPECIES_GROUP, "Streptococcus groups A, B, C, G"),),
    "streptococcus groups a, c and g": tuple((Rank.SPECIES_GROUP, f"Streptococcus group {letter}") for letter in "ACG"),
    "enterococci": ((Rank.GENUS, "Enterococcus"),),
    "morganellaceae": tuple((Rank.GENUS, genus) for genus in ("Morganella", "Proteus", "Providencia")),
    "mycobacterium tuberculosis var. tuberculosis": ((Rank.SPECIES, "Mycobacterium tuberculosis"),),
    "m. tuberculosis var. tuberculosis": ((Rank.SPECIES, "Mycobacterium tuberculosis"),),
}
"""Groups of names that are neither a genus nor a species, in lower case."""

_EXCEPT: Final = re.compile(r"\s(?:except|other than)\s(?![^()]*\))")
_BRACKET: Final = re.compile(r"\s*\((?:except|other than)\s+([^()]*)\)")
_ASIDE: Final = re.compile(r"\s*\((?:previously|plus)[^()]*\)")
_UNIT: Final = re.compile(r"streptococcus groups [abcg](?:, [abcg])*,? and [abcg]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Organisms:
    """The groups of organisms that a text names, and the groups that it leaves out."""

    groups: tuple[Group, ...]
    exceptions: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Naming:
    """The meaning of organisms' names in one breakpoint table."""

    table: tuple[Group, ...] = ()
    """Groups that the breakpoint table is for."""
    defined: Mapping[str, str] = field(default_factory=dict)
    """Species of the groups that the breakpoint table itself defines, by name in lower case: ``s. anginosus group``."""

    def read(self, text: str) -> Organisms:
        """Return the groups of organisms that a text names, and those that it leaves out.

        Raises:
            UndecidableError: a name is not known, or fits more than one organism.
        """
        exceptions: list[Group] = []
        for inner in _BRACKET.findall(text):
            exceptions += self.read(inner).groups
        outer = _EXCEPT.split(_ASIDE.sub("", _BRACKET.sub("", text)), maxsplit=1)
        if len(outer) == 2:
            exceptions += self.read(outer[1]).groups
        groups = [group for name in _names_of_list(outer[0]) for group in self._one(name)]
        return Organisms(tuple(dict.fromkeys(groups)), tuple(dict.fromkeys(exceptions)))

    def _one(self, name: str) -> tuple[Group, ...]:
        key = name.lower()
        if key in self.defined:
            return self.read(self.defined[key]).groups
        if key in _FIXED:
            return _FIXED[key]
        if key.startswith("other ") and self.table:
            return self.table
        genus, _, rest = name.removesuffix(" spp.").partition(" ")
        if genus.endswith(".") and rest:
            return (self._shortened(genus[:-1], rest),)
        if not rest and (wide_group := _wide().get(genus)):
            return (wide_group,)
        if "/" in rest:
            return tuple((Rank.SPECIES, f"{genus} {epithet}") for epithet in rest.split("/"))
        if _wide().get(genus, (Rank.ANY, ""))[0] is Rank.GENUS and re.fullmatch(r"[a-z]+", rest):
            return ((Rank.SPECIES, f"{genus} {rest}"),)
        raise UndecidableError("an organism is named that no group of ours stands for")

    def _shortened(self, initial: str, epithet: str) -> Group:
        fitting = [group for group in _species().get(epithet, ()) if group[1].startswith(initial)]
        members = [group for group in fitting if self._on_table(group)] or fitting
        species = [group for group in members if group[0] is Rank.SPECIES] or members
        if len(species) != 1:
            raise UndecidableError("a shortened name of an organism fits none, or more than one")
        return species[0]

    def _on_table(self, group: Group) -> bool:
        genera = {name.split()[0] for rank, name in self.table if rank in (Rank.SPECIES, Rank.GENUS)}
        return group[1].split()[0] in genera or any(contains(wide, group) for wide in self.table)


def _names_of_list(text: str) -> Iterable[str]:
    """Yield the names of a list: ``E. coli, Klebsiella spp. and P. mirabilis``."""
    units = _UNIT.findall(text)
    rest = _UNIT.sub("", text)
    for name in (*units, *re.split(r",|\sand\sfor\s|\sand\s(?![^()]*\))", f" {rest} ")):
        words = name.split()
        if words and words[-1] not in ("spp.", "."):
            words[-1] = words[-1].rstrip(".")
        if any(words):
            yield " ".join(words)


@cache
def _wide() -> dict[str, Group]:
    """Return each genus, family and order by its name."""
    ranks = (Rank.GENUS, Rank.FAMILY, Rank.ORDER)
    return {name: (rank, name) for organism in ORGANISMS.values() for rank, name in organism.lineage if rank in ranks}


@cache
def _species() -> dict[str, tuple[Group, ...]]:
    """Return the species, and subspecies that EUCAST may count as species, by the last word of their name."""
    groups_of_epithet: dict[str, dict[Group, None]] = {}
    for organism in ORGANISMS.values():
        for rank, name in organism.lineage:
            if rank in (Rank.SEROVAR, Rank.SPECIES):
                groups_of_epithet.setdefault(name.split()[-1], {})[rank, name] = None
    return {epithet: tuple(groups) for epithet, groups in groups_of_epithet.items()}


@cache
def contains(wide: Group, narrow: Group) -> bool:
    """Tell whether a group contains another, narrower group.

    >>> contains((Rank.GENUS, "Staphylococcus"), (Rank.SPECIES, "Staphylococcus aureus"))
    True
    """
    lineages = [organism.lineage for organism in ORGANISMS.values() if narrow in organism.lineage]
    return any(wide in lineage and lineage.index(narrow) < lineage.index(wide) for lineage in lineages)
