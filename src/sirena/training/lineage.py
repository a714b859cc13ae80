"""The lineage of organisms as numbered groups, so that rare species lean on their relatives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.organisms import ORGANISMS

ALL_ORGANISMS: Final = "all"
"""Name of the widest group, which every organism belongs to."""

Ancestry = Callable[[str], Sequence[str]]
"""Returns the groups above an organism, from the widest to the narrowest."""


def groups_above(code: str) -> tuple[str, ...]:
    """Return the groups an organism belongs to, from the widest to the narrowest; none for an unknown code."""
    organism = ORGANISMS.get(code)
    if organism is None:
        return ()
    return tuple(f"{rank.name.lower()} {group}" for rank, group in reversed(organism.lineage) if group != code)


@dataclass(frozen=True)
class Lineage:
    """The groups of every organism of a vocabulary."""

    member: NDArray[np.int32]
    """Shape (organisms, levels): number of the group at each level, the widest first, the organism itself last."""
    groups: tuple[str, ...]
    """Names of the groups, by number; number 0 is `ALL_ORGANISMS`."""

    @classmethod
    def of(cls, organisms: Sequence[str], ancestry: Ancestry = groups_above) -> "Lineage":
        """Number the groups of some organisms.

        A lineage shorter than the longest one gets groups of its own below its last, so every organism has the
        same number of levels and no group is counted twice.
        """
        chains = [(ALL_ORGANISMS, *dict.fromkeys(ancestry(code))) for code in organisms]
        levels = max((len(chain) for chain in chains), default=1)
        numbers: dict[str, int] = {ALL_ORGANISMS: 0}
        member = np.zeros((len(organisms), levels + 1), dtype=np.int32)
        for row, (code, chain) in enumerate(zip(organisms, chains, strict=True)):
            filler = (f"{chain[-1]}, level {level}" for level in range(len(chain), levels))
            for level, name in enumerate((*chain, *filler, f"organism {code}")):
                member[row, level] = numbers.setdefault(name, len(numbers))
        return cls(member=member, groups=tuple(numbers))

    def spread(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Write values of organisms as sums of effects of their groups, most effects being zero.

        From the widest group down, a group takes the median of what its organisms have left over, so what relatives
        share is said once and an organism's own effect is only its difference.

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
                members = column == group
                # The lower of the two middle values keeps an effect at a value some organism really has.
                effects[group] = np.quantile(left[members], 0.5, axis=0, method="lower")
            left -= effects[column]
        return effects
