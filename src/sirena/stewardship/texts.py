"""The sentences of reports, in English and Spanish, as ``texts.toml`` in this folder holds them."""

import tomllib
from pathlib import Path
from typing import Any, Final

from sirena.domain.language import Language

TEXTS: Final[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("texts.toml").read_text(encoding="utf-8"))
"""By kind: ``words``, ``modes`` and ``cautions`` by name; ``columns`` by column; ``method``, a list; ``parts``,
``rules_on``, ``rules_off``. Each has ``en`` and ``es``."""


def text(kind: str, name: str, language: Language) -> str:
    """Return the text that ``texts.toml`` holds under a kind and a name.

    >>> text("words", "species", Language.SPANISH)
    'especie'
    """
    return str(TEXTS[kind][name][language.value])
