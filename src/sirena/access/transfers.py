"""Which requests download or upload files of a model, and of which model.

A model has many files, and `sirena promote` reads some of them for its gate. So the ledger gets one entry for each
account and model, again after an hour, and not one for each file.

An account that uploaded files counts as a maker of the model, whatever the tags say, since any account that trains may
write tags: see `sirena.registry.makers`.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Final

from sirena.access.actions import Action
from sirena.access.decision import Decision

RECORDED_AGAIN_AFTER: Final = 3600.0
"""Seconds after which the same account and model are recorded again."""
_REMEMBERED: Final = 10_000
_LOGGED_MODEL: Final = re.compile(r"/(?:models|logged-models)/(m-[0-9a-f]{32})/")


def model_taken(decision: Decision) -> str:
    """Return the model whose files a request downloads; empty if the request downloads no model's files.

    MLflow stores a model's files under the name of the logged model (``models/m-<id>``), which the source of a
    registered version also names; MLflow's pages request them by model name and version as well.
    """
    if decision.request.action is not Action.DOWNLOAD:
        return ""
    match = _LOGGED_MODEL.search(decision.target.path)
    if match:
        return f"models/{match[1]}"
    name = decision.request.model
    return f"{name}/{decision.target.query.get('version', '')}" if name else ""


def written_to(decision: Decision) -> frozenset[str]:
    """Return the ids of the runs and logged models whose files a request writes; empty for a new certificate."""
    if decision.write is None or decision.request.action is not Action.TRAIN or decision.write.new_certificate:
        return frozenset()
    # a file may be called by a digest that looks like an id
    return frozenset(
        identifier for identifier in decision.write.identifiers if f"{identifier}." not in decision.target.path
    )


class RecentTransfers:
    """The accounts and models whose transfer was recorded within the last hour."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._record_times: dict[tuple[str, str], float] = {}
        # clients fetch and write many files of a model at a time
        self._record_lock = asyncio.Lock()

    async def once(self, account: str, model: str, tell: Callable[[], Awaitable[None]]) -> None:
        """Record a transfer, unless one of this account and model was recorded within the hour.

        Calls wait for each other.

        Args:
            account: account that sent the request.
            model: model whose files are transferred.
            tell: function that records the transfer; if it raises an error, nothing is remembered and the error is
                raised.
        """
        if not self._is_news(account, model):
            return
        async with self._record_lock:
            if self._is_news(account, model):
                await tell()
                self._note(account, model)

    def _is_news(self, account: str, model: str) -> bool:
        last_record = self._record_times.get((account, model))
        return last_record is None or self._clock() - last_record >= RECORDED_AGAIN_AFTER

    def _note(self, account: str, model: str) -> None:
        self._record_times.pop((account, model), None)
        if len(self._record_times) >= _REMEMBERED:
            # the oldest is forgotten: told once too often rather than memory without end
            del self._record_times[next(iter(self._record_times))]
        self._record_times[account, model] = self._clock()
