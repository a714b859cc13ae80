"""The service's log: one JSON object a line, on standard output."""

import sys
from typing import Any, TextIO

import orjson
import structlog


def service_log(stream: TextIO | None = None) -> Any:
    """Return a structlog logger of its own, so that no other library's configuration changes it.

    Args:
        stream: receives the lines; standard output when None.
    """
    return structlog.wrap_logger(
        structlog.PrintLogger(stream or sys.stdout),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
    )


def _dumps(event: dict[str, Any], **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()
