"""What somebody at a browser does on the pages, again and again."""

import time
from contextlib import suppress
from pathlib import Path

from tests.browser_person import Person

PATIENCE = 60.0
WIDTHS = (1280, 640, 390)
"""A screen, the same at 200 % zoom, and a telephone, in CSS pixels."""
TAB = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
ESCAPE = {"key": "Escape", "code": "Escape", "windowsVirtualKeyCode": 27}
ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}


def wait_until(who: Person, condition: str) -> None:
    """Wait until something is so of the page."""
    deadline = time.monotonic() + PATIENCE
    while not who.run(f"Boolean({condition})"):
        assert time.monotonic() < deadline, condition
        time.sleep(0.05)


def wait_through(who: Person, condition: str) -> None:
    """Wait until something is so of the page that comes after this one; one that is just being left cannot answer."""
    deadline, holds = time.monotonic() + PATIENCE, False
    while not holds:
        assert time.monotonic() < deadline, condition
        time.sleep(0.05)
        with suppress(AssertionError):
            holds = bool(who.run(f"Boolean({condition})"))


def press(who: Person, key: dict[str, object]) -> None:
    """Press a key and let it go."""
    who.call("Input.dispatchKeyEvent", type="keyDown", **key)
    who.call("Input.dispatchKeyEvent", type="keyUp", **key)


def enter(who: Person, address: str, language: str) -> str:
    """Open the printed address in a language and return the origin."""
    origin = address.partition("/enter/")[0]
    who.open(address, arrives=f"{origin}/")
    who.open(f"{origin}/language/{language}", arrives=f"{origin}/")
    return origin


def drop(who: Person, origin: str, path: Path) -> str:
    """Choose a file, send it, and return the address it is shown at."""
    who.choose_file(path)
    who.click("main form button", arrives=f"{origin}/files/")
    return str(who.run("location.href"))


def refuse_sideways_scrolling(who: Person, state: str = "") -> None:
    """Fail where the page itself is wider than the window; a table may be, in a region of its own.

    Args:
        who: looks at the page.
        state: of the page, for its picture.
    """
    wait_until(who, "document.readyState === 'complete'")  # its styles are there
    for width in WIDTHS:
        who.set_width(width)
        assert who.run("document.documentElement.scrollWidth") <= width, who.run("location.href")
        who.keep_picture(state)
