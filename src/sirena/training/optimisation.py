"""Descent on weighted cells, in one compiled function shared by every antimicrobial.

The loss is a sum over results, so a cell counts its weight::

    - Σ weight * importance * log((1 - lapse) * P(level) + lapse / 3)  +  shrinkage * Σ effects²

``lapse`` is the share of labels that no cut point explains (typing errors, another edition): it bounds what one wrong
label can pull, as a laboratory's error must not move a cut point. ``shrinkage`` spares the widest group.

Every antimicrobial uses the same network of padded size, so TensorFlow traces the step once a process and not once
a drug; that, and one thread, is where the speed lies (the arrays are too small for more).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.mic import DILUTIONS
from sirena.training.backend import keras, tf
from sirena.training.cells import LEVELS, Cells
from sirena.training.network import KIND_FEATURES, CutPoints, scaled_dilution

_SMALLEST_NETWORK: Final = 256
_TINY: Final = 1e-12
_WATCHED_LAPSE: Final = 0.02
"""Fixed, so that held-out losses of different settings compare."""


@dataclass(frozen=True)
class TrainingSettings:
    """What a training may vary; `search` looks among these."""

    shrinkage: float = 0.05
    """Weight of the squared effects (in scaled dilutions) of everything but the widest group."""
    steepness: float = 16.0
    """Logits a dilution at the start. Laboratories cut sharply, so a shallow slope would let thousands of S just below
    a cut point push it over the few results just above."""
    lapse: float = 0.05
    """Share of labels that are noise."""
    learning_rate: float = 0.001
    """Adam's step, in scaled dilutions."""
    balance: float = 0.1
    """Exponent of the weight of rare levels: 0 leaves them as they are, 1 makes all levels weigh the same."""
    relatives: float = 5.0
    """`starting_point.Borrowing.relatives`, in results."""
    kinds: float = 2.0
    """`starting_point.Borrowing.kinds`, in results."""


@dataclass(frozen=True)
class Batch:
    """One antimicrobial's cells as the compiled step takes them."""

    member: NDArray[np.int32]
    """Group numbers, (organisms, levels)."""
    key: NDArray[np.int32]
    """Row of `member` of each cell; the other arrays have one row a cell, too."""
    kind: NDArray[np.float32]
    dilution: NDArray[np.float32]
    level: NDArray[np.int32]
    weight: NDArray[np.float32]
    """Results to learn from, times the importance of their level."""
    watched: NDArray[np.float32]
    """Results to watch, unweighted."""

    @classmethod
    def of(
        cls,
        cells: Cells,
        member: NDArray[np.int32],
        centre: float,
        scale: float,
        weight: NDArray[np.float64],
        watched: NDArray[np.float64],
        balance: float,
    ) -> "Batch":
        """Describe cells to the network."""
        return cls(
            member=member,
            key=cells.key,
            kind=KIND_FEATURES[cells.mic_code // DILUTIONS],
            dilution=scaled_dilution(cells.mic_code % DILUTIONS, centre, scale)[:, None],
            level=cells.level.astype(np.int32),
            weight=(weight * importance(cells, weight, balance)).astype(np.float32),
            watched=watched.astype(np.float32),
        )


def importance(cells: Cells, weight: NDArray[np.float64], balance: float) -> NDArray[np.float64]:
    """Weigh rare levels up so that a drug with few resistant isolates still learns where they begin.

    Returns:
        Per cell (mean results a level / results at this level) ** balance, scaled to keep the total.
    """
    counts = np.bincount(cells.level, weights=weight, minlength=LEVELS)
    present = counts > 0
    factor = np.where(present, (counts.sum() / present.sum() / np.maximum(counts, 1.0)) ** balance, 0.0)
    scaled: NDArray[np.float64] = factor * counts.sum() / max(float((factor * counts).sum()), 1.0)
    return scaled[cells.level]


def log_likelihood(above: tf.Tensor, level: tf.Tensor, lapse: tf.Tensor) -> tf.Tensor:
    """Return the log probability of each label.

    Args:
        above: (n, 2) logits of lying above the lower and the upper cut point.
        level: (n,) labels' levels.
        lapse: share of labels that are noise.
    """
    exceeds = tf.sigmoid(above)
    chance = tf.stack([1 - exceeds[:, 0], exceeds[:, 0] - exceeds[:, 1], exceeds[:, 1]], axis=1)
    labelled = tf.gather(chance, level, axis=1, batch_dims=1)
    return tf.math.log((1 - lapse) * labelled + lapse / LEVELS + _TINY)


class Descent:
    """The padded network, its optimiser and the compiled step."""

    def __init__(self, groups: int) -> None:
        self.groups = groups
        self.network = CutPoints.of(groups)
        self.optimiser = keras.optimizers.Adam(learning_rate=0.001)
        self.optimiser.build(self.network.variables)
        self._effects, self._slope = self.network.variables
        self._spared = tf.constant(np.where(np.arange(groups) == 0, 0.0, 1.0)[:, None], dtype=tf.float32)
        self.advance = tf.function(
            self._advance,
            input_signature=[
                tf.TensorSpec((None, None), tf.int32),
                tf.TensorSpec((None,), tf.int32),
                tf.TensorSpec((None, 3), tf.float32),
                tf.TensorSpec((None, 1), tf.float32),
                tf.TensorSpec((None,), tf.int32),
                tf.TensorSpec((None,), tf.float32),
                tf.TensorSpec((None,), tf.float32),
                tf.TensorSpec((), tf.float32),
                tf.TensorSpec((), tf.float32),
                tf.TensorSpec((), tf.int32),
            ],
        )

    def start(self, effects: NDArray[np.floating[Any]], slope: float, learning_rate: float) -> None:
        """Set the parameters and forget the optimiser's past.

        Args:
            effects: (groups of this drug, 2 * KINDS); the rest of the padded rows become zero.
            slope: logits a scaled dilution.
            learning_rate: Adam's.
        """
        padded = np.zeros(self._effects.shape, dtype=np.float32)
        padded[: len(effects)] = effects
        self._effects.assign(padded)
        self._slope.assign([[inverse_softplus(slope)]])
        for variable in self.optimiser.variables:
            variable.assign(tf.zeros_like(variable.value))
        self.optimiser.learning_rate.assign(learning_rate)

    def parameters(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return a copy of the effects (all padded rows) and the slope's weight."""
        return np.array(self._effects.numpy()), np.array(self._slope.numpy())

    def run(self, batch: Batch, settings: TrainingSettings, steps: int) -> tuple[float, float]:
        """Take some steps.

        Returns:
            Loss a learnt result before the last step, penalty included, and mean loss of the watched results after it
            (NaN without any).
        """
        learnt, watched = self.advance(
            batch.member,
            batch.key,
            batch.kind,
            batch.dilution,
            batch.level,
            batch.weight,
            batch.watched,
            settings.shrinkage,
            settings.lapse,
            steps,
        )
        return float(learnt), float(watched)

    def _above(self, member: Any, organism: Any, kind: Any, dilution: Any) -> Any:
        effect = tf.gather(self.network.lineage(member), organism)
        return self.network.ordinal([effect, kind, dilution])

    def _advance(self, member, organism, kind, dilution, level, weight, watched, shrinkage, lapse, steps):  # type: ignore[no-untyped-def]
        variables = self.network.variables
        loss = tf.constant(0.0)
        for _ in tf.range(steps):
            with tf.GradientTape() as tape:
                fit = -tf.reduce_sum(
                    weight * log_likelihood(self._above(member, organism, kind, dilution), level, lapse)
                )
                loss = fit + shrinkage * tf.reduce_sum(self._spared * tf.square(self._effects.value))
            gradients = tape.gradient(loss, [variable.value for variable in variables])
            self.optimiser.apply([tf.convert_to_tensor(gradient) for gradient in gradients], variables)
        likelihood = log_likelihood(self._above(member, organism, kind, dilution), level, _WATCHED_LAPSE)
        return loss / tf.reduce_sum(weight), -tf.reduce_sum(watched * likelihood) / tf.reduce_sum(watched)


def inverse_softplus(value: float | NDArray[np.float64]) -> Any:
    """Return x with log(1 + exp(x)) = value."""
    return value + np.log(-np.expm1(-value))


@cache
def descent_for(groups: int) -> Descent:
    """Return the process's descent of at least this many groups; sizes are powers of four, so few are compiled."""
    size = _SMALLEST_NETWORK
    while size < groups:
        size *= 4
    return _descent(size)


@cache
def _descent(size: int) -> Descent:
    return Descent(size)
