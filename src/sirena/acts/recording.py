"""How commands record their acts in the ledger: who acts, from where, and a context around each act."""

import getpass
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, TypeVar

from sirena.ledger.acts import Act, acting
from sirena.ledger.event import Event
from sirena.ledger.store import open_ledger
from sirena.settings.catalogue import Settings

E = TypeVar("E", bound="Event")
_naming_lock: Final = threading.Lock()


@contextmanager
def recorded(settings: Settings, kind: type[E], **facts: Any) -> Iterator[Act[E]]:
    """Record the act of a command: its intention before the block, its outcome after it.

    Args:
        settings: settings that name the ledger, and the user who acts.
        kind: kind of event, from the ledger's catalogue.
        facts: further fields of the event.

    Raises:
        LedgerError: the intention cannot be recorded, and nothing was done; or the outcome cannot be recorded, and the
            error says so.
    """
    with recorded_as(settings, kind(**actor(settings), **facts)) as act:
        yield act


@contextmanager
def recorded_as(settings: Settings, event: E) -> Iterator[Act[E]]:
    """Record an act with an event that already says who acts, as for requests through the entry.

    Args:
        settings: settings that name the ledger.
        event: the intention, with who acts and what is known before.

    Raises:
        LedgerError: as for `recorded`.
    """
    ledger = open_ledger(settings)
    try:
        with acting(ledger, event) as act:
            yield act
    finally:
        ledger.close()


def actor(settings: Settings) -> dict[str, Any]:
    """Return the fields of an event that say who acts, from where and in which run of the command line.

    Anybody may set ``SIRENA_USER`` to any name; so the origin names the operating system's user.
    """
    origin = f"cli {getpass.getuser()}@{socket.gethostname()}"
    # several threads may begin acts at once, and a cache that is still empty gives each an id of its own
    with _naming_lock:
        return {"who": settings.effective_user, "origin": origin, "request_id": _request_id()}


def origin_of(act: Event) -> dict[str, Any]:
    """Return an event's fields that say who acts, from where, in which request and act, for the act's next event."""
    return {"who": act.who, "origin": act.origin, "request_id": act.request_id, "act": act.act}


@cache
def _request_id() -> str:
    return uuid.uuid4().hex[:16]
