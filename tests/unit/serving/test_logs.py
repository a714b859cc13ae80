"""Lines of the service's log, which wait for one another."""

import asyncio
import io
import json
import threading

from sirena.serving.logs import ServiceLog


def test_a_line_that_another_thread_has_written_keeps_none_back() -> None:
    """The thread that loads panels writes what waits; the next request's line is written in its time all the same."""
    stream = io.StringIO()
    log = ServiceLog(stream)

    async def requests() -> None:
        loader = threading.Thread(target=log.info, args=("loaded",))
        log.info_soon("request", {"number": 1})
        loader.start()
        loader.join()
        for number in (2, 3):
            await asyncio.sleep(0.05)
            log.info_soon("request", {"number": number})
        await asyncio.sleep(0.05)

    asyncio.run(requests())
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line.get("number")) for line in lines] == [
        ("request", 1),
        ("loaded", None),
        ("request", 2),
        ("request", 3),
    ]
