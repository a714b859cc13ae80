"""Recording a measurement, with the machine on which it was made.

One file per benchmark, ``results/NAME.json``: name, date, machine, a headline of a few words, peers if there are any,
and all figures. `run.py` makes the table of README.md from these files.
"""

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"

_LOAD_BEFORE = round(os.getloadavg()[0], 1)
"""Processes that wanted a core when this benchmark was imported: above the number of cores, wall times are too long."""


@dataclass(frozen=True)
class Peer:
    """Another program's figure for the same work."""

    name: str
    """Program and version."""
    what: str
    """Quantity compared, with its unit."""
    ours: float
    theirs: float
    measured: str
    """``same run``, or where the figure is from."""
    more_is_better: bool = True

    @property
    def ratio(self) -> float:
        """How many times better Sirena's figure is; below 1 it is worse."""
        better, worse = (self.ours, self.theirs) if self.more_is_better else (self.theirs, self.ours)
        return round(better / worse, 1) if worse else float("inf")


def machine() -> dict[str, Any]:
    """Return a description of the machine, as far as it explains a figure."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "python": platform.python_version(),
        "load_before": _LOAD_BEFORE,
        "load_after": round(os.getloadavg()[0], 1),
    }


def record(name: str, figures: dict[str, Any], *, headline: str, peers: tuple[Peer, ...] = ()) -> None:
    """Write figures with machine and date to ``results/NAME.json`` and print them.

    Args:
        name: name of the benchmark, as in ``run.py --only NAME``.
        figures: everything measured; the names include the units.
        headline: the result in a few words, for the table of README.md.
        peers: other programs' figures; the table shows the first.
    """
    RESULTS.mkdir(exist_ok=True)
    document = {
        "benchmark": name,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "headline": headline,
        "peers": [{**asdict(peer), "times_better": peer.ratio} for peer in peers],
        **figures,
    }
    text = json.dumps(document, indent=2, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(text)
