"""The systemd unit of the stack: systemd starts one supervisor at boot, the supervisor keeps the parts.

One unit and not one per part, so that a machine with systemd and one without run the very same, tested arrangement.
"""

from pathlib import Path

from sirena.operations.settings import Settings, settings_file
from sirena.operations.supervision import Supervisor


def unit_text(settings: Settings) -> str:
    """Return the unit `sirena.service` for this `SIRENA_HOME`."""
    command = " ".join(_word(word) for word in Supervisor(settings.home).command())
    return f"""\
# Written by `sirena units`. Run `sirena up --profile production` once before: it prepares what this unit starts.
[Unit]
Description=Sirena: S / I / R from MICs
Wants=network-online.target
After=network-online.target
ConditionPathExists={_path(Supervisor(settings.home).configuration)}

[Service]
Type=exec
ExecStart={command}
EnvironmentFile=-{_path(settings_file())}
Restart=on-failure
RestartSec=5
# the supervisor ends its parts in order; systemd only ends what is left
KillMode=mixed
KillSignal=SIGTERM
TimeoutStopSec=180
LimitNOFILE=65536
ProtectSystem=full
ProtectHome=read-only
ReadWritePaths={_path(settings.home)}
PrivateTmp=true
ProtectKernelTunables=true
ProtectKernelModules=true
ProtectControlGroups=true
RestrictSUIDSGID=true
LockPersonality=true

[Install]
WantedBy=multi-user.target
"""


def write_unit(settings: Settings, folder: Path) -> Path:
    """Write the unit into a folder and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "sirena.service"
    beside = folder / ".sirena.service"
    beside.write_text(unit_text(settings), encoding="utf-8")
    beside.replace(target)
    return target


def _word(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _path(path: Path) -> str:
    return str(path).replace("%", "%%").replace(" ", "\\x20")
