"""A server that shares its socket with other processes."""

import threading
from contextlib import ExitStack

import httpx2 as httpx
from starlette.types import Receive, Scope, Send

from sirena.serving.server import bind, configuration, url_of
from sirena.serving.turns import Turns, TurnServer
from tests.waiting import wait_until


async def answer_nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 204 to everything."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_a_connection_that_no_other_takes_is_taken_by_whoever_sees_it() -> None:
    """A process that has none and accepts none, as it is stopped or busy, keeps no caller waiting for long."""
    turns = Turns(2)
    turns.note(1, 0)
    bound = bind("127.0.0.1", 0)
    server = TurnServer(configuration(answer_nothing), turns, 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        wait_until(lambda: server.started)
        with ExitStack() as stack:
            for _ in range(5):
                client = stack.enter_context(httpx.Client(base_url=url_of(bound), timeout=60))
                assert client.get("/").status_code == 204
            assert not turns.is_due(0)
        wait_until(lambda: turns.is_due(0))
    finally:
        server.should_exit = True
        thread.join()
