"""The site of infection, as far as the specimen tells: part of every question beside organism and MIC.

A guideline may state one breakpoint for meningitis and another for everything else, or one for uncomplicated
urinary tract infection alone. Which of them answers depends on where the isolate comes from, and the only thing
a laboratory's file says of that is the specimen. `sirena.domain.specimens` reads specimens into these classes.
"""

import enum


class Site(enum.StrEnum):
    """What the specimen says about the infection. The value stands in files, answers and model inputs."""

    UNKNOWN = "unknown"
    """Nothing is known: the file has no specimen, or the caller sent none."""
    CEREBROSPINAL_FLUID = "csf"
    URINE = "urine"
    BLOOD = "blood"
    RESPIRATORY = "respiratory"
    """Lower airways: sputum, tracheal aspirate, lavage, lung. Pleural fluid is not among them."""
    STOOL = "stool"
    OTHER = "other"
    """A specimen that is known and is none of the above: wound, bile, joint, genital, throat, eye …"""


KNOWN_SITES: tuple[Site, ...] = tuple(site for site in Site if site is not Site.UNKNOWN)
"""The sites a specimen can name."""
