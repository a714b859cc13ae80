"""Running the application: bind the socket, serve, and shut down in order.

- the port is bound before anything is loaded, so that a port in use is one clear message;
- SIGTERM and SIGINT stop accepting, let requests in progress end, then end the process;
- on SIGHUP the source of the panel is polled at once.
"""

import asyncio
import errno
import gc
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, Literal

import uvicorn
from starlette.types import ASGIApp

from sirena.domain.errors import SirenaError

DRAIN_SECONDS: Final = 30
"""Seconds that requests in progress may take after SIGTERM."""
_BACKLOG: Final = 2048
_ANYONE_WHO_ENTERS: Final = 0o666
_USUAL_THRESHOLDS: Final = (700, 10, 10)
"""Python's usual thresholds for garbage collection; short commands raise them at their start."""


class PortError(SirenaError):
    """The service cannot listen on the address."""

    code = "port"


def bind(host: str, port: int) -> socket.socket:
    """Create a socket that listens on an address and port.

    Args:
        host: address to listen on.
        port: TCP port; 0 for a free one.

    Raises:
        PortError: the port is in use or not permitted, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # listening now, not later, so that a second server on this port fails here and not in the background
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise PortError(f"cannot listen on {host}:{port}: {_cause(error)}", hint=_remedy(error)) from error
    return listener


def bind_path(path: Path) -> socket.socket:
    """Create a Unix socket that listens at a path; a socket that a killed process left there is replaced.

    Every account that may enter the socket's folder may connect, since NGINX's workers run under another account.

    Args:
        path: path of the socket.

    Raises:
        PortError: the folder is missing or another account's, the path is too long, or a process listens there.
    """
    if _answers(path):
        raise PortError(f"cannot listen at {path}: a process listens there", hint="end it first")
    listener = socket.socket(socket.AF_UNIX)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        path.chmod(_ANYONE_WHO_ENTERS)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise PortError(
            f"cannot listen at {path}: {_cause(error)}",
            hint="`sirena up` makes its folder and gives it to this account",
        ) from error
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def url_of(listener: socket.socket) -> str:
    """Return the URL of a bound socket; for a Unix socket, its path."""
    if listener.family == socket.AF_UNIX:
        return f"unix:{listener.getsockname()}"
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def run_until_signal(
    app: ASGIApp,
    listener: socket.socket,
    *,
    on_hangup: Callable[[], None] = lambda: None,
    protocol: type[asyncio.Protocol] | Literal["httptools"] = "httptools",
    make_server: Callable[[uvicorn.Config], uvicorn.Server] = uvicorn.Server,
) -> None:
    """Serve an application until SIGTERM or SIGINT; call it in the main thread.

    Args:
        app: the application.
        listener: socket to serve on.
        on_hangup: called on SIGHUP.
        protocol: protocol of the application's connections; uvicorn's own by default.
        make_server: creates the server; uvicorn's own class by default.
    """
    server = make_server(configuration(app, protocol))

    def end(_number: int, _frame: FrameType | None) -> None:
        # before uvicorn hears signals itself; and after, when it raises them again, where they are no error
        server.should_exit = True

    handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]] = {
        signal.SIGTERM: end,
        signal.SIGINT: end,
        signal.SIGHUP: lambda *_: on_hangup(),
    }
    former_handlers = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    look_for_garbage_of_requests()
    try:
        server.run(sockets=[listener])
    finally:
        for number, handler in former_handlers.items():
            signal.signal(number, handler)


@contextmanager
def serve_beside(app: ASGIApp, listener: socket.socket) -> Iterator[None]:
    """Serve another application in a thread while the block runs.

    Args:
        app: the application.
        listener: socket to serve on.
    """
    server = uvicorn.Server(configuration(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sirena-beside", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(DRAIN_SECONDS)


def look_for_garbage_of_requests() -> None:
    """Exclude the objects that exist now from garbage collection, which otherwise runs as often as usual in Python."""
    gc.freeze()
    gc.set_threshold(*_USUAL_THRESHOLDS)


def configuration(
    app: ASGIApp, protocol: type[asyncio.Protocol] | Literal["httptools"] = "httptools"
) -> uvicorn.Config:
    """Return uvicorn's configuration for an application and a protocol."""
    return uvicorn.Config(
        app,
        http=protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def _cause(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is in use"
    return (error.strerror or type(error).__name__).lower()


def _remedy(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "stop what listens there, or choose another port with --port or SIRENA_PORT"
    return "choose another address or port with --host and --port"
