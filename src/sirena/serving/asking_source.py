"""The one of several processes that asks the panel's source and publishes what it finds."""

import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sirena.domain.errors import SirenaError
from sirena.serving.among_workers import WorkerMessage
from sirena.serving.channel import send
from sirena.serving.holder import SOURCE_EVENTS, PanelHolder
from sirena.serving.logs import ServiceLog
from sirena.serving.memory import give_back_memory, share_free_memory
from sirena.serving.publishing import Failure, Publication, PublishingSource
from sirena.serving.server import look_for_garbage_of_requests
from sirena.serving.source import PanelSource

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def ask_source(
    make_source: Callable[[], PanelSource],
    channel: socket.socket,
    last_publication: Publication,
    log: ServiceLog,
    *,
    poll_seconds: float,
) -> None:
    """Ask the source until SIGTERM or SIGINT, at once on SIGHUP; the caller must have blocked these signals.

    Args:
        make_source: makes the source.
        channel: channel to the parent.
        last_publication: the last publication.
        log: log of the service.
        poll_seconds: seconds between two questions to the source.
    """
    look_for_garbage_of_requests()
    share_free_memory()

    def publish(publication: Publication) -> None:
        send(channel, WorkerMessage.PUBLISHED, publication.files)

    def log_event(event: str, facts: dict[str, str]) -> None:
        if event in SOURCE_EVENTS:
            log.info(event, **facts)
        else:
            # a panel was published, and the memory that it was read into is of no more use
            give_back_memory()

    try:
        source = make_source()
    except SirenaError as error:
        failure = Failure(error.code, error.text, error.hint)
        publish(
            Publication.of(
                replace(last_publication.standing, failure=failure, is_askable=False),
                last_publication.panel,
                last_publication.shadow,
            )
        )
        return
    holder = PanelHolder(
        PublishingSource(source, publish, last_publication), poll_seconds=poll_seconds, notify=log_event
    )
    # its thread inherits that they are blocked, so they wait for this one
    holder.start()
    while signal.sigwait(_SIGNALS) == signal.SIGHUP:
        holder.wake()
    holder.stop()
