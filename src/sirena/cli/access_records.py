"""Where the events of the access service and of the account commands go."""

import getpass
import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sirena.operations.settings import Settings


def record_events(settings: "Settings") -> Callable[[str, Mapping[str, Any]], None]:
    """Return what writes an event on record: one JSON line each in ``logs/access.jsonl`` below `SIRENA_HOME`."""
    import structlog

    folder = settings.home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    logger: Any = structlog.wrap_logger(
        structlog.PrintLogger((folder / "access.jsonl").open("a", encoding="utf-8", buffering=1)),
        processors=[structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer()],
    )

    def record(event: str, facts: Mapping[str, Any]) -> None:
        logger.info(event, **facts)

    return record


def at_this_terminal(settings: "Settings") -> dict[str, str]:
    """Return who acts on the command line, and from where."""
    return {"who": settings.effective_user, "origin": f"cli:{getpass.getuser()}@{socket.gethostname()}"}
