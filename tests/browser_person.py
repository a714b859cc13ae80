"""A person at Chromium: opens a page, fills in, clicks, reads. Driven by the browser's own protocol over two pipes."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.browser import OPTIONS

_PATIENCE = 30.0


class Person:
    """Somebody with one window."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to_browser, self._from_browser = to_browser, from_browser
        self._unread = b""
        self._number = 0
        self._session: dict[str, str] = {}
        self.complaints: list[str] = []
        """What the browser's console said, refused scripts and forms among it."""
        window = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self._call("Target.attachToTarget", targetId=window, flatten=True)["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    @property
    def address(self) -> str:
        """Where they are."""
        return str(self.evaluate("location.href"))

    def open(self, address: str) -> None:
        """Type an address."""
        failed = self._call("Page.navigate", url=address).get("errorText")
        assert not failed, failed
        self._settle()

    def fill_in(self, **fields: str) -> None:
        """Fill in fields of a form by their names."""
        for name, value in fields.items():
            self.evaluate(f"document.querySelector('input[name={name}]').focus()")
            self._call("Input.insertText", text=value)

    def click(self, selector: str) -> None:
        """Click with the mouse where an element is, and wait for what comes of it."""
        box = self.evaluate(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)}); one.scrollIntoView();"
            " const box = one.getBoundingClientRect();"
            " return {x: box.x + box.width / 2, y: box.y + box.height / 2}; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=box["x"], y=box["y"], button="left", clickCount=1)
        self._settle()

    def read(self, selector: str = "body") -> str:
        """Return the text of an element; empty where there is none."""
        return str(self.evaluate(f"(document.querySelector({json.dumps(selector)}) || {{}}).innerText || ''"))

    def cookies(self) -> set[str]:
        """Return the names of the cookies kept for this page."""
        return {one["name"] for one in self._call("Network.getCookies")["cookies"]}

    def evaluate(self, expression: str) -> Any:
        """Ask the page something, as a developer does; the page's content policy does not bind that."""
        found = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def _settle(self) -> None:
        """Wait until a page is there and stays for half a second, redirects behind it."""
        deadline, same_since, last = time.monotonic() + _PATIENCE, time.monotonic(), ""
        while time.monotonic() - same_since < 0.5:
            assert time.monotonic() < deadline, "the page does not settle"
            time.sleep(0.05)
            state = self._call("Runtime.evaluate", expression="document.readyState + location.href", returnByValue=True)
            now = str(state.get("result", {}).get("value"))
            if now != last or not now.startswith("complete"):
                same_since, last = time.monotonic(), now

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, **self._session}
        os.write(self._to_browser, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                # a page that is just being left cannot answer
                return dict(answer.get("result", {}))
            self._note(answer)

    def _note(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Log.entryAdded":
            entry = event["params"]["entry"]
            if entry["level"] in ("warning", "error"):
                self.complaints.append(f"{entry['source']}: {entry['text']} {entry.get('url', '')}")

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            more = os.read(self._from_browser, 2**16)
            assert more, "the browser has ended"
            self._unread += more
        first, _, self._unread = self._unread.partition(b"\0")
        return dict(json.loads(first))


@contextmanager
def person() -> Iterator[Person]:
    """Give somebody a fresh browser that trusts whatever certificate the entry has."""
    to_browser, from_browser = os.pipe(), os.pipe()

    def hand_over() -> None:
        # the browser reads from 3 and writes to 4; moved out of the way first, since either number may be taken
        ends = [os.dup(to_browser[0]), os.dup(from_browser[1])]
        safe = [os.dup2(end, 100 + number) for number, end in enumerate(ends)]
        for number, end in enumerate(safe):
            os.dup2(end, 3 + number)

    with tempfile.TemporaryDirectory(prefix="sirena-chromium-", ignore_cleanup_errors=True) as profile:
        command = [
            shutil.which("chromium") or "chromium",
            *OPTIONS,
            f"--user-data-dir={profile}",
            "--ignore-certificate-errors",
            "--remote-debugging-pipe",
        ]
        process = subprocess.Popen(
            command, preexec_fn=hand_over, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(to_browser[0])
        os.close(from_browser[1])
        try:
            yield Person(to_browser[1], from_browser[0])
        finally:
            os.close(to_browser[1])
            os.close(from_browser[0])
            process.terminate()
            process.wait(timeout=30)
