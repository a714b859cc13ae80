"""A proxy with the TLS and the port of the stack's MLflow, in front of a test's MLflow that has no access control."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from sirena.settings.catalogue import Settings
from tests.production_machine import mlflow_context


@contextlib.contextmanager
def mlflow_tls_listener(settings: Settings, port: int) -> Iterator[None]:
    """Listen on the port of the stack's MLflow as it does, and forward in plain text to another port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    opened: list[asyncio.StreamWriter] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        try:
            beyond = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        opened.append(beyond[1])
        await asyncio.gather(_pump(reader, beyond[1]), _pump(beyond[0], writer))

    async def begin() -> asyncio.Server:
        return await asyncio.start_server(
            pass_on, "127.0.0.1", settings.mlflow_port, ssl=mlflow_context(settings), backlog=512
        )

    async def end() -> None:
        server.close()
        passing = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)
        # a loop that stops before its connections are closed leaves their sockets to the garbage collector
        for writer in opened:
            with contextlib.suppress(AttributeError):  # of early 3.11, for a TLS connection that has ended already
                writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in opened), return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward bytes until one side closes, and then close the other."""
    try:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()
