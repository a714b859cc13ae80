"""Examining pages with axe, in a browser used for nothing else, since axe changes pages and so hides faults."""

from functools import cache
from typing import Any, Final

from tests.browser_person import Person
from tests.node_packages import installed_packages

_RUN: Final = """axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}).then(
    found => found.violations.map(one => [one.id, ...one.nodes.slice(0, 3).map(node => node.html.slice(0, 200))]))"""


@cache
def _axe() -> str:
    return (installed_packages("axe") / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def violations(examiner: Person, pages: dict[str, str]) -> dict[str, Any]:
    """Return the criteria of WCAG 2.2 (levels A and AA) that pages violate, on a screen and on a telephone.

    Args:
        examiner: a browser used for nothing else.
        pages: address of each page, by the name that findings give it.
    """
    found = {}
    for width in (1280, 390):
        examiner.set_width(width)
        for name, address in pages.items():
            examiner.open(address, arrives=address)
            examiner.run(f"{_axe()}; undefined")
            if broken := examiner.run(_RUN):
                found[f"{name} at {width}"] = broken
            examiner.keep_picture()
    return found
