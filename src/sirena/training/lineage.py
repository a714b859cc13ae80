"""The lineage of organisms as numbered groups, so that rare species learn from their relatives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.organisms import ORGANISMS, Rank
from sirena.domain.truth_table import split_key

ALL_ORGANISMS: Final = "all"
"""Name of the widest group, to which every organism belongs."""

Ancestry = Callable[[str], Sequence[str]]
"""Function that returns the groups above an organism, from the widest to the narrowest."""


def groups_above(key: str) -> tuple[str, ...]:
    """Return the groups of a key's organism, from the widest to the narrowest; empty for an unknown code.

    A key for one body site has separate groups, so that relatives share evidence within that site only.

    >>> groups_above("eco")  # doctest: +NORMALIZE_WHITESPACE
    ('any bacteria', 'any Gram-negative bacteria', 'order Enterobacterales', 'family Enterobacteriaceae',
     'genus Escherichia', 'species Escherichia coli')
    """
    code, site = split_key(key)
    organism = ORGANISMS.get(code)
    if organism is None:
        return ()
    at = f" at {site.value}" if site else ""
    shared = [(rank, group) for rank, group in reversed(organism.lineage) if rank is not Rank.CODE]
    return tuple(f"{rank.name.lower()} {group}{at}" for rank, group in shared)


@dataclass(frozen=True)
class Lineage:
    """The groups of every organism of a vocabulary, as integer codes."""

    member: NDArray[np.int32]
    """Number of each organism's group at each level, the widest first, itself last; shape (organisms, levels)."""
    groups: tuple[str, ...]
    """Name of each group, by number; number 0 is `ALL_ORGANISMS`."""

    @classmethod
    def of(cls, organisms: Sequence[str], ancestry: Ancestry = groups_above) -> "Lineage":
        """Create the lineage of organisms, or of their keys for single body sites, and number the groups.

        Every group has one level, below all groups that any lineage puts above it, so that relatives share a group even
        if the lineage of one leaves a rank out; such a gap gets a separate group below the last named one.
        """
        chains = [(ALL_ORGANISMS, *dict.fromkeys(ancestry(code)), f"organism {code}") for code in organisms]
        depth = _depths(chains)
        deepest = max(depth.values(), default=0)
        depth |= {chain[-1]: deepest for chain in chains}
        numbers: dict[str, int] = {ALL_ORGANISMS: 0}
        member = np.zeros((len(organisms), deepest + 1), dtype=np.int32)
        for row, chain in enumerate(chains):
            above = chain[0]
            group_of_level = {depth[group]: group for group in chain}
            for level in range(deepest + 1):
                above = group_of_level.get(level, above)
                name = above if level in group_of_level else f"{above}, rest of level {level}"
                member[row, level] = numbers.setdefault(name, len(numbers))
        return cls(member=member, groups=tuple(numbers))

    def spread(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return effects of groups, most of them zero, that add up to the given values of the organisms.

        From the widest group to the narrowest, a group's effect is the median of what remains of its organisms' values.
        So relatives share one effect, and an organism's own effect is only its difference from it.

        Args:
            values: shape (organisms, outputs).

        Returns:
            Shape (groups, outputs); for each organism the effects of its groups add up to its values.
        """
        effects = np.zeros((len(self.groups), values.shape[1]))
        remainder = values.copy()
        for level in range(self.member.shape[1]):
            column = self.member[:, level]
            for group in np.unique(column):
                group_values = np.sort(remainder[column == group], axis=0)
                # The lower of the two middle values keeps an effect at a value some organism really has.
                effects[group] = group_values[(len(group_values) - 1) // 2]
            remainder -= effects[column]
        return effects


def _depths(chains: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return each group's depth: the greatest number of groups above it in any lineage.

    Raises:
        ValueError: two lineages contradict each other on which group is wider.
    """
    depth: dict[str, int] = {}
    edges = {edge for chain in chains for edge in pairwise(chain)}
    for _ in range(len(edges) + 1):
        deeper = {
            below: depth.get(above, 0) + 1
            for above, below in sorted(edges)
            if depth.get(below, 0) < depth.get(above, 0) + 1
        }
        if not deeper:
            return {ALL_ORGANISMS: 0} | depth
        depth |= deeper
        if max(deeper.values()) > len(edges):
            break
    raise ValueError("the lineages contradict each other on which group is wider")
