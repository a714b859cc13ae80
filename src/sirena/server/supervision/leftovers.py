"""A listener of supervisord: when a part has ended, whatever it started ends too.

A part that is killed outright leaves its workers behind, and these keep its port: NGINX could not start again and
its orphans would go on with a configuration nobody can change. Every part leads a process group of its own.
"""

import contextlib
import os
import signal

from supervisor import childutils  # type: ignore[import-untyped]


def main() -> None:
    """Speak supervisord's protocol on standard input and output, for as long as it runs."""
    while True:
        _, payload = childutils.listener.wait()
        facts = childutils.get_headers(payload)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(int(facts["pid"]), signal.SIGKILL)
        childutils.listener.ok()


if __name__ == "__main__":
    main()
