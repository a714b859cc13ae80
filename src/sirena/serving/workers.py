"""Several workers that answer on one socket from one copy of the tables, and a small parent that supervises them.

The parent reads no panel, starts no thread and opens no connection, so it can fork at any time. One child asks the
source of the panel (ledger, MLflow, a file) and publishes its state and panels, which the workers map (see
`publishing`). The parent passes on publications and the workers' counts.

Rules, each with a test of like name:

- a child that ends is replaced, with one line in the log; a worker accepts connections once it can answer;
- a child that fails at its start is logged, and the pause before the next start grows;
- if the parent can open no more files, the running children go on, and it does later what it could not do;
- SIGTERM and SIGINT end all processes in order; SIGHUP has the source asked at once;
- if the parent is killed, its children end as after SIGTERM;
- the counts of a worker are kept when it ends.
"""

import ctypes
import gc
import itertools
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from types import FrameType
from typing import Final, NoReturn

from sirena.domain.errors import SirenaError
from sirena.panel.lookup import resolve_text
from sirena.serving.among_workers import AmongWorkers, WorkerMessage
from sirena.serving.application import Service
from sirena.serving.asking_source import ask_source
from sirena.serving.channel import load, open_channel, receive, send, send_object
from sirena.serving.children import LEAST_SECONDS, SOURCE, Child, ChildStarts, name_of
from sirena.serving.holder import PanelHolder
from sirena.serving.logs import LogTurn, ServiceLog
from sirena.serving.observation import unforeseen
from sirena.serving.publishing import Failure, Publication, PublishedSource, Standing
from sirena.serving.server import run_until_signal
from sirena.serving.shadow_counts import ShadowState
from sirena.serving.source import PanelSource
from sirena.serving.totals import Totals, add_up
from sirena.serving.turns import Turns, TurnServer

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_LIBC: Final = ctypes.CDLL(None)
_PR_SET_PDEATHSIG: Final = 1
_ANSWER_SECONDS: Final = 1.0
"""Seconds that a worker may take to report its counts; then its last report is used."""


@dataclass(frozen=True)
class WorkersPlan:
    """The workers to run, and how to make them."""

    workers: int
    listener: socket.socket
    """The socket, already listening."""
    make_source: Callable[[], PanelSource]
    """Makes the source; called only in the child that asks the source."""
    make_app: Callable[[PanelSource, AmongWorkers, ServiceLog], Service]
    """Makes the application, once for all workers, from the published source, the counting of the workers and a log. It
    must start no thread.
    """
    poll_seconds: float


@dataclass(eq=False)
class _Question:
    """A worker's question for the counts of the others."""

    number: int
    asker: Child
    awaited: set[Child]
    end: float
    """Time, by `time.monotonic`, after which the last reports are used."""


def run_workers(plan: WorkersPlan, announce: Callable[[Standing], None]) -> None:
    """Serve until SIGTERM or SIGINT; call it in the main thread, while there is no other.

    Args:
        plan: the workers to run.
        announce: called with the source's first state; an error that it raises ends everything.
    """
    _Parent(plan).run(announce)


class _Parent:
    def __init__(self, plan: WorkersPlan) -> None:
        self._plan = plan
        self._log = ServiceLog(turn=LogTurn())
        self._children: dict[int, Child] = {}
        """The running children by number."""
        self._starts = ChildStarts()
        self._starts.plan(SOURCE)
        self._untold_exit: int | None = None
        """Exit code of the process that asked the source, until its end is published."""
        self._source = PublishedSource(Publication.of(Standing()))
        self._counting = AmongWorkers(self._source)
        # made, and read, before the workers are, so that they share it
        self._app = plan.make_app(self._source, self._counting, self._log)
        resolve_text("Escherichia coli")
        self._publication = Publication.of(Standing())
        self._is_published = False
        self._ended = Totals()
        """The counts of workers that ended."""
        self._questions: list[_Question] = []
        self._question_numbers = itertools.count(1)
        self._turns = Turns(plan.workers)
        self._selector = selectors.DefaultSelector()
        self._woken, self._waking = socket.socketpair()
        self._is_ending = False
        self._is_hung_up = False

    def run(self, announce: Callable[[Standing], None]) -> None:
        """Start the source's child, then the workers, and supervise them until the end."""
        with self._hearing_signals():
            try:
                while not self._is_published and not self._is_ending:
                    self._turn()
                if not self._is_ending:
                    announce(self._publication.standing)
                    for number in range(1, self._plan.workers + 1):
                        self._starts.plan(number)
                while not self._is_ending:
                    self._turn()
            finally:
                self._is_ending = True
                while self._children:
                    self._turn()

    @contextmanager
    def _hearing_signals(self) -> Iterator[None]:
        self._woken.setblocking(False)
        self._waking.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        former_handlers = {number: signal.signal(number, self._take_signal) for number in _SIGNALS}
        former_wakeup = signal.set_wakeup_fd(self._waking.fileno())
        # no look for garbage then writes to the pages that all share
        gc.collect()
        gc.freeze()
        try:
            yield
        finally:
            signal.set_wakeup_fd(former_wakeup)
            for number, handler in former_handlers.items():
                signal.signal(number, handler)

    def _take_signal(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self._is_hung_up = True
        elif number != signal.SIGCHLD:
            self._is_ending = True

    def _turn(self) -> None:
        """Do what is due, then wait for the next event."""
        if self._is_ending:
            self._end_children()
        else:
            self._tell_end_of_source()
            for number in self._starts.take_due(time.monotonic()):
                self._start(number)
        if self._is_hung_up and SOURCE in self._children:
            self._is_hung_up = False
            os.kill(self._children[SOURCE].pid, signal.SIGHUP)
        for key, _ in self._selector.select(self._patience()):
            if key.data is None:
                self._woken.recv(4096)
            else:
                self._hear(key.data)
        self._bury()
        self._answer_questions()

    def _patience(self) -> float | None:
        moments = [question.end for question in self._questions]
        if not self._is_ending and self._starts.next_moment is not None:
            moments.append(self._starts.next_moment)
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _end_children(self) -> None:
        # who calls now is refused, and waits for nobody
        self._plan.listener.close()
        for child in self._children.values():
            if not child.is_ending:
                child.is_ending = True
                os.kill(child.pid, signal.SIGTERM)

    def _start(self, number: int) -> None:
        try:
            own_end, child_end = open_channel()
        except OSError as error:
            self._start_later(number, error)
            return
        parent = os.getpid()
        # a signal that comes between is the child's once it knows what to do
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                self._be_child(number, parent, own_end, child_end)
        except OSError as error:
            own_end.close()
            child_end.close()
            self._start_later(number, error)
            return
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        child_end.close()
        if number == SOURCE:
            self._untold_exit = None
        own_end.setblocking(False)
        child = self._children[number] = Child(number, pid, own_end, time.monotonic())
        self._selector.register(own_end, selectors.EVENT_READ, child)

    def _start_later(self, number: int, error: OSError) -> None:
        # there is no memory, number or descriptor left for a process now; those that run go on
        self._starts.plan(number, time.monotonic() + LEAST_SECONDS)
        self._log.info("child_not_started", child=name_of(number), error=error.strerror)

    def _hear(self, child: Child) -> bool:
        """Read one message of a child. Returns False if there is none."""
        try:
            word, files = receive(child.channel)
        except BlockingIOError:
            return False
        word, _, number = word.partition(b" ")
        if word == WorkerMessage.PUBLISHED:
            self._take_publication(child, files)
        elif word == WorkerMessage.ASK:
            self._ask_others(child)
        elif word == WorkerMessage.TOLD:
            # where no descriptor is left, the last message of the worker is taken
            with suppress(OSError, IndexError):
                child.counts = load(files[0])
            for file in files:
                os.close(file)
            for question in self._questions:
                if question.number == int(number):
                    question.awaited.discard(child)
        elif child.channel in self._selector.get_map():
            # it is gone, or will be soon
            self._selector.unregister(child.channel)
        return bool(word)

    def _take_publication(self, child: Child, files: Sequence[int]) -> None:
        try:
            publication = Publication.from_files(files)
        except (OSError, IndexError):
            # no descriptor is left; it thinks that all know it, and its successor will publish it again
            for file in files:
                os.close(file)
            os.kill(child.pid, signal.SIGKILL)
            return
        child.has_published = publication.standing.is_askable
        self._publish(publication)

    def _publish(self, publication: Publication) -> None:
        former_standing, standing = self._publication.standing, publication.standing
        if (former_standing.mark, former_standing.shadow_mark) != (standing.mark, standing.shadow_mark):
            # as a worker forgets its own: the same pair may come again, and is counted anew
            self._ended = replace(self._ended, shadow=ShadowState())
        self._publication.close()
        self._publication = publication
        self._is_published = True
        for child in self._workers():
            try:
                send(child.channel, WorkerMessage.PUBLISHED, publication.files)
            except OSError:
                # it has read nothing for a hundred messages, and must not answer by what is old
                os.kill(child.pid, signal.SIGKILL)

    def _tell_end_of_source(self) -> None:
        """Publish, if so, that nobody asks the source; the next process that does replaces this."""
        if self._untold_exit is None:
            return
        failure = Failure("source_ended", f"the process that asks the source of the panel ended ({self._untold_exit})")
        last_publication = self._publication
        with suppress(OSError):  # no descriptor is left, and the message is sent later
            self._publish(last_publication.with_standing(replace(last_publication.standing, failure=failure)))
            self._untold_exit = None

    def _workers(self) -> list[Child]:
        return [child for number, child in self._children.items() if number != SOURCE]

    def _ask_others(self, asker: Child) -> None:
        number = next(self._question_numbers)
        question = _Question(number, asker, set(), time.monotonic() + _ANSWER_SECONDS)
        for child in self._workers():
            if child is not asker:
                with suppress(OSError):
                    send(child.channel, WorkerMessage.TELL.numbered(number))
                    question.awaited.add(child)
        self._questions.append(question)

    def _answer_questions(self) -> None:
        now = time.monotonic()
        for question in [question for question in self._questions if not question.awaited or question.end <= now]:
            self._questions.remove(question)
            other_counts = [child.counts for child in self._workers() if child is not question.asker]
            # who asked is gone; or no descriptor is left, and it answers by what it knows of the others
            with suppress(OSError):
                send_object(question.asker.channel, WorkerMessage.OTHERS, add_up([self._ended, *other_counts]))

    def _bury(self) -> None:
        """Remove the children that ended, and keep their counts."""
        for child in list(self._children.values()):
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if not pid:
                continue
            while self._hear(child):
                pass
            child.channel.close()
            exit_code = os.waitstatus_to_exitcode(status)
            was_ready = child.has_published
            if child.number != SOURCE:
                was_ready = exit_code == 0 or self._turns.is_there(child.number - 1)
                self._turns.leave(child.number - 1)
            del self._children[child.number]
            for question in self._questions:
                question.awaited.discard(child)
            self._questions = [question for question in self._questions if question.asker is not child]
            self._ended = add_up([self._ended, child.counts])
            if not self._is_ending:
                self._log.info("child_ended", child=name_of(child.number), pid=pid, exit_code=exit_code)
                failed_starts, seconds = self._starts.follow(child.number, child.began, was_ready=was_ready)
                if failed_starts:
                    facts = {"failed_starts": failed_starts, "seconds_between_starts": seconds}
                    self._log.info("child_fails_at_start", child=name_of(child.number), **facts)
                if child.number == SOURCE and exit_code:
                    self._untold_exit = exit_code

    def _be_child(self, number: int, parent: int, parent_end: socket.socket, child_end: socket.socket) -> NoReturn:
        """Run as a child until the end; this never returns to the caller."""
        exit_code = 1
        plan = self._plan
        try:
            signal.set_wakeup_fd(-1)
            for signal_number in _SIGNALS:
                signal.signal(signal_number, signal.SIG_DFL)
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() == parent:
                self._selector.close()
                for channel in (
                    parent_end,
                    self._woken,
                    self._waking,
                    *(child.channel for child in self._children.values()),
                ):
                    channel.close()
                if number == SOURCE:
                    plan.listener.close()
                    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
                    ask_source(
                        plan.make_source, child_end, self._publication, self._log, poll_seconds=plan.poll_seconds
                    )
                else:
                    self._answer(number, child_end)
            exit_code = 0
        except BaseException as error:  # noqa: BLE001 - reported by the parent's line and this one
            self._log.info("child_failed", child=name_of(number), error=unforeseen(error))
        finally:
            os._exit(exit_code)

    def _answer(self, number: int, channel: socket.socket) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        holder: PanelHolder = self._app.state.holder
        self._source.take(self._publication)
        self._counting.connect(channel, holder.wake)
        with suppress(SirenaError):
            holder.refresh()
        run_until_signal(
            self._app,
            self._plan.listener,
            protocol=self._app.protocol,
            make_server=lambda config: TurnServer(config, self._turns, number - 1),
        )
