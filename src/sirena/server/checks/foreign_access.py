"""Checking that ports, sockets and files behind the entry are closed, by trying them as a foreign account."""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sirena.host.accounts import OsAccount, PreparationError
from sirena.server.checks import walking
from sirena.server.checks.finding import AS_ROOT, Area, CheckReport, CheckVerdict
from sirena.server.checks.standing import StackStanding, StackState
from sirena.server.free_ports import wanted_ports
from sirena.settings.catalogue import Settings

STRANGER: Final = "nobody"
"""Account used for trying; every machine has it, and none of Sirena's parts runs as it."""
_ENTRY: Final = ("SIRENA_HTTP_PORT", "SIRENA_HTTPS_PORT", "SIRENA_PORT", "SIRENA_ACCESS_PORT")
"""Settings of the ports on which NGINX itself answers, which are not tried."""
_PUBLIC: Final = (
    *("profile", "release", "up.lock", "nginx/*.conf", "nginx/rotate_logs.sh", "nginx/nginx.pid"),
    *("tls/authority.pem", "tls/server.pem", "doors/authority.pem", "guidelines/**", "acme/webroot/**"),
)
"""Patterns of files that everyone may read, because they hold neither secrets nor patients' data."""
_SECONDS: Final = 120.0
_INTERPRETERS: Final = (sys.executable, "/usr/bin/python3")
_NAMED: Final = 3
_NAME: Final = "foreign access"
"""Name of the finding."""


@dataclass(frozen=True)
class OpenPlace:
    """A port, socket or file that must be closed to other accounts and is open."""

    text: str
    """Port, socket or file, and what it allowed."""


def walk(settings: Settings, account: OsAccount, script: Path = Path(walking.__file__)) -> dict[str, Any]:
    """Try to open all ports, sockets and files as an operating-system account, and return the results of `walking`.

    Args:
        settings: settings of the running stack.
        account: the account that tries to open them.
        script: the script to run; a copy of `walking` if the account cannot read the installed one.

    Raises:
        PreparationError: the account can run no Python of this machine, or the script failed.
    """
    ports = [str(port) for variable, _, port in wanted_ports(settings) if variable not in _ENTRY]
    python = next(
        (interpreter for interpreter in _INTERPRETERS if account.can_run(interpreter) and account.can_read(script)),
        None,
    )
    if python is None:
        raise PreparationError(
            f"the account {account.name} can run no Python here that could try the ports, sockets and files"
        )
    paths = "\0".join(str(path) for path in settings.home.rglob("*") if not path.is_symlink())
    output = account.run([python, str(script), str(settings.home), *ports], stdin=paths, seconds=_SECONDS)
    findings: dict[str, Any] = json.loads(output)
    return findings


def open_places_of(settings: Settings, findings: dict[str, Any], own: Iterable[str] = ()) -> Iterator[OpenPlace]:
    """Yield the ports, sockets and files that an account found open and that must be closed.

    Args:
        settings: settings of the stack.
        findings: result of `walk`.
        own: patterns of files below `SIRENA_HOME` that this account may read.
    """
    for answer in findings["answers"]:
        # the S3 endpoint answers everyone, and tells a stranger of no bucket
        if answer["place"] != str(settings.s3_port) or (answer["status"] < 400 and answer["question"] != "GET /"):
            yield OpenPlace(f"{answer['place']} answered {answer['status']} to {answer['question']}")
    for role in findings["roles"]:
        yield OpenPlace(f"PostgreSQL let in {role} without a password")
    for path in findings["sockets"]:
        yield OpenPlace(f"{path} can be entered")
    for file in findings["files"]:
        name = file["path"].removeprefix(f"{settings.home}/")
        if any(_fits(name, pattern) for pattern in own):
            continue
        if file["write"]:
            yield OpenPlace(f"{file['path']} can be written")
        elif not any(_fits(name, pattern) for pattern in _PUBLIC):
            yield OpenPlace(f"{file['path']} can be read")


def look_at_foreign_access(settings: Settings, check_report: CheckReport, standing: StackStanding) -> None:
    """Check as the account `nobody` that ports, sockets and files of a running stack are closed."""
    if standing.state is not StackState.RUNNING:
        return
    with check_report.looking(Area.STACK, _NAME):
        if os.getuid() != 0:
            text = "only root can try them as another account"
            check_report.note(Area.STACK, _NAME, CheckVerdict.UNSEEN, text, AS_ROOT)
            return
        open_places = list(open_places_of(settings, walk(settings, OsAccount.named(STRANGER))))
        for opening in open_places[:_NAMED]:
            text = f"as the account {STRANGER}: {opening.text}"
            check_report.note(Area.STACK, _NAME, CheckVerdict.WRONG, text, "`sirena up`; then look again")
        if not open_places:
            text = f"closed to the account {STRANGER}: ports, sockets and files"
            check_report.note(Area.STACK, _NAME, CheckVerdict.WELL, text)


def _fits(name: str, pattern: str) -> bool:
    folder, double_star, _ = pattern.partition("/**")
    if double_star:
        return name.startswith(f"{folder}/")
    return name.count("/") == pattern.count("/") and Path(name).match(pattern)
