"""The systemd units: systemd starts the supervisor at boot, and the supervisor runs the parts.

There is one unit and not one for each part, so that machines with and without systemd run the same tested arrangement.
The timers are for hospitals that schedule by systemd; without them the stack itself runs backups and drills.
"""

import os
import sys
from pathlib import Path
from typing import Final

from sirena.host.init_system import UNIT
from sirena.host.whole_files import replace_whole
from sirena.server.supervision.supervisor import Supervisor
from sirena.settings.catalogue import FILE_VARIABLE, Settings, settings_file

_HARDENING: Final = """\
NoNewPrivileges=true
ProtectSystem=full
ProtectHome=read-only
PrivateTmp=true
PrivateDevices=true
ProtectKernelTunables=true
ProtectKernelModules=true
ProtectKernelLogs=true
ProtectControlGroups=true
ProtectClock=true
ProtectHostname=true
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=true
SystemCallArchitectures=native
# changing the account of a part, its own files, ports below 1024, ending parts; nothing else of root's
CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE CAP_NET_BIND_SERVICE CAP_KILL
"""
"""Rights taken from the supervisor, which starts as root and does not need them."""

_SCHEDULES: Final = {
    "backup": ("Sirena: backup of databases, artifacts and configuration", "*-*-* 02:30:00", "4h"),
    "drill": ("Sirena: restoring the newest backup in a scratch place, to prove it", "Sun *-*-* 04:30:00", "4h"),
}
"""By command: description, time (in systemd's calendar), and how long it may take."""


def unit_text(settings: Settings, interpreter: str = sys.executable) -> str:
    """Return the text of the unit `sirena.service` for the stack's `SIRENA_HOME`.

    Args:
        settings: settings of the stack.
        interpreter: Python of the environment in which Sirena is installed.
    """
    supervisor = Supervisor(settings.home)
    return f"""\
# Written by `sirena units`. Run `sirena up --profile production` once before: it prepares what this unit starts.
[Unit]
Description=Sirena: S / I / R from MICs
Wants=network-online.target
After=network-online.target
ConditionPathExists={_path(supervisor.configuration)}

[Service]
Type=exec
ExecStart={_command(interpreter, *supervisor.command()[1:])}
EnvironmentFile=-{_path(_settings_file(settings))}
Restart=on-failure
RestartSec=5
# the supervisor ends its parts in order; systemd only ends what is left
KillMode=mixed
KillSignal=SIGTERM
TimeoutStopSec=180
LimitNOFILE=65536
ReadWritePaths={_path(settings.home)}
{_HARDENING}
[Install]
WantedBy=multi-user.target
"""


def schedule_texts(settings: Settings, interpreter: str = sys.executable) -> dict[str, str]:
    """Return the texts of the units (services and timers) of backup and restore drill, by file name."""
    texts = {}
    for command, (description, calendar, longest) in _SCHEDULES.items():
        texts[f"sirena-{command}.service"] = f"""\
# Written by `sirena units --timers`; set SIRENA_BACKUP_AT=off, or the stack backs up by itself as well.
[Unit]
Description={description}
Requires=sirena.service
After=sirena.service

[Service]
Type=oneshot
ExecStart={_command(interpreter, "-m", "sirena.cli", command)}
Environment=SIRENA_HOME={_path(settings.home)}
EnvironmentFile=-{_path(_settings_file(settings))}
TimeoutStartSec={longest}
Nice=10
IOSchedulingClass=idle
ReadWritePaths={_path(settings.home)}
{_HARDENING}"""
        texts[f"sirena-{command}.timer"] = f"""\
# Written by `sirena units --timers`.
[Unit]
Description={description}, regularly

[Timer]
OnCalendar={calendar}
# what was due while the machine was off is done when it is back
Persistent=true
RandomizedDelaySec=10min

[Install]
WantedBy=timers.target
"""
    return texts


def write_units(settings: Settings, folder: Path, *, timers: bool) -> list[Path]:
    """Write the units into a folder, with timers if requested, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {UNIT: unit_text(settings), **(schedule_texts(settings) if timers else {})}
    paths = []
    for name, text in texts.items():
        replace_whole(folder / name, text.encode())
        paths.append(folder / name)
    return paths


def _settings_file(settings: Settings) -> Path:
    """Return the settings file in use: the one the environment names, which the unit does not have, or this home's."""
    return settings_file() if FILE_VARIABLE in os.environ else settings.home / "settings.env"


def _command(*words: str) -> str:
    return " ".join(_word(word) for word in words)


def _word(word: str) -> str:
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"'


def _path(path: Path) -> str:
    return str(path).replace("%", "%%").replace(" ", "\\x20")
