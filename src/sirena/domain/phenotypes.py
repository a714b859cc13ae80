"""Resistance mechanisms that laboratories write after an organism's name: ``E. coli BLEE (+)``, ``S. aureus (SARM)``.

These are facts of the isolate, like those in WHONET's columns ESBL, MRSA, CARBAPENEM and BETA_LACT; they are no part of
the organism's name. No category rests on them: categories come from the MIC.
"""

import re
from typing import Final

_POSITIVE: Final = r"\(\s*\+\s*\)|\+(?=\s*(?:\)|$))|positiv[oae]|pos\b\.?"
_NEGATIVE: Final = r"\(\s*-\s*\)|-(?=\s|$)|negativ[oae]|neg\b\.?"
_SIGN: Final = rf"(?:\s*[:=]?\s*(?P<sign>{_POSITIVE}|{_NEGATIVE}))?"
_PRODUCER: Final = r"(?:product(?:or|ora|er)(?:es)?\s+(?:de\s+)?|con\s+|-?producing\s+)?"
_METHICILLIN: Final = r"(?:met|ox)icil+in[ae]?"

_WORDS: Final[tuple[tuple[str, str, str], ...]] = (
    ("ESBL", "+", r"blee|esbl|betalactamasas?\s+de\s+espectro\s+(?:extendido|ampliado)"),
    ("MRSA", "+", rf"sarm|samr|mrsa|mrse|resistente\s+a\s+(?:la\s+)?{_METHICILLIN}|{_METHICILLIN}[-\s]*resistente"),
    ("MRSA", "-", rf"sasm|mssa|sensible\s+a\s+(?:la\s+)?{_METHICILLIN}|{_METHICILLIN}[-\s]*sensible"),
    (
        "CARBAPENEM",
        "+",
        r"carbapenemasas?|carbapenemases?|epc|cpe|cre|kpc(?:-\d+)?|ndm(?:-\d+)?|vim(?:-\d+)?|oxa-48|mbl",
    ),
    ("AMPC", "+", r"amp-?c"),
    ("VRE", "+", r"evr|vre|vrsa"),
    ("BETA_LACT", "+", r"beta-?lactamasas?|beta-?lactamase"),
    ("MDR", "+", r"mdr|xdr|pdr|multirresistente|multir"),
)
FACTS: Final = tuple(dict.fromkeys(fact for fact, _, _ in _WORDS))
"""WHONET's fields for mechanisms written after a name, and three that laboratories use likewise (AMPC, VRE, MDR)."""
_ALONE: Final = {"samr": "+", "sarm": "+", "mrsa": "+", "sasm": "-", "mssa": "-"}
"""Abbreviations that name a species together with its sign of MRSA; any other abbreviation alone names no organism."""
_PATTERNS: Final = tuple(
    (fact, value, re.compile(rf"[\s(,;:-]*(?<![A-Za-z]){_PRODUCER}(?:{words})(?![A-Za-z]){_SIGN}\s*\)?", re.IGNORECASE))
    for fact, value, words in _WORDS
)
_LONGEST: Final = 120


def split_phenotypes(text: str) -> tuple[str, dict[str, str]]:
    """Return an organism's name without the mechanisms written after it, and those mechanisms.

    >>> split_phenotypes("E. coli BLEE (+)")
    ('E. coli', {'ESBL': '+'})

    Args:
        text: an organism's name as found in a file.

    Returns:
        The name; and a dictionary from the WHONET field of each mechanism to ``+`` or ``-``.
    """
    if len(text) > _LONGEST:
        return text, {}
    mrsa_value = _ALONE.get(text.strip().casefold())
    if mrsa_value is not None:
        return text, {"MRSA": mrsa_value}
    facts: dict[str, str] = {}
    name = text
    for fact, value, pattern in _PATTERNS:
        match = pattern.search(name)
        if match is None or not name[: match.start()].strip():
            continue  # a mechanism alone names no organism
        is_denied = match["sign"] is not None and re.fullmatch(_NEGATIVE, match["sign"], re.IGNORECASE) is not None
        facts.setdefault(fact, ("-" if value == "+" else "+") if is_denied else value)
        name = (name[: match.start()] + " " + name[match.end() :]).strip()
    return name, facts
