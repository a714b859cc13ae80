"""Which rows of a candidate's and a reference's truth table answer for the same organism at the same body site.

In both tables a row is for an organism at all body sites or at one body site, and the two may treat different sites
separately. A certificate compares them for every organism of the candidate at every site, and each pair of rows once.

Rules, each with a test of like name:

- a site with a row of its own in either table is compared separately; all others of the organism are compared as one;
- a candidate without sites is compared with the reference's row of each site;
- a site for which the candidate has no row is not compared, since the candidate refuses it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sirena.domain.site import Site
from sirena.domain.truth_table import TruthTable, key_of, split_key


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """A row of the candidate's truth table, and the reference's row for the same organism and body site."""

    key: str
    """Organism code, with the body site if that is compared separately."""
    candidate: int
    """Number of the candidate's row."""
    reference: int | None
    """Number of the reference's row; None if the reference has no row for the organism at the body site."""
    site: Site
    """A body site for which both rows answer."""


def compared_rows(candidate_keys: tuple[str, ...], reference: TruthTable) -> Iterator[ComparedRow]:
    """Yield every pair of rows that a certificate compares, in the candidate's order.

    >>> import numpy as np
    >>> from sirena.domain.mic import CODES
    >>> reference = TruthTable("AMK_NM", ("sau", "eco"), np.ones((2, CODES), dtype=np.uint8))
    >>> list(compared_rows(("eco",), reference))
    [ComparedRow(key='eco', candidate=0, reference=1, site=<Site.OTHER: 'other'>)]
    """
    rows = {key: number for number, key in enumerate(candidate_keys)}
    for organism in dict.fromkeys(split_key(key)[0] for key in candidate_keys):
        other_sites = list(Site)
        for site in Site:
            key = key_of(organism, site)
            if key in rows or key in reference.row_of:
                other_sites.remove(site)
                row = rows.get(key, rows.get(organism))
                if row is not None:
                    yield ComparedRow(key, row, reference.row(organism, site), site)
        if other_sites and organism in rows:
            yield ComparedRow(organism, rows[organism], reference.row(organism, other_sites[-1]), other_sites[-1])
