"""The background task of the access service, which records counts of refusals and what NGINX refused by itself."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from anyio import to_thread

from sirena.access.entry_refusals import EntryRefusals
from sirena.access.guarded_record import GuardedRecord
from sirena.domain.errors import SirenaError

_POLL_SECONDS: Final = 0.5
_AFTER_FAILURE: Final = 5.0
_LOG = logging.getLogger(__name__)


@asynccontextmanager
async def recording_beside(record: GuardedRecord, entry: EntryRefusals | None) -> AsyncIterator[None]:
    """Run the recording task during a ``with`` block; unfinished counts are recorded at its end.

    Args:
        record: object by which the service records its events.
        entry: reader of NGINX's log of refusals; None if there is no NGINX.
    """

    def step() -> float:
        try:
            record.tell_counts()
            return 0.0 if entry is not None and entry.step() else _POLL_SECONDS
        except (SirenaError, OSError) as error:
            _LOG.warning("refusals wait to be recorded: %s", error)
            return _AFTER_FAILURE

    async def steadily() -> None:
        while True:
            await asyncio.sleep(await to_thread.run_sync(step))

    task = asyncio.create_task(steadily())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        try:
            await to_thread.run_sync(lambda: record.tell_counts(everything=True))
        except SirenaError as error:
            _LOG.warning("some refusals were not recorded: %s", error)
