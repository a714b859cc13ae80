"""Requests of the pages to the access service: recording events, and asking for open sessions."""

import http.client
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sirena.server.parts.connections import PartConnection
from sirena.web.records import UnrecordedError

_SECONDS: Final = 10.0
_AWAY: Final = (OSError, http.client.HTTPException, ValueError)
"""Errors when the access service does not answer or refuses; an HTTP error of `urllib` is an `OSError`."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PagesDesk:
    """Client by which the pages send requests to the access service, over its socket."""

    connection: PartConnection

    def record(self, event: str, facts: Mapping[str, Any]) -> None:
        """Record an event on the pages in the ledger.

        Args:
            event: name of the event in `sirena.ledger.catalogue`.
            facts: facts of the event.

        Raises:
            UnrecordedError: the event cannot be recorded.
        """
        body = json.dumps(facts).encode()
        try:
            self.connection.open(f"/events/{event}", body, seconds=_SECONDS).close()
        except _AWAY as error:
            _LOG.warning("%s could not be written to the audit ledger: %s", event, type(error).__name__)
            raise UnrecordedError("the access service does not take the pages' events", hint="sirena status") from error

    def open_sessions(self) -> frozenset[str]:
        """Return the names of the sessions that are open now.

        Raises:
            UnrecordedError: the access service does not answer.
        """
        try:
            with self.connection.open("/sessions", seconds=_SECONDS) as answer:
                return frozenset(json.load(answer))
        except _AWAY as error:
            raise UnrecordedError("the access service names no sessions", hint="sirena status") from error
