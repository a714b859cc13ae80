"""A person at Chromium: opens a page, fills in, clicks, reads, wherever the pages lie."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.chromium import Chromium, started

_PATIENCE = 60.0


class Person(Chromium):
    """Somebody with one window."""

    def __init__(self, commands: int, events: int) -> None:
        """Attach to a new window."""
        self.complaints: list[str] = []
        """What the browser's console said, refused scripts and forms among it."""
        super().__init__("", commands, events)

    def open(self, address: str, *, arrives: str) -> None:
        """Type an address, and wait until a page is there whose address begins so."""
        self.call("Page.navigate", url=address)
        self.arrive(arrives)

    def fill_in(self, **fields: str) -> None:
        """Fill in fields of a form by their names."""
        for name, value in fields.items():
            self.run(f"document.querySelector('input[name={name}]').focus()")
            self.call("Input.insertText", text=value)

    def click(self, selector: str, *, arrives: str) -> None:
        """Click with the mouse where an element is, and wait until a page is there whose address begins so."""
        box = self.run(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)}); one.scrollIntoView();"
            " const box = one.getBoundingClientRect();"
            " return {x: box.x + box.width / 2, y: box.y + box.height / 2}; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box["x"], y=box["y"], button="left", clickCount=1)
        self.arrive(arrives)

    def read(self, selector: str = "body") -> str:
        """Return the text of an element; empty where there is none."""
        return str(self.run(f"(document.querySelector({json.dumps(selector)}) || {{}}).innerText || ''"))

    def cookies(self) -> set[str]:
        """Return the names of the cookies kept for this page."""
        return {one["name"] for one in self.call("Network.getCookies")["cookies"]}

    def arrive(self, address: str) -> None:
        """Wait until a page is there whose address begins so."""
        deadline, now = time.monotonic() + _PATIENCE, ""
        while not now.startswith(f"complete {address}"):
            assert time.monotonic() < deadline, f"expected {address}, is {now}"
            time.sleep(0.05)
            # a page that is just being left cannot answer
            with suppress(AssertionError):
                now = str(self.run("`${document.readyState} ${location.href}`"))

    def _note(self, event: str, facts: dict[str, Any]) -> None:
        super()._note(event, facts)
        if event == "Log.entryAdded" and facts["entry"]["level"] in ("warning", "error"):
            entry = facts["entry"]
            self.complaints.append(f"{entry['source']}: {entry['text']} {entry.get('url', '')}")


@contextmanager
def person() -> Iterator[Person]:
    """Give somebody a fresh browser that trusts whatever certificate the entry has."""
    with started(Person) as somebody:
        yield somebody
