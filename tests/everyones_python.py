"""A Python interpreter that an unprivileged account can run, as tests of the stack need without root's rights."""

import subprocess
import sys
import sysconfig
from pathlib import Path

from sirena.host.accounts import OsAccount

_DEBIANS = Path("/usr/bin/python3.11")


def everyones_python(folder: Path, account: str = "postgres") -> str | None:
    """Return an interpreter that an account can run with all our libraries, or None if there is none.

    It is this interpreter, or, if this one is in root's home, a virtual environment of Debian's that reads our
    libraries.

    Args:
        folder: folder that the account may enter.
        account: name of the unprivileged account.
    """
    other = OsAccount.named(account)
    if other.can_run(sys.executable):
        return sys.executable
    libraries = sysconfig.get_path("purelib")
    if not _DEBIANS.exists() or sys.version_info[:2] != (3, 11):
        return None
    made = folder / "python"
    subprocess.run([str(_DEBIANS), "-m", "venv", "--without-pip", str(made)], check=True, capture_output=True)
    (made / "lib" / "python3.11" / "site-packages" / "libraries.pth").write_text(libraries + "\n")
    program = str(made / "bin" / "python")
    try:
        other.run([program, "-c", "import numpy, psycopg2, supervisor"])
    except Exception:  # noqa: BLE001 - whatever it is, this account cannot
        return None
    return program
