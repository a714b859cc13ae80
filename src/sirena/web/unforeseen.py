"""Unforeseen errors: the person gets a page, the log gets the kind and place of the error, and nobody its text.

The text or trace of an error may hold a cell of a file, and the server would log both, so the error is caught here.
"""

import logging
import traceback
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

_LOG = logging.getLogger(__name__)


async def answer_quietly(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Let an application answer a request; after an unforeseen error (answered by 500) log only kind and place."""
    try:
        await app(scope, receive, send)
    except Exception as error:  # noqa: BLE001 - answered already
        place = traceback.extract_tb(error.__traceback__)[-1]
        _LOG.error("unforeseen %s at %s, line %s", type(error).__name__, Path(place.filename).name, place.lineno)
