"""The indications that a row is for, and which of several rows for one group answers at a body site.

Guidelines state several breakpoints for one group of organisms and antimicrobial if the site of infection (body site),
the purpose or the route matters. The specimen shows the site; nothing in a laboratory's file shows the route.

Rules, each with a test of like name:

- a row for one body site never answers at another known site: a row for urine is not for blood, "other than meningitis"
is
  not for cerebrospinal fluid, "other than pneumonia" not for a respiratory specimen;
- at a known site the row for that very site comes before a row without one;
- at an unknown site the order is: other than meningitis, other than endocarditis, systemic, unspecified, then
  pneumonia, skin, and urine last;
- the route is unknown: intravenous and parenteral come before unspecified, oral comes after;
- rows for endocarditis, prophylaxis, screens, inhaled or liposomal forms are applied only on request.

Source: headings and footnotes of CLSI M100 and the EUCAST breakpoint tables; the order is this project's own.
"""

import enum
from collections.abc import Iterable
from typing import Final

from sirena.domain.site import Site


class Indication(enum.StrEnum):
    """Body site, route or purpose that a row is for; the editions' tables hold the value.

    If the body site is unknown, the rows of one group are tried in the order of these members.
    """

    NON_MENINGITIS = "non-meningitis"
    NON_ENDOCARDITIS = "non-endocarditis"
    NON_PNEUMONIA = "non-pneumonia"
    SYSTEMIC = "systemic infections"
    PARENTERAL = "parenteral"
    INTRAVENOUS = "intravenous"
    UNSPECIFIED = ""
    """The row holds at every body site for which the group has no other row."""
    EXTRAINTESTINAL = "extraintestinal"
    INTESTINAL = "intestinal"
    ORAL = "oral"
    OTHER_INFECTIONS = "other infections"
    OTHER_INDICATIONS = "other indications"
    PNEUMONIA = "pneumonia"
    SKIN = "skin"
    URINARY_ORIGIN = "infections originating from the urinary tract"
    UNCOMPLICATED_UTI = "uncomplicated urinary tract infection"
    MENINGITIS = "meningitis"
    ENDOCARDITIS = "endocarditis"
    ENDOCARDITIS_COMBINATION = "endocarditis with combination treatment"
    INHALED = "inhaled"
    LIPOSOMAL = "liposomal"
    PROPHYLAXIS = "prophylaxis"
    SCREEN = "screen"
    INVESTIGATIONAL = "investigational agent"


ON_REQUEST: Final = frozenset(
    {
        Indication.ENDOCARDITIS,
        Indication.ENDOCARDITIS_COMBINATION,
        Indication.INHALED,
        Indication.LIPOSOMAL,
        Indication.PROPHYLAXIS,
        Indication.SCREEN,
    }
)
"""Indications that no specimen shows: applied only if a caller asks for them by name."""

_ONLY_AT: Final[dict[Indication, Site]] = {
    Indication.MENINGITIS: Site.CEREBROSPINAL_FLUID,
    Indication.UNCOMPLICATED_UTI: Site.URINE,
    Indication.URINARY_ORIGIN: Site.URINE,
    Indication.PNEUMONIA: Site.RESPIRATORY,
    Indication.INTESTINAL: Site.STOOL,
}
"""The only known site at which a row with this indication answers."""

_NOT_AT: Final[dict[Indication, Site]] = {
    Indication.NON_MENINGITIS: Site.CEREBROSPINAL_FLUID,
    Indication.NON_PNEUMONIA: Site.RESPIRATORY,
    Indication.EXTRAINTESTINAL: Site.STOOL,
    Indication.SYSTEMIC: Site.URINE,
}
"""The site at which a row with this indication does not answer; it answers at all others."""

_ORDER: Final = {indication: position for position, indication in enumerate(Indication)}
URINARY: Final = frozenset({Indication.UNCOMPLICATED_UTI, Indication.URINARY_ORIGIN})


def site_preference(
    indications: Iterable[Indication], site: Site, first_indication: Indication | None = None
) -> tuple[int, int] | None:
    """Return a row's rank in the order for a body site, the smallest first; None if the row does not answer there.

    Args:
        indications: the indications that the row is for.
        site: the body site of the infection.
        first_indication: an indication that the caller requests; its rows precede all others.

    >>> site_preference([Indication.UNCOMPLICATED_UTI], Site.BLOOD) is None
    True
    """
    row_indications = tuple(indications)
    if first_indication is not None and first_indication in row_indications:
        return -1, 0
    row_indications = tuple(indication for indication in row_indications if indication not in ON_REQUEST)
    if not row_indications:
        return None
    order = max(_ORDER[indication] for indication in row_indications)
    places = {_ONLY_AT[indication] for indication in row_indications if indication in _ONLY_AT}
    if site is Site.UNKNOWN:
        return None if places == {Site.CEREBROSPINAL_FLUID} else (1, order)
    if places and site not in places:
        return None
    if any(_NOT_AT.get(indication) is site for indication in row_indications):
        return None
    return (0 if places else 1), order


def parse_sites(text: str) -> tuple[Indication, ...]:
    """Return the indications in a site cell, which are joined by commas; an empty cell is `Indication.UNSPECIFIED`.

    Raises:
        ValueError: a part of the cell is not an indication.

    >>> parse_sites("")
    (<Indication.UNSPECIFIED: ''>,)
    """
    try:
        indications = {Indication(part.strip().lower()) for part in text.split(",")}
    except ValueError:
        raise ValueError(f"is no site; sites are {', '.join(filter(None, Indication))}") from None
    return tuple(sorted(indications, key=_ORDER.__getitem__))
