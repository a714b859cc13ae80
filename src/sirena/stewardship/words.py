"""The texts of a report: words of its tables, its title, its method."""

from collections.abc import Iterator
from typing import Final

from sirena.domain.language import Language
from sirena.stewardship.antibiogram import Antibiogram
from sirena.stewardship.first_isolates import Mode
from sirena.stewardship.strata import UNKNOWN, WHOLE, Stratum
from sirena.stewardship.texts import TEXTS, text

_SPANISH_SOURCES: Final = {"reference": "ediciones de las guías", "expert rules": "reglas expertas"}
_NAMED_STRATA: Final = (WHOLE, UNKNOWN, "hospital", "community")


def word(name: str, language: Language) -> str:
    """Return a word of the report in a language.

    >>> word("whole", Language.ENGLISH)
    'All isolates'
    """
    return text("words", name, language)


def stratum_name(stratum: str, language: Language) -> str:
    """Return the name of a stratum: translated if it is one of Sirena's words, else as in the file (a ward, a year)."""
    return word(stratum, language) if stratum in _NAMED_STRATA else stratum


def mode_sentence(antibiogram: Antibiogram, language: Language) -> str:
    """Return the sentence on which isolates count; every title and export has it."""
    first_isolates = antibiogram.request.first_isolates
    period = word("calendar_year" if antibiogram.request.period is None else "period", language)
    sentence = text("modes", first_isolates.mode.value, language).format(period=period, days=first_isolates.days)
    if antibiogram.is_deduplicated or first_isolates.mode is Mode.ALL:
        return sentence
    return f"{sentence} ({word('not_deduplicated', language)})"


def period_sentence(antibiogram: Antibiogram) -> str:
    """Return the report's period: that of the request, else from the first to the last isolate."""
    if antibiogram.request.period is not None:
        return str(antibiogram.request.period)
    return f"{antibiogram.first_day} – {antibiogram.last_day}" if antibiogram.first_day else "–"


def source_sentence(antibiogram: Antibiogram, language: Language) -> str:
    """Return the name of what gave the categories, translated; exports hold it untranslated, for programs."""
    if language is not Language.SPANISH:
        return antibiogram.source
    return " · ".join(_in_spanish(part) for part in antibiogram.source.split(" · "))


def _in_spanish(part: str) -> str:
    for english, spanish in _SPANISH_SOURCES.items():
        if part == english or part.startswith(f"{english} + "):
            return spanish + part.removeprefix(english)
    return part


def method_sentences(antibiogram: Antibiogram, language: Language) -> Iterator[str]:
    """Yield the sentences of the report's method section."""
    request = antibiogram.request
    screening = [f"{name}={', '.join(values)}" for name, values in request.screening.items()]
    for sentence in TEXTS["method"]:
        yield sentence[language.value].format(
            source=source_sentence(antibiogram, language),
            mode=mode_sentence(antibiogram, language),
            period=period_sentence(antibiogram),
            screening="; ".join(screening) or "–",
        )
    yield _rules_sentence(antibiogram, language)
    if request.by:
        yield TEXTS["parts"][language.value].format(parts=", ".join(word(part.value, language) for part in request.by))
    for caution in antibiogram.cautions:
        yield caution.spanish if language is Language.SPANISH else caution.english


def _rules_sentence(antibiogram: Antibiogram, language: Language) -> str:
    if antibiogram.moved_by_rules is None:
        return str(TEXTS["rules_off"][language.value])
    rule_counts = [f"{rule} {count}" for rule, count in antibiogram.moved_by_rules.items()]
    return str(TEXTS["rules_on"][language.value]).format(moved=", ".join(rule_counts) or word("nothing", language))


def stratum_title(by: str, language: Language) -> str:
    """Return the heading of a stratification in the report.

    >>> stratum_title("ward", Language.SPANISH)
    'sala'
    """
    return word("whole" if by == WHOLE else Stratum(by).value, language)
