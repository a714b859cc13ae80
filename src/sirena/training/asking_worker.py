"""The process that asks networks: it loads TensorFlow once and forks a short-lived, restricted child for each network.

Run as ``python -m sirena.training.asking_worker`` by `asking_apart`. Each line of standard input is a request
(`Question` as JSON), each line of standard output the response to it: ``{"organisms": …}`` as a truth table writes
them, or ``{"refused": why}``. The process ends when no request has come for a while, or when its parent process has
ended.

A network's file may be malicious. So it is vetted, then loaded in Keras's safe mode, in a child that cannot write
files, may open few, and has seconds of processor time. The child returns nothing but a truth table.
"""

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

import psutil

IDLE_SECONDS: Final = 60.0
"""Seconds without a request after which the process ends and frees its 650 MiB."""
CHILD_SECONDS: Final = 30.0
"""Longest time, in seconds, for asking one network."""
_PROCESSOR_SECONDS: Final = 30
_FURTHER_BYTES: Final = 2 * 2**30
_OPEN_FILES: Final = 64


def main() -> None:
    """Answer the requests on standard input, one per line, until it ends or no request comes for `IDLE_SECONDS`."""
    import sirena.training.compiling
    import sirena.training.saving  # noqa: F401 - loaded here, so that every child has it already

    while select.select([sys.stdin], [], [], IDLE_SECONDS)[0]:
        line = sys.stdin.readline()
        if not line:
            return
        sys.stdout.buffer.write(_ask_in_child(json.loads(line)) + b"\n")
        sys.stdout.flush()


def _ask_in_child(question: dict[str, Any]) -> bytes:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.close(reader)
            os.dup2(2, 1)  # what a library prints must not become an answer
            answer = json.dumps(_ask(question)).encode()
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(answer)
        os._exit(0)
    os.close(writer)
    answer = _read(reader, time.monotonic() + CHILD_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return answer or json.dumps({"refused": "the network could not be asked within its limits"}).encode()


def _read(descriptor: int, end: float) -> bytes:
    """Return everything that a child writes until it ends; empty if that takes too long."""
    parts: list[bytes] = []
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0]:
            part = pipe.read(2**16)
            if not part:
                return b"".join(parts)
            parts.append(part)
    return b""


def _ask(question: dict[str, Any]) -> dict[str, Any]:
    from sirena.training.backend import use_one_thread
    from sirena.training.compiling import compile_network
    from sirena.training.saving import load_network
    from sirena.training.vetting import ForeignNetworkError, vet_network

    file = Path(question["file"])
    _limit()
    try:
        vet_network(file)
        use_one_thread()
        table = compile_network(load_network(file), question["column"], question["keys"])
    except ForeignNetworkError as error:
        return {"refused": error.text}
    except Exception as error:  # noqa: BLE001 - a network made to fail may raise anything; its kind is the finding
        return {"refused": f"the network could not be asked ({type(error).__name__})"}
    return {"organisms": table.to_json()["organisms"]}


def _limit() -> None:
    """Limit this process to the memory, time and files that asking a network needs."""
    limits = {
        resource.RLIMIT_AS: psutil.Process().memory_info().vms + _FURTHER_BYTES,
        resource.RLIMIT_CPU: _PROCESSOR_SECONDS,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    for kind, maximum in limits.items():
        resource.setrlimit(kind, (maximum, maximum))


if __name__ == "__main__":
    main()
