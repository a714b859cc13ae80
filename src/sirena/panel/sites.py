"""The site of each row of a file or request.

Rules, each with a test of like name:

- a row's specimen decides, unless the caller names one site for all rows;
- an empty specimen, and a row without one, is `Site.UNKNOWN`;
- a specimen that cannot be read is answered as unknown, and its row is remembered, so that it can be reported.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ..domain.site import Site
from ..domain.specimens import site_of_specimen

SITES: Final = tuple(Site)
"""Sites by position: to hash one costs more than to look it up in a tuple."""
SPECIMEN: Final = "specimen"
"""Where a site is chosen by name: let each row's specimen decide."""
_LONGEST_SPECIMEN: Final = 200


@dataclass(frozen=True)
class RowSites:
    """Distinct sites, and which of them each row has."""

    sites: tuple[Site, ...]
    """The distinct sites that occur; never empty."""
    rows: NDArray[np.intp]
    """Position of each row's site in `sites`."""
    unread: NDArray[np.intp]
    """Rows (0-based) whose specimen names no site that is known."""

    @classmethod
    def alike(cls, site: Site, length: int) -> Self:
        """Give every row the same site."""
        return cls((site,), np.zeros(length, dtype=np.intp), np.zeros(0, dtype=np.intp))

    @classmethod
    def of_specimens(cls, specimens: Sequence[str | None], rows: NDArray[np.integer]) -> Self:
        """Read the specimens of a column.

        Args:
            specimens: distinct texts.
            rows: position of each row's text among them.
        """
        read = [read_specimen(text) for text in specimens]
        sites = tuple(dict.fromkeys(site or Site.UNKNOWN for site in read)) or (Site.UNKNOWN,)
        position = np.array([sites.index(site or Site.UNKNOWN) for site in read], dtype=np.intp)
        unread = np.array([site is None for site in read], dtype=bool)
        if not len(rows):
            return cls(sites, np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp))
        return cls(sites, position[rows], np.flatnonzero(unread[rows]))

    def of_each_row(self) -> list[Site | None]:
        """Return the site of each row; None where the specimen could not be read."""
        each: list[Site | None] = [self.sites[row] for row in self.rows.tolist()]
        for row in self.unread.tolist():
            each[row] = None
        return each


def read_specimen(text: str | None) -> Site | None:
    """Return the site that a specimen names, as `site_of_specimen` does; a text too long to be one is not read.

    >>> read_specimen("Orina")
    <Site.URINE: 'urine'>
    """
    return None if text and len(text) > _LONGEST_SPECIMEN else site_of_specimen(text)


def chosen_site(name: str) -> Site | None:
    """Return the site that a caller chose for all rows; None for `SPECIMEN`.

    Raises:
        ValueError: the name is neither; the text tells those there are.

    >>> chosen_site("urine")
    <Site.URINE: 'urine'>
    """
    folded = name.strip().lower()
    if folded == SPECIMEN:
        return None
    try:
        return Site(folded)
    except ValueError:
        raise ValueError(f"is no site; sites are {', '.join((SPECIMEN, *Site))}") from None
