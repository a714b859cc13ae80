"""The body site of the infection, for each row of a file or request.

Rules, each with a test of like name:

- a row's specimen decides, unless the caller names one site for all rows;
- a row with an empty specimen, or without one, has `Site.UNKNOWN`;
- a specimen that cannot be read gives `Site.UNKNOWN`, and its row is remembered, so that it can be reported.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ..domain.site import Site
from ..domain.specimens import site_of_specimen

SITES: Final = tuple(Site)
"""Sites by position, because looking up a position is quicker than hashing a site."""
SPECIMEN: Final = "specimen"
"""Word of the option that takes the site from each row's specimen."""
_LONGEST_SPECIMEN: Final = 200


@dataclass(frozen=True)
class RowSites:
    """The distinct body sites of some rows, and which of them each row has."""

    sites: tuple[Site, ...]
    """The distinct body sites that occur; never empty."""
    rows: NDArray[np.intp]
    """Position of each row's site in `sites`."""
    unread_rows: NDArray[np.intp]
    """Rows (0-based) whose specimen stands for no known body site."""

    @classmethod
    def of_one_site(cls, site: Site, length: int) -> Self:
        """Create the sites of `length` rows that all have the same body site."""
        return cls((site,), np.zeros(length, dtype=np.intp), np.zeros(0, dtype=np.intp))

    @classmethod
    def of_specimens(cls, specimens: Sequence[str | None], rows: NDArray[np.integer]) -> Self:
        """Create the sites of rows from their specimens.

        Args:
            specimens: the column's distinct texts.
            rows: position of each row's text in `specimens`.
        """
        read_sites = [read_specimen(text) for text in specimens]
        sites = tuple(dict.fromkeys(site or Site.UNKNOWN for site in read_sites)) or (Site.UNKNOWN,)
        position = np.array([sites.index(site or Site.UNKNOWN) for site in read_sites], dtype=np.intp)
        is_unread = np.array([site is None for site in read_sites], dtype=bool)
        if not len(rows):
            return cls(sites, np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp))
        return cls(sites, position[rows], np.flatnonzero(is_unread[rows]))

    def of_each_row(self) -> list[Site | None]:
        """Return each row's body site; None for a row whose specimen could not be read."""
        row_sites: list[Site | None] = [self.sites[row] for row in self.rows.tolist()]
        for row in self.unread_rows.tolist():
            row_sites[row] = None
        return row_sites


def read_specimen(text: str | None) -> Site | None:
    """Return the body site that a specimen names, as `site_of_specimen` does; None also if the text is too long.

    >>> read_specimen("Orina")
    <Site.URINE: 'urine'>
    """
    return None if text and len(text) > _LONGEST_SPECIMEN else site_of_specimen(text)


def chosen_site(name: str) -> Site | None:
    """Return the body site of that name; None for the name `SPECIMEN`, which lets each row's specimen decide.

    Raises:
        ValueError: the name is neither `SPECIMEN` nor a body site; the message lists the names.

    >>> chosen_site("urine")
    <Site.URINE: 'urine'>
    """
    site_name = name.strip().lower()
    if site_name == SPECIMEN:
        return None
    try:
        return Site(site_name)
    except ValueError:
        raise ValueError(f"is no site; sites are {', '.join((SPECIMEN, *Site))}") from None
