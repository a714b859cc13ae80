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
    """Return the groups of a key's organism, from the widest to the narrowest; none for an unknown code.

    A key for one site has separate groups, so that relatives share evidence within that site only.

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
    """The groups of every organism of a vocabulary, as numbers."""

    member: NDArray[np.int32]
    """Number of each organism's group at each level, the widest first, itself last; shape (organisms, levels)."""
    groups: tuple[str, ...]
    """Name of each group, by number; number 0 is `ALL_ORGANISMS`."""

    @classmethod
    def of(cls, organisms: Sequence[str], ancestry: Ancestry = groups_above) -> "Lineage":
        """Return the numbered groups of some organisms, or of their keys for single sites.

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
            named = {depth[group]: group for group in chain}
            for level in range(deepest + 1):
                above = named.get(level, above)
                name = above if level in named else f"{above}, rest of level {level}"
                member[row, level] = numbers.setdefault(name, len(numbers))
        return cls(member=member, groups=tuple(numbers))

    def spread(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return effects of groups whose sums are the given values of organisms, with most effects zero.

        From the widest group to the narrowest, a group's effect is the median of what remains of its organisms' values.
        So relatives share one effect, and an organism's own effect is only its difference from it.

        Args:
            values: shape (organisms, outputs).

        Returns:
            Shape (groups, outputs); for each organism the effects of its groups add up to its values.
        """
        effects = np.zeros((len(self.groups), values.shape[1]))
        left = values.copy()
        for level in range(self.member.shape[1]):
            column = self.member[:, level]
            for group in np.unique(column):
                remaining = np.sort(left[column == group], axis=0)
                # The lower of the two middle values keeps an effect at a value some organism really has.
                effects[group] = remaining[(len(remaining) - 1) // 2]
            left -= effects[column]
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
