"""Which rows of a candidate and of a reference answer the same question, site by site.

Both tables have rows for an organism at every site, or at one site alone, and need not tell the same sites apart. A
certificate compares them for every organism of the candidate at every site, and asks each pair of rows once.

Rules, each with a test of like name:

- a site that either table tells apart is compared by itself; all others of the organism are compared as one;
- a candidate that knows nothing of sites is held against the reference's row of each site;
- a site for which the candidate has no row is not compared: it refuses there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sirena.domain.site import Site
from sirena.domain.truth_table import TruthTable, key_of, split_key


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One row of a candidate beside what the reference says of the same organism and site."""

    key: str
    """Organism, with the site where it is compared by itself."""
    candidate: int
    """Row of the candidate."""
    reference: int | None
    """Row of the reference; None where it has none for the organism at the site."""
    site: Site
    """A site for which both rows answer."""


def compared_rows(candidate_keys: tuple[str, ...], reference: TruthTable) -> Iterator[ComparedRow]:
    """Yield every pair of rows that a certificate compares, in the candidate's order."""
    rows = {key: number for number, key in enumerate(candidate_keys)}
    for organism in dict.fromkeys(split_key(key)[0] for key in candidate_keys):
        rest = list(Site)
        for site in Site:
            key = key_of(organism, site)
            if key in rows or key in reference.row_of:
                rest.remove(site)
                row = rows.get(key, rows.get(organism))
                if row is not None:
                    yield ComparedRow(key, row, reference.row(organism, site), site)
        if rest and organism in rows:
            yield ComparedRow(organism, rows[organism], reference.row(organism, rest[-1]), rest[-1])
