"""How commands put on record what they do: who, from where, and one function around each act."""

import getpass
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from sirena.ledger.acts import Act, acting
from sirena.ledger.event import Event
from sirena.ledger.store import open_ledger
from sirena.settings.catalogue import Settings

E = TypeVar("E", bound="Event")


@contextmanager
def recorded(settings: Settings, kind: type[E], **facts: Any) -> Iterator[Act[E]]:
    """Put an act of a command on record: its intention before, its outcome after.

    Args:
        settings: which ledger, and who acts.
        kind: of event, from the ledger's catalogue.
        facts: what the event says.

    Raises:
        LedgerError: the ledger cannot be written; nothing was done.
    """
    with recorded_as(settings, kind(**actor(settings), **facts)) as act:
        yield act


@contextmanager
def recorded_as(settings: Settings, event: E) -> Iterator[Act[E]]:
    """Put an act on record that somebody may do through the entry.

    Args:
        settings: which ledger.
        event: who acts, and what is known before.

    Raises:
        LedgerError: the ledger cannot be written; nothing was done.
    """
    ledger = open_ledger(settings)
    try:
        with acting(ledger, event) as act:
            yield act
    finally:
        ledger.close()


def actor(settings: Settings) -> dict[str, Any]:
    """Return who acts, from where and in which call of the command line, as every event wants to know it.

    ``SIRENA_USER`` may be set to any name; the operating system's user stands beside it.
    """
    origin = f"cli {getpass.getuser()}@{socket.gethostname()}"
    return {"who": settings.effective_user, "origin": origin, "request_id": _request_id()}


def origin_of(act: Event) -> dict[str, Any]:
    """Return who acts, from where, in which call and act, for an event that belongs to another."""
    return {"who": act.who, "origin": act.origin, "request_id": act.request_id, "act": act.act}


@cache
def _request_id() -> str:
    return uuid.uuid4().hex[:16]
