"""Wilson's 95 % interval of a proportion, without continuity correction.

It stays within 0 and 1 and has a width at 0 % and 100 %, where the usual interval has none. Source: Wilson EB, J Am
Stat Assoc 1927;22:209; recommended for small numbers by Brown, Cai and DasGupta, Stat Sci 2001;16:101.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z: Final = 1.959964
"""Quantile of the normal distribution for 95 %."""


def wilson(events: ArrayLike, trials: ArrayLike, z: float = Z) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lower and upper limits as shares between 0 and 1; NaN if there are no trials.

    >>> lower, upper = wilson(27, 30)
    >>> f"{100 * lower:.1f} - {100 * upper:.1f}"
    '74.4 - 96.5'

    Args:
        events: number of events.
        trials: number of trials.
        z: quantile of the normal distribution; the default gives 95 %.
    """
    k, n = np.asarray(events, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = k / n
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    lower = np.where(k == 0, np.where(n > 0, 0.0, np.nan), centre - half)
    upper = np.where((k == n) & (n > 0), 1.0, centre + half)
    return lower, upper


def newcombe(
    events: ArrayLike, trials: ArrayLike, other_events: ArrayLike, other_trials: ArrayLike, z: float = Z
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the limits of the difference of two independent shares: the first minus the second.

    Newcombe's method 10: the distances to Wilson's limits of the two shares, added as squares. Source: Newcombe RG,
    Stat Med 1998;17:873, whose first example this is.

    >>> lower, upper = newcombe(56, 70, 48, 80)
    >>> f"{lower:.4f} to {upper:.4f}"
    '0.0524 to 0.3339'

    Args:
        events: number of events of the first share.
        trials: number of trials of the first share.
        other_events: number of events of the second share.
        other_trials: number of trials of the second share.
        z: quantile of the normal distribution.
    """
    share = np.asarray(events, dtype=np.float64) / np.asarray(trials, dtype=np.float64)
    other_share = np.asarray(other_events, dtype=np.float64) / np.asarray(other_trials, dtype=np.float64)
    low, high = wilson(events, trials, z)
    other_low, other_high = wilson(other_events, other_trials, z)
    difference = share - other_share
    below = np.sqrt((share - low) ** 2 + (other_high - other_share) ** 2)
    above = np.sqrt((high - share) ** 2 + (other_share - other_low) ** 2)
    return difference - below, difference + above
