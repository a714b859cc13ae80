"""Errors that nobody foresaw: the person gets a page, the log gets kind and place, and nobody the text.

A text or a trace may hold a cell of a file. What runs the application logs both, so they do not get that far.
"""

import logging
import traceback
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

_LOG = logging.getLogger(__name__)


async def answer_quietly(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Have an application answer a request; it has answered 500 itself where something unforeseen arose."""
    try:
        await app(scope, receive, send)
    except Exception as error:  # noqa: BLE001 - answered already
        place = traceback.extract_tb(error.__traceback__)[-1]
        _LOG.error("unforeseen %s at %s, line %s", type(error).__name__, Path(place.filename).name, place.lineno)
