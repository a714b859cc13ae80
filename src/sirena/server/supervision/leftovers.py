"""A supervisord event listener that ends all processes of a part that has ended.

A part that is killed leaves its workers behind, which keep its port: NGINX could not start again, and its workers would
go on with an old configuration. Every part is the leader of a separate process group.
"""

import contextlib
import os
import signal

from supervisor import childutils  # type: ignore[import-untyped]


def main() -> None:
    """Kill the remaining processes of each part whose end supervisord reports on standard input, forever."""
    while True:
        _, payload = childutils.listener.wait()
        facts = childutils.get_headers(payload)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(int(facts["pid"]), signal.SIGKILL)
        childutils.listener.ok()


if __name__ == "__main__":
    main()
