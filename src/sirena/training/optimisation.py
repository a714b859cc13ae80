"""Gradient descent on weighted cells, in one compiled function that every antimicrobial uses.

The loss is a sum over results, so a cell counts its weight::

    - Σ weight * importance * log((1 - lapse) * P(level) + lapse / 3)  +  shrinkage * Σ effects²

``lapse`` is the share of labels that no cut point explains (typing errors, another edition): it limits how far one
wrong label can move a cut point. ``shrinkage`` does not apply to the widest group.

Every antimicrobial uses the same network of padded size, so TensorFlow traces the step once per process and not once
per drug. This, and using one thread, makes training fast.
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
"""Lapse of the held-out loss, fixed so that losses under different settings can be compared."""


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training, which `search` may vary."""

    shrinkage: float = 0.05
    """Weight of the squared effects (in scaled dilutions) of all groups but the widest."""
    steepness: float = 16.0
    """Logits per dilution at the start. Laboratories cut sharply, so a shallow slope would let thousands of S just
    below a cut point push it over the few results just above.
    """
    lapse: float = 0.05
    """Share of labels that are assumed to be noise."""
    learning_rate: float = 0.001
    """Step size of Adam, in scaled dilutions."""
    balance: float = 0.1
    """Exponent of the weight of rare levels: 0 leaves weights unchanged, 1 gives all levels the same weight."""
    relatives: float = 5.0
    """Value of `starting_point.Borrowing.relatives`, in results."""
    kinds: float = 2.0
    """Value of `starting_point.Borrowing.kinds`, in results."""


@dataclass(frozen=True)
class Batch:
    """One antimicrobial's cells as inputs of the compiled step."""

    member: NDArray[np.int32]
    """Group numbers, shape (organisms, levels)."""
    key: NDArray[np.int32]
    """Row of `member` for each cell; the arrays below also have one row per cell."""
    kind: NDArray[np.float32]
    dilution: NDArray[np.float32]
    level: NDArray[np.int32]
    weight: NDArray[np.float32]
    """Number of results to learn from, times the importance of their level."""
    watched_weight: NDArray[np.float32]
    """Number of held-out results to watch, unweighted."""

    @classmethod
    def of(
        cls,
        cells: Cells,
        member: NDArray[np.int32],
        centre: float,
        scale: float,
        weight: NDArray[np.float64],
        watched_weight: NDArray[np.float64],
        balance: float,
    ) -> "Batch":
        """Create the inputs of the compiled step from cells."""
        return cls(
            member=member,
            key=cells.key,
            kind=KIND_FEATURES[cells.mic_code // DILUTIONS],
            dilution=scaled_dilution(cells.mic_code % DILUTIONS, centre, scale)[:, None],
            level=cells.level.astype(np.int32),
            weight=(weight * _importance(cells, weight, balance)).astype(np.float32),
            watched_weight=watched_weight.astype(np.float32),
        )


def _importance(cells: Cells, weight: NDArray[np.float64], balance: float) -> NDArray[np.float64]:
    """Return weights that favour rare levels, so that a drug with few resistant isolates still learns where R begins.

    Returns:
        For each cell (mean results per level / results at this level) ** balance, scaled to keep the total.
    """
    counts = np.bincount(cells.level, weights=weight, minlength=LEVELS)
    present = counts > 0
    factor = np.where(present, (counts.sum() / present.sum() / np.maximum(counts, 1.0)) ** balance, 0.0)
    scaled_factor: NDArray[np.float64] = factor * counts.sum() / max(float((factor * counts).sum()), 1.0)
    return scaled_factor[cells.level]


def log_likelihood(above: tf.Tensor, level: tf.Tensor, lapse: tf.Tensor) -> tf.Tensor:
    """Return the log probability of each label under the cut points.

    Args:
        above: logits of being above the lower and the upper cut point, shape (n, 2).
        level: levels of the labels, shape (n,).
        lapse: share of labels that no cut point explains.

    >>> between = tf.constant([[9.0, -9.0], [9.0, -9.0]])  # above the lower cut point, below the upper
    >>> [round(value, 2) for value in log_likelihood(between, tf.constant([1, 2]), tf.constant(0.05)).numpy().tolist()]
    [-0.03, -4.09]
    """
    exceeds = tf.sigmoid(above)
    chance = tf.stack([1 - exceeds[:, 0], exceeds[:, 0] - exceeds[:, 1], exceeds[:, 1]], axis=1)
    label_chance = tf.gather(chance, level, axis=1, batch_dims=1)
    return tf.math.log((1 - lapse) * label_chance + lapse / LEVELS + _TINY)


class Descent:
    """Gradient descent: the network (padded to a fixed size), its optimiser and the compiled step."""

    def __init__(self, groups: int) -> None:
        self.groups = groups
        self.network = CutPoints.of(groups)
        self.optimiser = keras.optimizers.Adam(learning_rate=0.001)
        self.optimiser.build(self.network.variables)
        self._effects, self._slope = self.network.variables
        self._penalised = tf.constant(np.where(np.arange(groups) == 0, 0.0, 1.0)[:, None], dtype=tf.float32)
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
        """Set the parameters, and reset the optimiser's state.

        Args:
            effects: effects of this drug's groups, shape (groups, 2 * KINDS); the remaining padded rows become zero.
            slope: logits per scaled dilution.
            learning_rate: step size of Adam.
        """
        padded_effects = np.zeros(self._effects.shape, dtype=np.float32)
        padded_effects[: len(effects)] = effects
        self._effects.assign(padded_effects)
        self._slope.assign([[inverse_softplus(slope)]])
        for variable in self.optimiser.variables:
            variable.assign(tf.zeros_like(variable.value))
        self.optimiser.learning_rate.assign(learning_rate)

    def parameters(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return a copy of the effects (all padded rows) and of the slope's weight."""
        return np.array(self._effects.numpy()), np.array(self._slope.numpy())

    def run(self, batch: Batch, settings: TrainingSettings, steps: int) -> tuple[float, float]:
        """Make some steps of gradient descent.

        Returns:
            Loss per training result before the last step, with the penalty; and mean loss of the watched results after
            it, NaN if there are none.
        """
        training_loss, watched_loss = self.advance(
            batch.member,
            batch.key,
            batch.kind,
            batch.dilution,
            batch.level,
            batch.weight,
            batch.watched_weight,
            settings.shrinkage,
            settings.lapse,
            steps,
        )
        return float(training_loss), float(watched_loss)

    def _above(self, member: Any, organism: Any, kind: Any, dilution: Any) -> Any:
        effect = tf.gather(self.network.lineage(member), organism)
        return self.network.ordinal([effect, kind, dilution])

    def _advance(self, member, organism, kind, dilution, level, weight, watched_weight, shrinkage, lapse, steps):  # type: ignore[no-untyped-def]
        variables = self.network.variables
        loss = tf.constant(0.0)
        for _ in tf.range(steps):
            with tf.GradientTape() as tape:
                fit = -tf.reduce_sum(
                    weight * log_likelihood(self._above(member, organism, kind, dilution), level, lapse)
                )
                loss = fit + shrinkage * tf.reduce_sum(self._penalised * tf.square(self._effects.value))
            gradients = tape.gradient(loss, [variable.value for variable in variables])
            self.optimiser.apply([tf.convert_to_tensor(gradient) for gradient in gradients], variables)
        likelihood = log_likelihood(self._above(member, organism, kind, dilution), level, _WATCHED_LAPSE)
        return loss / tf.reduce_sum(weight), -tf.reduce_sum(watched_weight * likelihood) / tf.reduce_sum(watched_weight)


def inverse_softplus(value: float | NDArray[np.float64]) -> Any:
    """Return the x for which log(1 + exp(x)) is the value.

    >>> float(round(inverse_softplus(np.log(2.0)), 6))
    0.0
    """
    return value + np.log(-np.expm1(-value))


@cache
def descent_for(groups: int) -> Descent:
    """Return this process's `Descent` for at least this many groups; sizes are powers of four, so few get compiled.

    >>> descent_for(10) is descent_for(200), descent_for(10).groups
    (True, 256)
    """
    size = _SMALLEST_NETWORK
    while size < groups:
        size *= 4
    return _descent(size)


@cache
def _descent(size: int) -> Descent:
    return Descent(size)
