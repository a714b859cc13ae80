"""Chromium, signed in at the NGINX entry and controlled over its debugging pipe: what pages show, request and refuse.

The pipe is Chromium's own (`--remote-debugging-pipe`, JSON between zero bytes), so no driver has to be installed.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

_OPTIONS: Final = (
    "--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic",
    "--disable-gpu-rasterization", "--disable-gpu-compositing", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-extensions",
    "--ignore-certificate-errors", "--window-size=1400,1000",
    "--remote-debugging-pipe", "--disable-features=IsolateSandboxedIframes",
)  # fmt: skip
"""With WebGL drawn by the processor, so that a plot that is missing is missing for another reason; and with frames in
the process of their page, so that what is refused in them is told. All else is drawn and put together without
the emulated graphics card: through it a page takes up to three times the processor."""
_CALL_SECONDS: Final = 60.0
_QUIET_SECONDS: Final = 0.5
"""A page that asks for nothing for so long has asked for everything."""


_WORKER: Final = ".worker.js"
"""Script of a worker, whose arrival is told to the worker alone."""
_PRESS: Final = """(() => {
    const label = one => (one.innerText || one.getAttribute('aria-label') || '').trim();
    const found = [...document.querySelectorAll(SELECTOR)].find(one => label(one) === LABEL);
    if (!found) return false;
    for (const kind of ['pointerdown', 'mousedown', 'pointerup', 'mouseup'])
        found.dispatchEvent(new PointerEvent(kind, {bubbles: true, button: 0, pointerType: 'mouse'}));
    found.click();
    return true;
})()"""
_SIGN_IN: Final = """(() => {
    const given = GIVEN;
    for (const name in given) document.querySelector(`[name=${name}]`).value = given[name];
    document.querySelector('form').submit();
})()"""


@dataclass(frozen=True, order=True)
class Request:
    """A request of a page to the server."""

    method: str
    path: str
    """With its query."""
    status: int
    """0 while there is no answer."""


@dataclass
class Seen:
    """What happened on a page: its text, its requests, and everything that failed."""

    text: str = ""
    requests: list[Request] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    """Refusals by the content policy: directive, what was blocked, where from."""
    errors: list[str] = field(default_factory=list)
    """Errors of its console that speak of no request."""

    @property
    def refused(self) -> list[Request]:
        """Requests that were answered with an error."""
        return [request for request in self.requests if request.status >= 400]


class Chromium:
    """One tab of a browser."""

    def __init__(self, origin: str, commands: int, events: int) -> None:
        """Attach to a new tab; `chromium_at` starts the browser."""
        self.origin = origin
        self._commands = os.fdopen(commands, "wb", buffering=0)
        self._stream = os.fdopen(events, "rb", buffering=0)
        self._changed = threading.Condition()
        self._answers: dict[int, dict[str, Any]] = {}
        self._asked: dict[str, dict[str, Any]] = {}
        self._open: dict[str, str] = {}
        self._last = time.monotonic()
        self._seen = Seen()
        self._number = 0
        self._session = ""
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime", "Audits"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the browser's debugging protocol, and return the result."""
        with self._changed:
            self._number += 1
            number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        with self._changed:
            assert self._changed.wait_for(lambda: number in self._answers, _CALL_SECONDS), f"no answer to {method}"
            answer = self._answers.pop(number)
        assert "error" not in answer, f"{method}: {answer['error']}"
        found: dict[str, Any] = answer["result"]
        return found

    def run(self, script: str) -> Any:
        """Run a script in the page, outside its content policy, and return the script's value."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def visit(self, path: str, *, until: str = "", seconds: float = 120.0, fresh: bool = False) -> Seen:
        """Open a page, wait until its scripts are idle and it shows a text, and return what happened.

        Between pages of one application the document stays, as with a link, unless `fresh` is True.
        """
        if fresh:
            self.call("Page.navigate", url="about:blank")
        with self._changed:
            self._seen, self._asked, self._open = Seen(), {}, {}
        self.call("Page.navigate", url=self.origin + path)
        return self.rest(until=until, seconds=seconds)

    def press(self, label: str, *, until: str = "", selector: str = "button,a,[role=tab],[role=button]") -> Seen:
        """Click the element with a label, and return what happened since the page was opened."""
        script = _PRESS.replace("SELECTOR", json.dumps(selector)).replace("LABEL", json.dumps(label))
        pressed = self.run(script)
        assert pressed, f"nothing bears the label {label!r}: {self.run('document.body.innerText')}"
        return self.rest(until=until)

    def rest(self, *, until: str = "", seconds: float = 120.0) -> Seen:
        """Wait until the page sends no more requests and shows a text, and return what happened."""
        begun = time.monotonic()
        end = begun + seconds
        while True:
            time.sleep(0.1)
            with self._changed:
                # counted from now: what a press or a step has set off may not have asked for anything yet
                quiet = not self._open and time.monotonic() - max(self._last, begun) > _QUIET_SECONDS
            late = time.monotonic() > end
            text = str(self.run("document.body ? document.body.innerText : ''")) if quiet or late else ""
            if late or (text and until in text):
                break
        with self._changed:
            requests = [Request(one["method"], one["path"], one["status"]) for one in self._asked.values()]
            return Seen(text, requests, [*self._seen.violations], [*self._seen.errors])

    def picture(self, file: Path) -> None:
        """Save a picture of the tab as PNG."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        """Close the pipe, after the browser has ended."""
        self._listening.join()
        self._commands.close()
        self._stream.close()

    def _listen(self) -> None:
        rest = b""
        while block := self._stream.read(2**16):
            *messages, rest = (rest + block).split(b"\0")
            for message in messages:
                self._take(json.loads(message))

    def _take(self, message: dict[str, Any]) -> None:
        with self._changed:
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self._note(message["method"], message["params"])
            self._changed.notify_all()

    def _note(self, event: str, facts: dict[str, Any]) -> None:
        request = facts.get("requestId", "")
        match event:
            case "Network.requestWillBeSent":
                url = facts["request"]["url"]
                self._last = time.monotonic()
                if url.startswith(self.origin):
                    if not url.endswith(_WORKER):
                        self._open[request] = facts["loaderId"]
                    path = url.removeprefix(self.origin)
                    self._asked[request] = {"method": facts["request"]["method"], "path": path, "status": 0}
            case "Page.frameNavigated" if "parentId" not in facts["frame"]:
                # what the document before still asked for comes to no end
                loader = facts["frame"]["loaderId"]
                self._open = {asked: of for asked, of in self._open.items() if of == loader}
            case "Network.responseReceived" if request in self._asked:
                self._asked[request]["status"] = facts["response"]["status"]
            case "Network.loadingFinished" | "Network.loadingFailed":
                self._last = time.monotonic()
                self._open.pop(request, None)
            case "Audits.issueAdded" if facts["issue"]["code"] == "ContentSecurityPolicyIssue":
                found = facts["issue"]["details"]["contentSecurityPolicyIssueDetails"]
                place = found.get("sourceCodeLocation", {}).get("url", "")
                blocked = found.get("blockedURL", "")
                self._seen.violations.append(f"{found['violatedDirective']} {blocked} {place}")
            case "Log.entryAdded" if facts["entry"]["level"] == "error" and facts["entry"]["source"] != "network":
                self._seen.errors.append(facts["entry"]["text"])
            case "Runtime.exceptionThrown":
                details = facts["exceptionDetails"]
                self._seen.errors.append(details.get("exception", {}).get("description", details["text"]))


Tab = TypeVar("Tab", bound=Chromium)


@contextmanager
def started(attach: Callable[[int, int], Tab]) -> Iterator[Tab]:
    """Start a browser with an empty profile, and attach to its first tab.

    Args:
        attach: function that makes the tab from the file descriptors of commands and events.
    """
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    with tempfile.TemporaryDirectory(prefix="sirena-chromium-", ignore_cleanup_errors=True) as profile:
        command = [shutil.which("chromium") or "chromium", *_OPTIONS, f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            # the protocol's pipes are descriptors 3 and 4
            ["/bin/bash", "-c", f'exec "$@" 3<&{to_read} 4>&{from_write}', "bash", *command],
            pass_fds=(to_read, from_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_read)
        os.close(from_write)
        tab = attach(to_write, from_read)
        try:
            yield tab
        finally:
            process.terminate()
            process.wait(30)
            tab.close()


@contextmanager
def chromium_at(origin: str, name: str, password: str) -> Iterator[Chromium]:
    """Start a browser, and sign a person in by the form."""
    with started(lambda commands, events: Chromium(origin, commands, events)) as browser:
        browser.visit("/auth/login")
        browser.run(_SIGN_IN.replace("GIVEN", json.dumps({"name": name, "password": password})))
        browser.rest()
        yield browser
