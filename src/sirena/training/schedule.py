"""How long to descend, and from where: one antimicrobial's training.

The number of steps is chosen on the held-out isolates; then everything is learnt anew from all isolates with that many
steps, so that the few isolates of a rare species are not spent on watching.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.mic import DILUTIONS, MINIMUM_EXPONENT
from sirena.training.cells import Cells
from sirena.training.lineage import Ancestry, Lineage, groups_above
from sirena.training.network import KIND_FEATURES
from sirena.training.optimisation import Batch, Descent, TrainingSettings, descent_for, inverse_softplus
from sirena.training.starting_point import Borrowing, best_cut_points

STRIDE: Final = 25
"""Steps between two looks at the held-out isolates; an epoch of the history."""
LONGEST: Final = 150
"""Most steps of a training."""
PATIENCE: Final = 4
"""Looks without improvement after which the descent ends."""
_IMPROVEMENT: Final = 1e-5
_SMALLEST_GAP: Final = 0.1
"""In dilutions: the cut points of an organism without an intermediate level."""


@dataclass(frozen=True)
class Epoch:
    """One look at a descent."""

    steps: int
    loss: float
    """Mean loss a learnt result, penalty included."""
    held_out_loss: float | None
    """Mean loss a held-out result."""


@dataclass(frozen=True)
class Watched:
    """What a descent under watch found."""

    steps: int
    """That served the held-out isolates best."""
    best_loss: float
    """Their mean loss a result; NaN when there were none."""
    history: tuple[Epoch, ...]


@dataclass(frozen=True)
class Fit:
    """Learnt parameters of one antimicrobial."""

    lineage: Lineage
    centre: float
    """Exponent of 2 mg/L that is zero to the network."""
    scale: float
    """Dilutions that are one to the network."""
    effects: NDArray[np.float32]
    """Shape (groups, 2 * KINDS)."""
    slope: NDArray[np.float32]
    """Shape (1, 1): the weight whose softplus is the slope a scaled dilution."""
    history: tuple[Epoch, ...] = field(default=())

    def cut_points(self) -> NDArray[np.float64]:
        """Return the learnt cut points: (organisms, KINDS, 2), as exponents of 2 mg/L."""
        effect = self.effects[self.lineage.member].sum(axis=1, dtype=np.float64)
        half = effect.shape[1] // 2
        lower = effect[:, :half] @ KIND_FEATURES.T
        upper = lower + np.logaddexp(0.0, effect[:, half:] @ KIND_FEATURES.T)
        return np.stack([lower, upper], axis=-1) * self.scale + self.centre

    def levels(self) -> NDArray[np.int64]:
        """Return the level of every MIC code, (organisms, CODES); -1 where a censored MIC is not decided."""
        exponent = np.arange(DILUTIONS) + float(MINIMUM_EXPONENT)
        level = (exponent[:, None] > self.cut_points()[:, :, None, :]).sum(axis=-1)
        end = np.stack(
            [level[:, 0], level[:, 0, :1].repeat(DILUTIONS, 1), level[:, 0, -1:].repeat(DILUTIONS, 1)], axis=1
        )
        return np.where(level == end, level, -1).reshape(len(level), -1)


class Course:
    """One antimicrobial's descent, that can be started and continued."""

    def __init__(self, cells: Cells, settings: TrainingSettings, ancestry: Ancestry = groups_above) -> None:
        self.cells = cells
        self.settings = settings
        self.lineage = Lineage.of(cells.keys, ancestry)
        exponent = cells.mic_code % DILUTIONS + float(MINIMUM_EXPONENT)
        self.centre = float(np.average(exponent, weights=cells.weight))
        # A drug tested at one or two dilutions must not blow the scale up.
        self.scale = max(1.0, float(np.sqrt(np.average((exponent - self.centre) ** 2, weights=cells.weight))))
        self.descent: Descent = descent_for(len(self.lineage.groups))

    def choose_steps(self) -> Watched:
        """Descend on the isolates not held out, and find the number of steps that serves the held-out ones best."""
        if self.cells.held_out.sum() == 0 or (self.cells.held_out == self.cells.weight).all():
            return Watched(STRIDE, float("nan"), ())
        weight = self.cells.weight - self.cells.held_out
        batch = self._start(weight, watched=self.cells.held_out)
        history: list[Epoch] = []
        best, best_loss = 0, float(self.descent.run(batch, self.settings, 0)[1])
        while best + PATIENCE * STRIDE > len(history) * STRIDE and len(history) * STRIDE < LONGEST:
            loss, held_out = self.descent.run(batch, self.settings, STRIDE)
            history.append(Epoch((len(history) + 1) * STRIDE, loss, held_out))
            if held_out < best_loss - _IMPROVEMENT:
                best, best_loss = history[-1].steps, held_out
        return Watched(max(best, STRIDE), best_loss, tuple(history))

    def start(self) -> Batch:
        """Put the cut points where all isolates' labels are best explained."""
        return self.start_from(self.cells.weight)

    def start_from(self, weight: NDArray[np.float64]) -> Batch:
        """Put the cut points where some of the results are best explained, to learn from these only."""
        return self._start(weight, watched=np.zeros_like(weight))

    def advance(self, batch: Batch, steps: int) -> Epoch:
        """Make some steps of gradient descent on a batch, and return the loss after them."""
        loss, _ = self.descent.run(batch, self.settings, steps)
        return Epoch(steps, loss, None)

    def fit(self, history: tuple[Epoch, ...]) -> Fit:
        """Return the parameters as they stand."""
        effects, slope = self.descent.parameters()
        return Fit(self.lineage, self.centre, self.scale, effects[: len(self.lineage.groups)], slope, history)

    def _start(self, weight: NDArray[np.float64], watched: NDArray[np.float64]) -> Batch:
        borrowing = Borrowing(self.settings.relatives, self.settings.kinds)
        cuts = best_cut_points(self.cells, weight, self.lineage.member, borrowing)
        self.descent.start(
            self.lineage.spread(self._outputs(cuts)),
            slope=self.settings.steepness * self.scale,
            learning_rate=self.settings.learning_rate,
        )
        return Batch.of(
            self.cells, self.lineage.member, self.centre, self.scale, weight, watched, self.settings.balance
        )

    def _outputs(self, cuts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn cut points into what the network adds up: lower and gap, each for exact and as differences from it."""
        lower = (cuts[..., 0] - self.centre) / self.scale
        gap = inverse_softplus(np.maximum(cuts[..., 1] - cuts[..., 0], _SMALLEST_GAP) / self.scale)
        return np.hstack([lower[:, :1], lower[:, 1:] - lower[:, :1], gap[:, :1], gap[:, 1:] - gap[:, :1]])
