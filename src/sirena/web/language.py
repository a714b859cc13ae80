"""The words of the pages in English and Spanish, and numbers and dates in the style of each language.

The templates hold the words in English, `sirena.texts` holds them in Spanish (gettext); a test finds every word that is
missing.
"""

from datetime import UTC, date, datetime
from functools import cache
from io import BytesIO
from typing import Final

from babel.core import negotiate_locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import NullTranslations, Translations

from sirena.texts.catalogue import PAGES

LANGUAGES: Final = ("en", "es")


def choose_language(chosen_language: str | None, accepted: str) -> str:
    """Return the language of a page: the one that the person chose, else the browser's, else English.

    Args:
        chosen_language: language from the person's cookie or the address; ignored unless it is one of `LANGUAGES`.
        accepted: value of the header ``Accept-Language``.

    >>> choose_language(None, "es-CO,es;q=0.9,en;q=0.8")
    'es'
    """
    if chosen_language in LANGUAGES:
        return str(chosen_language)
    languages = sorted((_weighted(part) for part in accepted.split(",") if part.strip()), key=lambda pair: -pair[0])
    return negotiate_locale([name for weight, name in languages if weight], LANGUAGES, sep="-") or "en"


def _weighted(part: str) -> tuple[float, str]:
    name, _, quality = part.strip().partition(";q=")
    try:
        return float(quality or 1), name
    except ValueError:
        return 0.0, name


@cache
def translations(language: str) -> NullTranslations:
    """Return the translations of the pages into a language."""
    if language == "en":
        return NullTranslations()
    with PAGES.open("rb") as stream:
        catalogue = read_po(stream, locale="es")
    catalogue_file = BytesIO()
    write_mo(catalogue_file, catalogue)
    catalogue_file.seek(0)
    return Translations(catalogue_file)


def spell_count(number: int, language: str) -> str:
    """Return a whole number with the thousands separator of a language.

    >>> spell_count(20000, "es")
    '20.000'
    """
    return format_decimal(number, locale=language)


def spell_share(part: int, whole: int, language: str) -> str:
    """Return a share in per cent with one decimal; a dash if the whole is 0.

    >>> spell_share(1, 3, "en")
    '33.3%'
    """
    return _spell_percent(part / whole, language) if whole else "–"


def _spell_percent(share: float, language: str) -> str:
    # Spanish sets the sign apart, by a blank at which no line ends
    return format_percent(share, format="0.0\u00a0%" if language == "es" else "0.0%", locale=language)


def spell_part(part: int, whole: int, language: str) -> str:
    """Return a share in per cent with one decimal; 100 % only if the part is the whole, 0 % only if it is nothing.

    >>> spell_part(9999, 10000, "en"), spell_part(1, 10000, "en"), spell_part(5, 5, "en")
    ('99.9%', '<0.1%', '100.0%')
    """
    if not whole or part in (0, whole):
        return spell_share(part, whole, language)
    per_mille = min(999, round(1000 * part / whole))
    return spell_share(per_mille, 1000, language) if per_mille else f"<{spell_share(1, 1000, language)}"


def spell_moment(moment: str | datetime, language: str) -> str:
    """Return day and time of a moment in UTC, as a language writes them.

    >>> spell_moment("2026-11-28T22:53:38.117167+00:00", "en").replace("\u202f", " ")
    'Nov 28, 2026, 22:53 UTC'
    """
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    pattern = "d MMM y, HH:mm" if language == "es" else "MMM d, y, HH:mm"
    return f"{format_datetime(at.astimezone(UTC), pattern, locale=language)} UTC"


def spell_day(day: date, language: str) -> str:
    """Return a day in the way a language writes dates.

    >>> spell_day(date(2026, 11, 28), "es"), spell_day(date(2026, 11, 28), "en")
    ('28 de noviembre de 2026', 'November 28, 2026')
    """
    return format_date(day, "long", locale=language)


def spell_limits(lower: float, upper: float, language: str) -> str:
    """Return the lower and upper limit of a share in per cent, with one decimal.

    >>> spell_limits(0.0, 0.0213, "en")
    '0.0%–2.1%'
    """
    return "–".join(_spell_percent(limit, language) for limit in (lower, upper))
