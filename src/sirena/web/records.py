"""Facts for the audit ledger about what a person did on the pages: numbers, never contents.

`ledger.catalogue` lists the events and their facts. File names are not recorded, since they may hold a person's name.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request

from sirena.domain.errors import SirenaError
from sirena.web.opened_file import OpenedFile
from sirena.web.visitor import visitor_of

Record = Callable[[str, Mapping[str, Any]], None]
"""Function that records an event by name and facts; it raises `UnrecordedError` if it cannot. May block."""


class UnrecordedError(SirenaError):
    """A request cannot be recorded, so it is not carried out."""

    code = "unrecorded"
    status = 503


def keep_no_record(event: str, facts: Mapping[str, Any]) -> None:
    """Do nothing with an event; on one's own machine nobody else opens files."""


def opened_facts(request: Request, opened_file: OpenedFile, size: int) -> dict[str, Any]:
    """Return the facts of the event that a file was opened.

    Args:
        request: the request with the file.
        opened_file: the file.
        size: size of the file, in bytes.
    """
    rows, columns = opened_file.file.frame.shape
    shape = {"size": size, "rows": rows, "columns": columns, "answered_by": opened_file.answers.name}
    return visitor_of(request).record | shape


def unreadable_facts(request: Request, size: int, failure: str) -> dict[str, Any]:
    """Return the facts of the event that a file could not be opened.

    Args:
        request: the request with the file.
        size: size of the file, in bytes.
        failure: code of the error.
    """
    return visitor_of(request).record | {"size": size, "outcome": "failed", "failure": failure}


def downloaded_facts(request: Request, opened_file: OpenedFile, content: str, form: str, size: int) -> dict[str, Any]:
    """Return the facts of the event of a download.

    Args:
        request: the request for the download.
        opened_file: the file.
        content: ``rows``, ``antibiogram``, ``drift`` or ``labels``.
        form: suffix of the file's name.
        size: size of the download, in bytes.
    """
    facts = {"content": content, "format": form, "rows": opened_file.file.frame.height, "size": size}
    return visitor_of(request).record | facts | {"answered_by": opened_file.answers.name}


def refused_facts(request: Request, cause: str) -> dict[str, Any]:
    """Return the facts of the event of a refusal.

    Args:
        request: the refused request; its route is recorded without identifiers.
        cause: one of `sirena.ledger.causes.REFUSAL`.
    """
    route = request.scope["route"].path
    return visitor_of(request).record | {"action": request.method, "resource": route, "cause": cause}
