"""Asking a ``.keras`` file for its answer to every possible question, in a separate process; see `asking_worker`."""

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import sirena
from sirena.domain.errors import SirenaError
from sirena.training.vetting import LONGEST_FILE, ForeignNetworkError

_START_SECONDS: Final = 90.0
"""Longest wait for an answer: TensorFlow takes 3 to 7 s to load, and more on a busy machine."""
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")
"""Environment variables that the worker gets; none holds an address, a password or a home folder."""


class NetworkAsker:
    """Asks networks one after another, in a process that starts when needed and ends when it is idle."""

    def __init__(self) -> None:
        self._worker: subprocess.Popen[bytes] | None = None
        self._one_at_a_time = threading.Lock()

    def ask(self, network: bytes, column: str, keys: Sequence[str]) -> dict[str, list[str]]:
        """Return the answers of a network, as `TruthTable.to_json` writes ``organisms``.

        Args:
            network: content of the ``.keras`` file.
            column: test column that the network answers.
            keys: WHONET codes to ask about, with a site if the table has one.

        Raises:
            ForeignNetworkError: the file is not one of Sirena's networks, or does not answer within its limits.
            SirenaError: the worker process does not start.
        """
        if len(network) > LONGEST_FILE:
            raise ForeignNetworkError("the network's file is too large")
        with self._one_at_a_time, tempfile.TemporaryDirectory(prefix="sirena-network-") as scratch:
            file = Path(scratch) / "network.keras"
            file.write_bytes(network)
            question = {"file": str(file), "column": column, "keys": list(keys)}
            answer = self._answer(json.dumps(question).encode() + b"\n")
        if "refused" in answer:
            raise ForeignNetworkError(str(answer["refused"]))
        return dict(answer["organisms"])

    def close(self) -> None:
        """End the worker process."""
        with self._one_at_a_time:
            self._end()

    def _answer(self, question: bytes) -> dict[str, Any]:
        # a worker that has just ended by itself is started again, once
        for _ in range(2):
            line = self._put(question)
            if line:
                return dict(json.loads(line))
            self._end()
        raise SirenaError("the process that asks networks does not answer", hint="see the access service's log")

    def _put(self, question: bytes) -> bytes:
        worker = self._running()
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            worker.stdin.write(question)
            worker.stdin.flush()
        except BrokenPipeError:
            return b""
        if not select.select([worker.stdout], [], [], _START_SECONDS)[0]:
            return b""
        return worker.stdout.readline()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._worker is None or self._worker.poll() is not None:
            self._end()
            environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
            self._worker = subprocess.Popen(
                # -P: anybody may write where it works, and what lies there must not be imported
                [sys.executable, "-P", "-m", "sirena.training.asking_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=tempfile.gettempdir(),
                env=environment | {"PYTHONPATH": str(Path(sirena.__file__).parent.parent), "TF_CPP_MIN_LOG_LEVEL": "3"},
            )
        return self._worker

    def _end(self) -> None:
        if self._worker is None:
            return
        for pipe in (self._worker.stdin, self._worker.stdout):
            if pipe is not None:
                pipe.close()
        self._worker.kill()
        self._worker.wait()
        self._worker = None
