"""Six tasks of a hurried person on the pages, in Chromium: clicks, fields, and seconds waited for the machine.

    PYTHONPATH=src python benchmarks/pages_tasks.py [--isolates 10000]

The person's actions are counted: each click, each choice from a list and each field typed into. Seconds run from the
last action until the page shows the answer; the time to read and think is not counted. Bounds of the project: 10,000
isolates from the drop to the table under 3 s, the first paint under 1 s.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from recording import record

from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.writing import write_file

# the browser that tests use lies in the repository's root
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.browser_person import Person, person

_PATIENCE = 120.0


@dataclass
class Doer:
    """Does tasks on the pages, and counts the actions."""

    who: Person
    origin: str
    clicks: int = 0
    fields: int = 0
    seconds: float = 0.0

    def click(self, selector: str, *, arrives: str = "", says: str = "") -> None:
        """Click, and wait for a page, or for a text on it."""
        self.clicks += 1
        begun = time.perf_counter()
        if arrives:
            self.who.click(selector, arrives=f"{self.origin}{arrives}")
        else:
            self.who.run(f"document.querySelector({selector!r}).click()")
        self._wait(says, begun)

    def choose(self, name: str, value: str) -> None:
        """Choose an entry of a list."""
        self.clicks += 1
        self.who.run(f"document.querySelector('select[name={name}]').value = {value!r}")

    def type(self, says: str, **fields: str) -> None:
        """Type into fields, and wait for a text on the page."""
        self.fields += len(fields)
        begun = time.perf_counter()
        self.who.fill_in(**fields)
        self._wait(says, begun)

    def choose_file(self, path: Path) -> None:
        """Open the browser's file dialog, and choose a file."""
        self.clicks += 2
        self.who.choose_file(path)

    def _wait(self, says: str, begun: float) -> None:
        text = ""
        while says not in text and time.perf_counter() - begun < _PATIENCE:
            time.sleep(0.01)
            with suppress(AssertionError):  # a page that is just being left cannot answer
                text = self.who.read()
        self.seconds += time.perf_counter() - begun


def tasks(file: Path) -> Iterator[tuple[str, Callable[[Doer], None]]]:
    """Yield each task: its aim, and the function that does it."""

    def open_file(doer: Doer) -> None:
        doer.choose_file(file)
        doer.click("main form button", arrives="/files/", says="Alertas")

    def carbapenem(doer: Doer) -> None:
        doer.click("section li a", arrives="/files/", says="coincide")

    def why(doer: Doer) -> None:
        doer.click("td a.c", says="Se basa en")

    def one_isolate(doer: Doer) -> None:
        doer.click("nav a[href$='/isolate']", arrives="/isolate")
        doer.type("intermedio", organism="E. coli", CIP="0,5")

    def antibiogram(doer: Doer) -> None:
        doer.click("nav a[href='/']", arrives="/")
        doer.click("ul.files a", arrives="/files/")
        # the table stands before the pictures below it have come
        doer.click("a[href$='/antibiogram']", says="De filas a aislamientos")

    def edition(doer: Doer) -> None:
        doer.click("p.way a", says="Alertas")
        doer.click("a[href$='/edition']", arrives="/files/")
        doer.choose("edition", "CLSI 2025")
        doer.click("main form button", arrives="/files/", says="Se compar")

    yield "open the hospital's file: what is in it, what must be known", open_file
    yield "the isolates behind the gravest alert", carbapenem
    yield "why one of them is R", why
    yield "one isolate in hand, not in a file", one_isolate
    yield "the antibiogram of the file", antibiogram
    yield "what another edition would change", edition


@contextmanager
def pages(folder: Path) -> Iterator[str]:
    """Run the pages of one person's machine, and give their address."""
    command = [sys.executable, "-m", "sirena.cli", "open", "--no-browser"]
    home = {**os.environ, "SIRENA_HOME": str(folder / "home")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=home) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isolates", type=int, default=10_000)
    options = parser.parse_args()
    done: list[tuple[str, Doer]] = []
    with tempfile.TemporaryDirectory() as folder, person() as who:
        file = Path(folder) / "hospital.csv"
        write_file(generate_hospital(options.isolates, 5), file)
        with pages(Path(folder)) as address:
            origin = address.partition("/enter/")[0]
            who.open(address, arrives=f"{origin}/")
            who.open(f"{origin}/language/es", arrives=f"{origin}/")
            for name, do in tasks(file):
                doer = Doer(who, origin)
                do(doer)
                done.append((name, doer))
                print(f"{doer.clicks:3} clicks {doer.fields:3} fields {doer.seconds:6.2f} s  {name}", flush=True)
    clicks, waited = sum(doer.clicks for _, doer in done), sum(doer.seconds for _, doer in done)
    figures = [
        {"task": name, "clicks": doer.clicks, "fields": doer.fields, "seconds": round(doer.seconds, 2)}
        for name, doer in done
    ]
    record(
        "pages_tasks",
        {"isolates": options.isolates, "tasks": figures},
        headline=f"{options.isolates:,} isolates: the file is open after {done[0][1].seconds:.1f} s; six tasks take "
        f"{clicks} clicks, and {waited:.1f} s waited in all",
    )


if __name__ == "__main__":
    main()
