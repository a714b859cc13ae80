"""The service as a server: what callers do to a connection."""

import json
import socket
import time

from tests.serving_client import running_service


def test_a_caller_who_leaves_is_no_error_of_the_service() -> None:
    """A body that ends half-way is logged as 499 and answered by nobody."""
    with running_service() as running:
        with socket.create_connection((running.client.base_url.host, running.client.base_url.port or 0)) as connection:
            connection.sendall(
                b"POST /invocations HTTP/1.1\r\nHost: x\r\n"
                b"Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
            )
            time.sleep(0.1)
        end = time.monotonic() + 60
        while '"event":"request"' not in running.log.getvalue():
            assert time.monotonic() < end
            time.sleep(0.01)
        line = json.loads(running.log.getvalue().splitlines()[-1])
    assert (line["status"], line["error"]) == (499, "client_gone")
