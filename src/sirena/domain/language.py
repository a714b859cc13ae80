"""The languages in which Sirena speaks of answers."""

import enum


class Language(enum.StrEnum):
    """Language of sentences."""

    ENGLISH = "en"
    SPANISH = "es"
