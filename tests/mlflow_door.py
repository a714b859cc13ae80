"""The door of the stack's MLflow before an MLflow of the tests, which itself asks nobody."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from sirena.operations.settings import Settings
from tests.production_machine import mlflow_context


@contextlib.contextmanager
def mlflow_door(settings: Settings, port: int) -> Iterator[None]:
    """Listen on the port of the stack's MLflow as it does, and pass on in plain text to another port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            beyond = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_pump(reader, beyond[1]), _pump(beyond[0], writer))

    async def begin() -> asyncio.Server:
        return await asyncio.start_server(
            pass_on, "127.0.0.1", settings.mlflow_port, ssl=mlflow_context(settings), backlog=512
        )

    server = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on until one side ends, and then end the other."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
