"""The site of infection (body site), as far as the specimen shows it. Every answer depends on it, organism and MIC.

A guideline may state one breakpoint for meningitis and another for everything else, or one for uncomplicated
urinary tract infection alone. Which of them holds depends on the site of infection, and a laboratory's file shows that
only by the specimen. `sirena.domain.specimens` reads specimens into these classes.
"""

import enum


class Site(enum.StrEnum):
    """The body site of an infection, as the specimen shows it. Files, answers and model inputs hold the value."""

    UNKNOWN = "unknown"
    """The body site is not known: the file has no specimen, or the caller sent none."""
    CEREBROSPINAL_FLUID = "csf"
    URINE = "urine"
    BLOOD = "blood"
    RESPIRATORY = "respiratory"
    """Lower airways: sputum, tracheal aspirate, lavage, lung. Pleural fluid is not among them."""
    STOOL = "stool"
    OTHER = "other"
    """A known specimen that is none of the above: wound, bile, joint, genital, throat, eye …"""


KNOWN_SITES: tuple[Site, ...] = tuple(site for site in Site if site is not Site.UNKNOWN)
"""The body sites that a specimen can stand for: all but `UNKNOWN`."""
