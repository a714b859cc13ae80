"""The settings of the last start, kept so that the next start can record which were changed."""

import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from sirena.host.accounts import OsAccount
from sirena.host.secret_files import write_private
from sirena.settings.catalogue import Settings, variable_of

_SALT: Final = "salt"
_OF_THE_CALLER: Final = ("user",)
"""Settings that are not kept: they say who runs a command, and nothing about the stack."""


@dataclass(frozen=True)
class SettingChange:
    """A setting with another value than at the last start."""

    variable: str
    before: str
    """Value at the last start; empty when it had none, ``secret`` when it may not be shown."""
    after: str


@dataclass(frozen=True)
class KeptSettings:
    """The file (mode 0600) with the settings of the last start; secrets are kept as salted hashes."""

    path: Path

    @classmethod
    def of(cls, settings: Settings) -> "KeptSettings":
        """Create the object for the file of an installation's last settings."""
        return cls(settings.home / "supervisor" / "settings_in_force.json")

    def changes(self, settings: Settings) -> list[SettingChange]:
        """Return the settings that differ from the last start; empty before the first, or if the file is damaged."""
        try:
            former_values = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        now = _values(settings, former_values.get(_SALT, ""))
        secret = {variable_of(name) for name in Settings.model_fields if isinstance(getattr(settings, name), SecretStr)}
        return [
            SettingChange(
                name, *("secret" if name in secret and value else value for value in (former_values.get(name, ""), new))
            )
            for name, new in now.items()
            if name != _SALT and former_values.get(name, "") != new
        ]

    def keep(self, settings: Settings) -> None:
        """Write the settings of this start to the file."""
        values = _values(settings, secrets.token_hex(16))
        write_private(self.path, json.dumps(values, indent=1), OsAccount.of_this_process())


def _values(settings: Settings, salt: str) -> dict[str, str]:
    return {_SALT: salt} | {
        variable_of(name): _shown_value(getattr(settings, name), salt)
        for name in Settings.model_fields
        if name not in _OF_THE_CALLER
    }


def _shown_value(value: Any, salt: str) -> str:
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return hashlib.sha256(f"{salt}{secret}".encode()).hexdigest() if secret else ""
    return "" if value is None else str(value)
