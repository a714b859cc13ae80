"""A person who uses Chromium: opens pages, fills in forms, clicks and reads, on any server."""

import base64
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tests.chromium import Chromium, started

_PATIENCE = 60.0
_PICTURES: Final = os.environ.get("TESTS_PICTURES", "")
"""Folder that keeps a picture of each page and state that people see; empty keeps none."""
_IDENTIFIER: Final = 30
"""Letters of an address's part from which on it is an identifier, another in every run."""
_TALLEST: Final = 3000
"""Pixels of a picture; below it a long table only goes on."""


class Person(Chromium):
    """A person with one browser window."""

    def __init__(self, commands: int, events: int) -> None:
        """Attach to a new window."""
        self.complaints: list[str] = []
        """What the browser's console said, refused scripts and forms among it."""
        super().__init__("", commands, events)

    def open(self, address: str, *, arrives: str) -> None:
        """Open an address, and wait for a page whose address begins with `arrives`."""
        self.call("Page.navigate", url=address)
        self.arrive(arrives)

    def fill_in(self, **fields: str) -> None:
        """Fill in the fields of a form, given by name."""
        for name, value in fields.items():
            self.run(f"document.querySelector('input[name={name}]').focus()")
            self.call("Input.insertText", text=value)

    def click(self, selector: str, *, arrives: str) -> None:
        """Click an element with the mouse, and wait for a page whose address begins with `arrives`."""
        box = self.run(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)}); one.scrollIntoView();"
            " const box = one.getBoundingClientRect();"
            " return {x: box.x + box.width / 2, y: box.y + box.height / 2}; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box["x"], y=box["y"], button="left", clickCount=1)
        self.arrive(arrives)

    def read(self, selector: str = "body") -> str:
        """Return the text of an element; empty if there is none."""
        return str(self.run(f"(document.querySelector({json.dumps(selector)}) || {{}}).innerText || ''"))

    def cookies(self) -> set[str]:
        """Return the names of the cookies that the browser holds for this page."""
        return {one["name"] for one in self.call("Network.getCookies")["cookies"]}

    def arrive(self, address: str) -> None:
        """Wait for a page whose address begins with `address`."""
        deadline, now = time.monotonic() + _PATIENCE, ""
        while not now.startswith(f"complete {address}"):
            assert time.monotonic() < deadline, f"expected {address}, is {now}"
            time.sleep(0.05)
            # a page that is just being left cannot answer
            with suppress(AssertionError):
                now = str(self.run("`${document.readyState} ${location.href}`"))

    def wait_for(self, selector: str, words: str) -> str:
        """Wait until an element contains some words, and return its whole text."""
        deadline = time.monotonic() + _PATIENCE
        while words not in (text := self.read(selector)):
            assert time.monotonic() < deadline, f"{selector} says {text!r}, not {words!r}"
            time.sleep(0.05)
        return text

    def choose_file(self, path: Path) -> None:
        """Choose a file in the form, as the browser's file dialog does."""
        document = self.call("DOM.getDocument")["root"]["nodeId"]
        field = self.call("DOM.querySelector", nodeId=document, selector="input[type=file]")["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=field, files=[str(path)])

    def set_width(self, width: int) -> None:
        """Set the width of the window, in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=False)

    def keep_picture(self, state: str = "") -> None:
        """Save a picture of the whole page, if `TESTS_PICTURES` names a folder.

        Its name has address, state, language and width: ``files-antibiogram-ward-es-390.png``.

        Args:
            state: word that distinguishes states of the same page.
        """
        if not _PICTURES:
            return
        address = str(self.run("location.pathname + location.search"))
        words = [word for word in re.findall(r"[A-Za-z0-9_.-]+", address) if len(word) < _IDENTIFIER]
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        width, height = int(self.run("innerWidth")), min(size["height"], _TALLEST)
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        taken = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        name = "-".join([*(words or ["home"]), *([state] if state else [])])
        folder = Path(_PICTURES)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{name}-{self.run('document.documentElement.lang')}-{width}.png"
        file.write_bytes(base64.b64decode(taken["data"]))

    def _note(self, event: str, facts: dict[str, Any]) -> None:
        super()._note(event, facts)
        if event == "Log.entryAdded" and facts["entry"]["level"] in ("warning", "error"):
            entry = facts["entry"]
            self.complaints.append(f"{entry['source']}: {entry['text']} {entry.get('url', '')}")


@contextmanager
def person() -> Iterator[Person]:
    """Give a person with a fresh browser, which accepts any TLS certificate."""
    with started(Person) as somebody:
        yield somebody
