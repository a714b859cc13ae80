"""A server that ends every connection, and counts how often it is asked."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


@dataclass
class HangingUp:
    """A port that takes connections, counts them, and ends each without an answer."""

    port: int
    attempts: int = 0


@contextmanager
def hanging_up(port: int = 0) -> Iterator[HangingUp]:
    """Listen on a port during the block; 0 stands for a free one."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        here = HangingUp(listener.getsockname()[1])

        def hang_up() -> None:
            with suppress(OSError):
                while True:
                    listener.accept()[0].close()
                    here.attempts += 1

        thread = threading.Thread(target=hang_up)
        thread.start()
        try:
            yield here
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
