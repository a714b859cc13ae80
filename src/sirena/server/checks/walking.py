"""Script that tries what an account of the machine can reach without NGINX, and prints the results as JSON.

It is run by its path, by any Python, and imports nothing from Sirena, which the account may not be able to read.

Usage: ``walking.py HOME PORT...`` with a `SIRENA_HOME` and loopback ports to try. Standard input holds the paths to
try, with a zero byte between them: the account may not be able to list them itself.
"""

import contextlib
import http.client
import json
import os
import socket
import ssl
import struct
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

SECONDS = 5.0
_JSON = {"Content-Type": "application/json"}
QUESTIONS: tuple[tuple[str, str, dict[str, str], bytes], ...] = (
    ("GET", "/", {}, b""),
    ("GET", "/health", {}, b""),
    ("GET", "/livez", {}, b""),
    ("GET", "/metrics", {}, b""),
    ("GET", "/api/2.0/mlflow/experiments/search?max_results=1", {}, b""),
    ("POST", "/api/2.0/mlflow/registered-models/search", _JSON, b"{}"),
    ("POST", "/invocations", _JSON, b'{"dataframe_records": [{"ORGANISM": "eco"}]}'),
    ("GET", "/decide", {"X-Original-URI": "/", "X-Original-Method": "GET", "X-Real-IP": "10.9.8.7"}, b""),
    ("GET", "/auth/me", {"X-Sirena-User": "admin", "X-Sirena-Role": "admin"}, b""),
)
ROLES = ("postgres", "mlflow", "sirena", "sirena_owner", "sirena_reader")


class _SocketConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        """Connect to the Unix socket that is given as the host."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(urllib.parse.unquote(self.host))


def _ways(place: str) -> Iterator[tuple[str, Callable[[], http.client.HTTPConnection]]]:
    if not place.isdecimal():
        yield "socket", lambda: _SocketConnection(urllib.parse.quote(place, safe=""))
        return
    yield "http", lambda: http.client.HTTPConnection("127.0.0.1", int(place), timeout=SECONDS)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    yield "https", lambda: http.client.HTTPSConnection("127.0.0.1", int(place), timeout=SECONDS, context=context)


def answers(place: str) -> Iterator[dict[str, object]]:
    """Yield the responses of a port or socket to the requests in `QUESTIONS`; nothing if the connection is refused."""
    for way, connect in _ways(place):
        for method, target, headers, body in QUESTIONS:
            connection = connect()
            try:
                connection.request(method, target, body or None, headers)
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException):
                continue
            finally:
                connection.close()
            yield {"place": place, "way": way, "question": f"{method} {target}", "status": status}


def roles_let_in(port: str) -> Iterator[str]:
    """Yield each role that PostgreSQL at a port lets in without a password."""
    for role in ROLES:
        text = f"user\0{role}\0database\0mlflow\0\0".encode()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), SECONDS) as connection:
            connection.sendall(struct.pack("!II", len(text) + 8, 196608) + text)
            answer = connection.recv(9)
            if answer[:1] == b"R" and answer[5:9] == b"\0\0\0\0":
                yield f"{role} at {port}"


def sockets(home: str) -> list[str]:
    """Return the Unix sockets below a folder on which a process listens."""
    words = [line.split()[-1] for line in Path("/proc/net/unix").read_text(encoding="utf-8").splitlines()]
    return sorted({word for word in words if word.startswith(home + "/")})


def enters(path: str) -> bool:
    """Tell whether this account can connect to a Unix socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        try:
            connection.connect(path)
        except OSError:
            return False
    return True


def files(paths: list[str]) -> Iterator[dict[str, object]]:
    """Yield each file below `paths` that this OS account may read or write, and each folder it may add files to."""
    for path in paths:
        write = os.access(path, os.W_OK)
        if os.path.isdir(path):  # noqa: PTH112 - as the rest here: no traceback where we may not look
            if write and os.access(path, os.X_OK):
                yield {"path": f"{path}/", "read": True, "write": True}
        elif write or os.access(path, os.R_OK):
            yield {"path": path, "read": os.access(path, os.R_OK), "write": write}


def main(home: str, ports: list[str]) -> None:
    """Try ports, sockets and files, and print the results as JSON."""
    socket_paths = sockets(home)
    findings = {
        "answers": [answer for place in (*ports, *socket_paths) for answer in answers(place)],
        "roles": [role for port in ports for role in roles_let_in(port)],
        "sockets": [path for path in socket_paths if enters(path)],
        "files": list(files(sys.stdin.read().split("\0"))),
    }
    print(json.dumps(findings))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
