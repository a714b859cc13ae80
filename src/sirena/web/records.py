"""What somebody did on the pages, for the audit ledger: how much, never what.

`ledger.catalogue` lists the events and their facts. No file name stands there, since it may hold a person's.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request

from sirena.domain.errors import SirenaError
from sirena.web.opened_file import OpenedFile
from sirena.web.visitor import visitor_of

Record = Callable[[str, Mapping[str, Any]], None]
"""Receives an event's name and facts; raises `UnrecordedError` when it is not on record. May block."""


class UnrecordedError(SirenaError):
    """What somebody asked for cannot be put on record, so it is not done."""

    code = "unrecorded"
    status = 503


def keep_no_record(event: str, facts: Mapping[str, Any]) -> None:
    """Drop an event: on one's own machine nobody else's files are opened."""


def opened_facts(request: Request, opened: OpenedFile, size: int) -> dict[str, Any]:
    """Return the facts of a file that was opened.

    Args:
        request: that brought it.
        opened: the file.
        size: bytes.
    """
    rows, columns = opened.file.frame.shape
    shape = {"size": size, "rows": rows, "columns": columns, "answered_by": opened.answers.name}
    return visitor_of(request).record | shape


def unreadable_facts(request: Request, size: int, failure: str) -> dict[str, Any]:
    """Return the facts of a file that could not be opened.

    Args:
        request: that brought it.
        size: bytes.
        failure: code of the error.
    """
    return visitor_of(request).record | {"size": size, "outcome": "failed", "failure": failure}


def downloaded_facts(request: Request, opened: OpenedFile, content: str, form: str, size: int) -> dict[str, Any]:
    """Return the facts of a download.

    Args:
        request: that asked for it.
        opened: the file.
        content: ``rows``, ``antibiogram``, ``drift`` or ``labels``.
        form: end of the file's name.
        size: bytes.
    """
    facts = {"content": content, "format": form, "rows": opened.file.frame.height, "size": size}
    return visitor_of(request).record | facts | {"answered_by": opened.answers.name}


def refused_facts(request: Request, cause: str) -> dict[str, Any]:
    """Return the facts of a refusal.

    Args:
        request: that was refused; of its address the last part is left out, which may be an identifier.
        cause: one of `sirena.ledger.causes.REFUSAL`.
    """
    route = request.scope["route"].path
    return visitor_of(request).record | {"action": request.method, "resource": route, "cause": cause}
