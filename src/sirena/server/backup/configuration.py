"""Backing up and restoring the configuration: the settings in force and the files they name, without secrets.

Passwords, keys and TLS certificates are not in a backup. The machine that restores creates new ones for Sirena's own
parts; its operator must set those of other services again (an external S3 endpoint, the hospital's certificate).
"""

import shutil
from io import StringIO
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import SecretStr

from sirena.host.accounts import OsAccount
from sirena.host.open_folders import let_everyone_read
from sirena.host.secret_files import write_private
from sirena.server.backup.manifest import CONFIGURATION
from sirena.settings.catalogue import Settings, load_settings, settings_file, variable_of

_SETTINGS: Final = "settings.env"
_NAMED_FILES: Final = ("policy", "gate", "overlay")
"""Settings that name a file. The file lies in a folder named after the setting and keeps its name, which for an overlay
is part of the names of editions.
"""
_OF_THE_MACHINE: Final = ("home", "profile", "guidelines", "backup_password_file", "backup_credentials")
_EDITIONS: Final = "guidelines"


def collect(settings: Settings, into: Path) -> list[str]:
    """Write the configuration into the folder that is backed up.

    Returns:
        Names of the settings that were left out: their value is secret, or cannot be written in a settings file.
    """
    folder = into / CONFIGURATION
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lines, secret = [], []
    for name in sorted(settings.model_fields_set):
        value = getattr(settings, name)
        if name in _OF_THE_MACHINE or value in (None, ""):
            continue
        if isinstance(value, SecretStr):
            # the address of Sirena's own database is made by each machine itself
            secret += [variable_of(name)] if value.get_secret_value() and name != "database_url" else []
        elif urlsplit(str(value)).password or urlsplit(str(value)).username:
            secret.append(variable_of(name))
        elif line := _line(variable_of(name), str(value)):
            lines.append(line)
        else:
            secret.append(variable_of(name))
    (folder / _SETTINGS).write_text("".join(lines), encoding="utf-8")
    for name in _NAMED_FILES:
        file = getattr(settings, name)
        if file is not None and file.is_file():
            (folder / name).mkdir()
            shutil.copyfile(file, folder / name / file.name)
    editions = settings.editions_folder
    if editions.is_dir():
        shutil.copytree(editions, folder / _EDITIONS)
    return secret


def put_back(settings: Settings, taken_out: Path) -> tuple[Settings, str]:
    """Restore the configuration of a backup, unless this machine has its own.

    A machine with a settings file, or on which the stack was started before, keeps its settings, since its ports may
    differ from those of the backup. The backup's settings are then saved in a file next to its own, for a person to
    compare.

    Returns:
        The settings in force afterwards, and a sentence for the operator.
    """
    folder = taken_out / CONFIGURATION
    editions = settings.editions_folder
    if (folder / _EDITIONS).is_dir():
        shutil.copytree(folder / _EDITIONS, editions, dirs_exist_ok=True)
    text = (folder / _SETTINGS).read_text(encoding="utf-8")
    for name in _NAMED_FILES:
        for file in (folder / name).glob("*"):
            kept_file = settings.home / name / file.name
            text = _with(text, variable_of(name), str(kept_file))
            if not kept_file.exists():
                _put_named(file, kept_file)
    own = settings_file()
    if own.exists() or _was_brought_up(settings):
        beside = settings.home / "settings.restored.env"
        write_private(beside, text, OsAccount.of_this_process())
        return settings, f"this machine keeps its own settings; those of the backup: {beside}"
    write_private(settings.home / _SETTINGS, text, OsAccount.of_this_process())
    return load_settings().model_copy(
        update={"profile": "production"}
    ), f"settings put back: {settings.home / _SETTINGS}; secrets among them must be set anew"


def _was_brought_up(settings: Settings) -> bool:
    return any((settings.home / name / "prepared").exists() for name in ("postgresql", "ceph"))


def _line(variable: str, value: str) -> str:
    """Return the line of a settings file for a value, quoted if needed (`Hospital #1`); empty if none can hold it."""
    text = value.replace("\\", "\\\\").replace("'", "\\'")
    for line in (f"{variable}={value}\n", f"{variable}='{text}'\n"):
        if "\n" not in line[:-1] and dotenv_values(stream=StringIO(line)) == {variable: value}:
            return line
    return ""


def _with(text: str, variable: str, value: str) -> str:
    other_lines = [line for line in text.splitlines(keepends=True) if not line.startswith(f"{variable}=")]
    return "".join([*other_lines, f"{variable}={value}\n"])


def _put_named(source: Path, target: Path) -> None:
    """Restore a file that the services read under other accounts; such a file holds no secret."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, beside)
    beside.replace(target)
    let_everyone_read(target.parent)
