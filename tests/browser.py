"""Chromium looking at the entry: what a page becomes there, and what its console says."""

import http.server
import shutil
import ssl
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser

from tests.guarded_house import House

OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--enable-logging=stderr", "--v=0",
    "--window-size=1400,900",
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What became of a page."""

    page: str
    """Its document as it stands after its scripts have run."""
    console: str
    """What the browser's console said, refused scripts among it."""


class _Active(HTMLParser):
    """Collects what in a document could run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note handlers, addresses that are scripts, and addresses of other servers that load at once."""
        self._in_script = tag == "script"
        for name, value in attrs:
            text = (value or "").strip().lower()
            if name.startswith("on") or text.startswith(("javascript:", "data:text/html")):
                self.found.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        """Note scripts that stand in the page."""
        if self._in_script and data.strip():
            self.found.append(data)


def what_could_run(page: str) -> list[str]:
    """Return handlers, inline scripts and addresses that are scripts in a document."""
    parser = _Active()
    parser.feed(page)
    return parser.found


@dataclass(frozen=True)
class Browser:
    """A browser of somebody signed in."""

    origin: str

    def look(self, path: str, *, until: str = "", seconds: int = 10) -> Seen:
        """Open a page and wait for its scripts; open it again, with more patience, while a text is not to be seen."""
        for patience in (1, 2, 4):
            seen = self._look_once(path, seconds * patience)
            if until in unescape(seen.page) + seen.console:
                break
        return seen

    def _look_once(self, path: str, seconds: int) -> Seen:
        with tempfile.TemporaryDirectory(prefix="sirena-chromium-") as profile:
            command = [
                shutil.which("chromium") or "chromium",
                *OPTIONS,
                f"--user-data-dir={profile}",
                f"--virtual-time-budget={seconds * 1000}",
                "--dump-dom",
                self.origin + path,
            ]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, errors="replace")
        console = "\n".join(line for line in ended.stderr.splitlines() if "CONSOLE" in line)
        return Seen(ended.stdout, console)


@contextmanager
def browser_of(house: House, who: str) -> Iterator[Browser]:
    """Give a browser that acts as somebody.

    Between browser and entry stands a small server that adds the credential and changes nothing else: every header that
    keeps a script from running is the entry's own.
    """
    context = ssl.create_default_context(cafile=str(house.client.authority))
    entry, token = f"https://localhost:{house.settings.https_port}", house.tokens[who]

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            request = urllib.request.Request(entry + self.path, data=body or None, method=self.command)
            request.add_header("Authorization", f"Bearer {token}")
            for name in ("Accept", "Content-Type"):
                if name in self.headers:
                    request.add_header(name, self.headers[name])
            try:
                answer = urllib.request.urlopen(request, context=context, timeout=60)
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = pass_on  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield Browser(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
