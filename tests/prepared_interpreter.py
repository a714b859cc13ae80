"""Running commands as processes that need not import MLflow, Polars and TensorFlow again, which takes 15 s each time.

A fork server has imported these libraries, but no module of Sirena. A command is a fork of the server: a real process
with its own arguments, environment, folder, streams, session and exit code, in which `python -m sirena.cli` begins as
usual. Tests of the start itself, of another account or of another interpreter start a plain process. All workers of a
run share one server, which imports nothing until it is asked for the first process.

Run as a program with a socket and ``-m MODULE …``, this file is a small client, for shell scripts.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn

LIBRARIES: Final = (
    "sirena.registry.mlflow_quietly", "sirena.training.backend", "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_store", "mlflow.server", "mlflow.cli", "uvicorn.main",
    "matplotlib.pyplot", "polars", "boto3", "psycopg", "openpyxl", "optuna", "weasyprint",
)  # fmt: skip
"""What is imported before; of our own modules those two that import MLflow and Keras as we need them."""
_SHARED: Final = "TESTS_PREPARED_INTERPRETER"
"""Environment variable with the address of the server that the workers of a run share."""
_FROM_OUTSIDE: Final = ("MLFLOW_", "AWS_", "SIRENA_", "PYTHONPATH")
_BEGINS: Final = """
import sys
ordinary = sys.path[1:]
sys.path[:0] = sys.argv[2:]
import tests.prepared_interpreter
tests.prepared_interpreter.serve(sys.argv[1], ordinary)
"""


class PreparedPopen(subprocess.Popen[str]):
    """A `subprocess.Popen` of ``[PYTHON, "-m", module, …]`` or ``[PYTHON, "-c", program, …]``.

    The process is always a fork of this interpreter, whatever PYTHON is; PYTHON becomes its `sys.executable`.
    """

    def _execute_child(self, args: list[object], *others: Any) -> None:
        cwd, env, pipes, start_new_session = others[4], others[5], others[9:15], others[20]
        streams = [end if end != -1 else number for number, end in enumerate((pipes[0], pipes[3], pipes[5]))]
        try:
            arguments = [str(one) for one in args]
            self._line, self.pid = _asked(_server(), arguments, cwd, env, start_new_session, streams)
            self._child_created = True
        finally:
            self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        self._line.setblocking(not wait_flags & os.WNOHANG)
        try:
            status = self._line.recv(64)
        except BlockingIOError:
            return 0, 0
        self._line.close()
        return self.pid, int(status or signal.SIGKILL)

    def _internal_poll(self, _deadstate: int | None = None) -> int | None:
        if self.returncode is None:
            pid, status = self._try_wait(os.WNOHANG)
            if pid:
                self._handle_exitstatus(status)  # type: ignore[attr-defined]
        return self.returncode


def run_prepared(
    command: list[str], *, timeout: float, cwd: Path | str | None = None, env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command, and return its result as `subprocess.run` does."""
    pipe = subprocess.PIPE
    with PreparedPopen(command, cwd=cwd, env=env, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def program_text(*arguments: str, python: str = sys.executable) -> str:
    """Return a shell script that runs ``PYTHON ARGUMENTS…`` and its own arguments; the first is ``-m`` or ``-c``."""
    stand_in = [sys.executable, "-I", "-S", __file__, _server(), python, *arguments]
    return f'#!/bin/sh\nexec {shlex.join(stand_in)} "$@"\n'


def share_server() -> None:
    """Start a fork server for this process and the workers that it starts."""
    os.environ[_SHARED] = _started_server()


@cache
def _server() -> str:
    """Return the address of the fork server: the one that is shared, else one for this process alone."""
    return os.environ.get(_SHARED) or _started_server()


def _started_server() -> str:
    """Start a fork server that ends with this process, and return its address."""
    folder = tempfile.mkdtemp(prefix="prepared-")
    place = f"{folder}/socket"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FROM_OUTSIDE)}
    roots = [str(Path(__file__).parents[1] / part) for part in ("src", "")]
    program = [sys.executable, "-c", _BEGINS, place, *roots]
    with Path(folder, "log").open("w") as log:
        # its standard input ends when we do
        server = subprocess.Popen(program, env=kept, stdin=subprocess.PIPE, stdout=log, stderr=log)
    atexit.register(server.communicate)
    while not Path(place).exists():
        assert server.poll() is None, Path(folder, "log").read_text()
        time.sleep(0.02)
    return place


def _asked(
    place: str, arguments: list[str], cwd: object, env: object, start_new_session: bool, streams: list[int]
) -> tuple[socket.socket, int]:
    """Ask for a process by its interpreter's name and arguments, and return its number; the line tells its end."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.connect(place)
    environment = dict(os.environ if env is None else env)  # type: ignore[call-overload]
    facts = [arguments, str(cwd or Path.cwd()), environment, start_new_session]
    socket.send_fds(line, [json.dumps(facts).encode()], streams)
    number = line.recv(64)
    assert number, Path(place).with_name("log").read_text()
    return line, int(number)


def serve(place: str, ordinary: list[str]) -> None:
    """Import the libraries at the first request, and fork for every one, until standard input ends.

    Args:
        place: path of the socket to listen on.
        ordinary: where an interpreter looks for modules of which nobody says more.
    """
    is_prepared = False
    desk = selectors.DefaultSelector()
    entrance = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    entrance.bind(f"{place}.early")
    entrance.listen(64)
    Path(f"{place}.early").rename(place)
    desk.register(entrance, selectors.EVENT_READ)
    desk.register(0, selectors.EVENT_READ)
    while True:
        for key, _ in desk.select():
            if key.fileobj == 0:
                shutil.rmtree(Path(place).parent)
                return
            if key.fileobj is entrance:
                if not is_prepared:
                    _prepare()
                    is_prepared = True
                line = entrance.accept()[0]
                request, streams, *_ = socket.recv_fds(line, 2**20, 3)
                child = os.fork()
                if not child:
                    _become(ordinary, streams, *json.loads(request))
                for stream in streams:
                    os.close(stream)
                with suppress(BrokenPipeError):  # whoever asked was killed meanwhile
                    line.send(str(child).encode())
                desk.register(os.pidfd_open(child), selectors.EVENT_READ, (child, line))
            else:
                child, line = key.data
                desk.unregister(key.fd)
                os.close(key.fd)
                status = os.waitpid(child, 0)[1]
                with line, suppress(BrokenPipeError):  # whoever asked may be gone
                    line.send(str(status).encode())


def _prepare() -> None:
    """Import the libraries, and no module of Sirena."""
    gc.disable()
    for name in LIBRARIES:
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "sirena"]:
        del sys.modules[name]
    gc.freeze()


def _become(
    ordinary: list[str], streams: list[int], arguments: list[str], cwd: str, env: dict[str, str], new_session: bool
) -> NoReturn:
    """Become a process as a shell would have started it, and end as an interpreter does."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    if new_session:
        os.setsid()
    # a suite that a shell runs in the background ignores Ctrl-C, and so would its children
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    warnings._processoptions(filter(None, env.get("PYTHONWARNINGS", "").split(",")))  # type: ignore[attr-defined]
    gc.enable()
    sys.executable, kind, what, *sys.argv[1:] = arguments
    first = cwd if kind == "-m" else ""
    sys.path[:] = [first, *filter(None, env.get("PYTHONPATH", "").split(":")), *ordinary]
    code: object = 0
    try:
        if kind == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            sys.argv[0] = kind
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter shows it
        traceback.print_exc()
        code = 1
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)
        code = 1
    # what an interpreter does at its end, without taking a thousand modules apart
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


def _stand_in() -> NoReturn:
    """Ask for a process in the place of this one: signals are passed on, and its end is our end."""
    line, child = _asked(sys.argv[1], sys.argv[2:], None, None, False, [0, 1, 2])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: os.kill(child, received))
    status = os.waitstatus_to_exitcode(int(line.recv(64) or signal.SIGKILL))
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


if __name__ == "__main__":
    _stand_in()
