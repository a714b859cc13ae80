"""Write the tables of settings in chapter 8 of both manuals, from docs/manual/settings.toml."""

import re
import tomllib
from enum import Enum
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from sirena.settings.catalogue import FILE_VARIABLE, Settings, variable_of

MANUAL: Final = Path(__file__).resolve().parent.parent / "docs" / "manual"
HEADS: Final = {"en": "| variable | default | meaning |", "es": "| variable | por omisión | significado |"}
_PLACE: Final = re.compile(r"(<!-- settings:[^\n]*-->\n).*?(<!-- end of settings -->)", re.DOTALL)


def described() -> dict[str, dict[str, Any]]:
    """Return the descriptions of settings, by variable."""
    return tomllib.loads((MANUAL / "settings.toml").read_text(encoding="utf-8"))


def settings() -> set[str]:
    """Return every environment variable that the program reads."""
    return {variable_of(name) for name in Settings.model_fields} | {FILE_VARIABLE}


def chapter(language: str) -> Path:
    """Return the path of the chapter with the table."""
    return MANUAL / language / "08-reference.md"


def with_table(text: str, language: str) -> str:
    """Return the chapter's text with a new table."""
    defaults = {variable_of(name): field.default for name, field in Settings.model_fields.items()}
    rows = [
        f"| `{variable}` | {_default(defaults.get(variable), words, language)} | {words[language]} |"
        for variable, words in described().items()
    ]
    table = "\n".join([HEADS[language], "|---|---|---|", *rows])
    return _PLACE.sub(lambda found: f"{found[1]}{table}\n{found[2]}", text)


def _default(default: object, words: dict[str, Any], language: str) -> str:
    value = default.get_secret_value() if isinstance(default, SecretStr) else default
    if value in (None, "", PydanticUndefined):
        return str(words.get("unset", {}).get(language, ""))
    if isinstance(value, bool):
        return f"`{int(value)}`"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{value.value if isinstance(value, Enum) else value}`"


if __name__ == "__main__":
    for language in HEADS:
        path = chapter(language)
        path.write_text(with_table(path.read_text(encoding="utf-8"), language), encoding="utf-8")
