"""Wilson's interval of a proportion, 95 %, without continuity correction.

It stays within 0 and 1 and has a width at 0 % and 100 %, where the usual interval has none. Source: Wilson EB, J Am
Stat Assoc 1927;22:209; recommended for small numbers by Brown, Cai and DasGupta, Stat Sci 2001;16:101.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z: Final = 1.959964
"""Quantile of the normal distribution for 95 %."""


def wilson(events: ArrayLike, trials: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lower and upper limits, as shares between 0 and 1; both are NaN where nothing was tried.

    >>> lower, upper = wilson(27, 30)
    >>> f"{100 * lower:.1f} - {100 * upper:.1f}"
    '74.4 - 96.5'

    Args:
        events: how often it happened.
        trials: how often it could have.
    """
    k, n = np.asarray(events, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = k / n
        centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    lower = np.where(k == 0, np.where(n > 0, 0.0, np.nan), centre - half)
    upper = np.where((k == n) & (n > 0), 1.0, centre + half)
    return lower, upper
