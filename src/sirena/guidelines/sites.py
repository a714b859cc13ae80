"""Sites of infection, and which of several rows for one organism is taken.

Guidelines state several breakpoints for one organism and antimicrobial when the site of infection or the route of
the drug matters. A laboratory's file seldom tells, so there is a default order; the specimen may choose when asked.

Source: headings and footnotes of CLSI M100 and the EUCAST breakpoint tables; the order is this project's own.
"""

import enum
from collections.abc import Iterable
from typing import Final


class Site(enum.StrEnum):
    """Site of infection, route or purpose a breakpoint is for; the value stands in our tables."""

    NON_MENINGITIS = "non-meningitis"
    NON_ENDOCARDITIS = "non-endocarditis"
    NON_PNEUMONIA = "non-pneumonia"
    PARENTERAL = "parenteral"
    INTRAVENOUS = "intravenous"
    UNSPECIFIED = ""
    """The row holds wherever no row for the site says otherwise."""
    EXTRAINTESTINAL = "extraintestinal"
    INTESTINAL = "intestinal"
    ORAL = "oral"
    OTHER_INFECTIONS = "other infections"
    OTHER_INDICATIONS = "other indications"
    URINARY_ORIGIN = "infections originating from the urinary tract"
    SKIN = "skin"
    UNCOMPLICATED_UTI = "uncomplicated urinary tract infection"
    MENINGITIS = "meningitis"
    ENDOCARDITIS = "endocarditis"
    ENDOCARDITIS_COMBINATION = "endocarditis with combination treatment"
    PNEUMONIA = "pneumonia"
    INHALED = "inhaled"
    LIPOSOMAL = "liposomal"
    PROPHYLAXIS = "prophylaxis"
    SCREEN = "screen"
    INVESTIGATIONAL = "investigational agent"


class SiteChoice(enum.StrEnum):
    """Which site's row is asked for."""

    DEFAULT = "default"
    """Nothing is known of the site: the default order decides."""
    MENINGITIS = "meningitis"
    """The specimen is cerebrospinal fluid."""
    UNCOMPLICATED_UTI = "uncomplicated_uti"
    """The specimen is urine."""


_DEFAULT_ORDER: Final = {site: position for position, site in enumerate(Site)}
"""The order of `Site` itself: the common case first, special purposes last."""

_CHOSEN: Final = {
    SiteChoice.MENINGITIS: Site.MENINGITIS,
    SiteChoice.UNCOMPLICATED_UTI: Site.UNCOMPLICATED_UTI,
}

SPECIMEN_SITES: Final[dict[str, SiteChoice]] = {
    "sf": SiteChoice.MENINGITIS,
    "ur": SiteChoice.UNCOMPLICATED_UTI,
}
"""WHONET ``SPEC_TYPE`` codes that choose a site when asked: cerebrospinal fluid and urine."""


def site_preference(sites: Iterable[Site], choice: SiteChoice = SiteChoice.DEFAULT) -> int:
    """Return how soon a row for these sites is taken; the smallest of an organism's rows decides.

    A row for two sites ("meningitis, endocarditis") ranks by the rarer one. A row for the chosen site comes
    before all others; where there is none, the default order stands.
    """
    listed = tuple(sites)
    if choice in _CHOSEN and _CHOSEN[choice] in listed:
        return -1
    return max(_DEFAULT_ORDER[site] for site in listed)


def parse_sites(text: str) -> tuple[Site, ...]:
    """Read a site cell: sites joined by commas, any case; empty is `Site.UNSPECIFIED`.

    Raises:
        ValueError: a part names no site of this table.
    """
    try:
        sites = {Site(part.strip().lower()) for part in text.split(",")}
    except ValueError:
        raise ValueError(f"is no site; sites are {', '.join(filter(None, Site))}") from None
    return tuple(sorted(sites, key=_DEFAULT_ORDER.__getitem__))
