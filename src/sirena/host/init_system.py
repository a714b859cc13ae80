"""Starting the supervisor by systemd, if that is the machine's init system and has Sirena's unit.

systemd would not know a supervisor started without its unit: `systemctl status` would call it inactive, and at a
shutdown nobody would wait for its parts to end in order.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from sirena.host.accounts import PreparationError, search_path

UNIT: Final = "sirena.service"
"""Name of the unit that `sirena units` writes."""
_IS_INIT: Final = Path("/run/systemd/system")
"""Folder that exists where systemd is the init system, see sd_booted(3)."""
_SECONDS: Final = 120.0
"""Longest time for systemd's answer; a start waits while the unit is still ending."""


def holds(configuration: Path) -> bool:
    """Tell whether systemd is the init system and has a unit that starts the supervisor with this configuration.

    A unit for another `SIRENA_HOME` starts another stack, and a masked unit must not be started; neither counts.
    """
    if not _IS_INIT.is_dir() or shutil.which("systemctl", path=search_path()) is None:
        return False
    properties = _systemctl("show", "--property=LoadState,ExecStart", UNIT).stdout
    return "LoadState=loaded" in properties.splitlines() and f" -c {configuration} ; " in properties


def start_unit() -> None:
    """Start Sirena's unit by systemd.

    Raises:
        PreparationError: systemd does not start it.
    """
    process = _systemctl("start", UNIT)
    if process.returncode:
        message = (process.stderr.strip().splitlines() or ["it does not say why"])[0]
        raise PreparationError(
            f"systemd did not start {UNIT}: {message}",
            hint=f"`journalctl -u {UNIT}`; `sirena units --to /etc/systemd/system` writes the unit anew",
        )


def _systemctl(*words: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(  # noqa: S603 - our own command line, no shell
            ["systemctl", "--no-ask-password", *words],  # noqa: S607 - wherever the distribution has it
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PreparationError(
            f"systemd does not answer within {_SECONDS:.0f} s", hint=f"systemctl status {UNIT}"
        ) from None
