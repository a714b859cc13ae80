"""The training schedule of one antimicrobial: how many steps of gradient descent, and from which starting point.

The number of steps is chosen on the held-out isolates; then the network is trained again on all isolates with that many
steps, so that a rare species' few isolates are all used.
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
"""Steps between two checks on the held-out isolates; one epoch of the history."""
LONGEST: Final = 150
"""Most steps of a training."""
PATIENCE: Final = 4
"""Number of checks without improvement after which the descent stops."""
_IMPROVEMENT: Final = 1e-5
_SMALLEST_GAP: Final = 0.1
"""Distance in dilutions of the two cut points of an organism without an intermediate level."""


@dataclass(frozen=True)
class Epoch:
    """The losses at one check during a descent."""

    steps: int
    loss: float
    """Mean loss per training result, with the penalty."""
    held_out_loss: float | None
    """Mean loss per held-out result; None if none are held out."""


@dataclass(frozen=True)
class Watched:
    """The result of a descent that was checked on held-out isolates."""

    steps: int
    """Number of steps with the lowest loss of the held-out isolates."""
    best_loss: float
    """That loss, mean per held-out result; NaN if there are none."""
    history: tuple[Epoch, ...]


@dataclass(frozen=True)
class Fit:
    """The learnt parameters of one antimicrobial."""

    lineage: Lineage
    centre: float
    """Exponent of 2 mg/L that the network sees as zero."""
    scale: float
    """Number of dilutions that the network sees as one."""
    effects: NDArray[np.float32]
    """Effects of the groups; shape (groups, 2 * KINDS)."""
    slope: NDArray[np.float32]
    """Weight whose softplus is the slope per scaled dilution; shape (1, 1)."""
    history: tuple[Epoch, ...] = field(default=())

    def cut_points(self) -> NDArray[np.float64]:
        """Return the learnt cut points as exponents of 2 mg/L; shape (organisms, KINDS, 2)."""
        effect = self.effects[self.lineage.member].sum(axis=1, dtype=np.float64)
        half = effect.shape[1] // 2
        lower = effect[:, :half] @ KIND_FEATURES.T
        upper = lower + np.logaddexp(0.0, effect[:, half:] @ KIND_FEATURES.T)
        return np.stack([lower, upper], axis=-1) * self.scale + self.centre

    def levels(self) -> NDArray[np.int64]:
        """Return the level of every MIC code, shape (organisms, CODES); -1 for a censored MIC without a category."""
        exponent = np.arange(DILUTIONS) + float(MINIMUM_EXPONENT)
        level = (exponent[:, None] > self.cut_points()[:, :, None, :]).sum(axis=-1)
        end = np.stack(
            [level[:, 0], level[:, 0, :1].repeat(DILUTIONS, 1), level[:, 0, -1:].repeat(DILUTIONS, 1)], axis=1
        )
        return np.where(level == end, level, -1).reshape(len(level), -1)


class Course:
    """One antimicrobial's gradient descent, which can be started and continued."""

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
        """Train without the held-out isolates; return the number of steps at which their loss is least."""
        if self.cells.held_out.sum() == 0 or (self.cells.held_out == self.cells.weight).all():
            return Watched(STRIDE, float("nan"), ())
        weight = self.cells.weight - self.cells.held_out
        batch = self._start(weight, watched_weight=self.cells.held_out)
        history: list[Epoch] = []
        best, best_loss = 0, float(self.descent.run(batch, self.settings, 0)[1])
        while best + PATIENCE * STRIDE > len(history) * STRIDE and len(history) * STRIDE < LONGEST:
            loss, held_out = self.descent.run(batch, self.settings, STRIDE)
            history.append(Epoch((len(history) + 1) * STRIDE, loss, held_out))
            if held_out < best_loss - _IMPROVEMENT:
                best, best_loss = history[-1].steps, held_out
        return Watched(max(best, STRIDE), best_loss, tuple(history))

    def start(self) -> Batch:
        """Set the cut points where they best explain all isolates' labels; return the batch to learn from."""
        return self.start_from(self.cells.weight)

    def start_from(self, weight: NDArray[np.float64]) -> Batch:
        """Set the cut points where they best explain some of the results; return the batch of these results."""
        return self._start(weight, watched_weight=np.zeros_like(weight))

    def advance(self, batch: Batch, steps: int) -> Epoch:
        """Make some steps of gradient descent on a batch, and return its loss."""
        loss, _ = self.descent.run(batch, self.settings, steps)
        return Epoch(steps, loss, None)

    def fit(self, history: tuple[Epoch, ...]) -> Fit:
        """Return the current parameters as a `Fit`."""
        effects, slope = self.descent.parameters()
        return Fit(self.lineage, self.centre, self.scale, effects[: len(self.lineage.groups)], slope, history)

    def _start(self, weight: NDArray[np.float64], watched_weight: NDArray[np.float64]) -> Batch:
        borrowing = Borrowing(self.settings.relatives, self.settings.kinds)
        cuts = best_cut_points(self.cells, weight, self.lineage.member, borrowing)
        self.descent.start(
            self.lineage.spread(self._outputs(cuts)),
            slope=self.settings.steepness * self.scale,
            learning_rate=self.settings.learning_rate,
        )
        return Batch.of(
            self.cells, self.lineage.member, self.centre, self.scale, weight, watched_weight, self.settings.balance
        )

    def _outputs(self, cuts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the network's outputs for cut points: lower and gap, of exact MICs and as differences from these."""
        lower = (cuts[..., 0] - self.centre) / self.scale
        gap = inverse_softplus(np.maximum(cuts[..., 1] - cuts[..., 0], _SMALLEST_GAP) / self.scale)
        return np.hstack([lower[:, :1], lower[:, 1:] - lower[:, :1], gap[:, :1], gap[:, 1:] - gap[:, :1]])
