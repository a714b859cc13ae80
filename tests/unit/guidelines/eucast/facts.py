"""Breakpoint facts that others read from the documents, beside the project, and how a workbook differs from them."""

import csv
import importlib.util
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from sirena.domain.organisms import Rank
from sirena.guidelines.eucast.findings import WorkbookStatement
from sirena.guidelines.rows import Statement
from sirena.guidelines.sites import Indication, parse_sites

REPOSITORY = Path(__file__).resolve().parents[4]
Key = tuple[str, Rank, str, frozenset[Indication]]
Figures = tuple[Statement, float | None, float | None]

_KINDS = {
    "DASH": Statement.DASH,
    "IE": Statement.INSUFFICIENT_EVIDENCE,
    "NOTE": Statement.NOTE,
    "NA": Statement.NOT_APPLICABLE,
    "BLOCK": Statement.BLOCK,
}


@dataclass(frozen=True)
class Stated:
    """One statement, of the facts or of a workbook."""

    drug: str
    rank: Rank
    group: str
    indications: frozenset[Indication]
    figures: Figures
    where: str

    @property
    def key(self) -> Key:
        """What makes two statements about the same."""
        return self.drug, self.rank, self.group, self.indications


@dataclass(frozen=True)
class Unlike:
    """Something one side says and the other does not, or says otherwise."""

    drug: str
    group: str
    workbook: Stated | None
    facts: Stated | None
    counterpart: bool
    """The other side says the same figures of the same drug and group, for another indication."""

    @property
    def indications(self) -> frozenset[Indication]:
        """Of either side; they share them where both state something."""
        one = self.workbook or self.facts
        return one.indications if one else frozenset()

    @property
    def kind(self) -> Statement | None:
        """Kind of the workbook's statement, or else of the facts'."""
        one = self.workbook or self.facts
        return one.figures[0] if one else None


@dataclass(frozen=True)
class Reason:
    """Why the two sides differ, and for which statements."""

    text: str
    holds: Callable[[Unlike], bool]


@cache
def _edition_groups() -> ModuleType:
    specification = importlib.util.spec_from_file_location(
        "edition_groups", REPOSITORY / "scripts" / "edition_groups.py"
    )
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def read_facts(folder: Path) -> list[Stated]:
    """Return the facts of EUCAST 2025 on bacteria, groups by our names."""
    stated = []
    for path in (folder / "eucast_2025.csv", folder / "further" / "eucast_2025.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            stated += [_fact(row) for row in csv.DictReader(stream) if "AFST" not in row["source"]]
    return stated


def _fact(row: dict[str, str]) -> Stated:
    first = row["note"].split(":")[0].split(";")[0]
    bracketed = row["bracketed"] == "TRUE"
    kind = Statement.BRACKETED if bracketed else _KINDS.get(first, Statement.BREAKPOINT)
    rank, group = _edition_groups().group_of(row["rank"], row["organism_group"])
    indications = frozenset(parse_sites(row["site"])) - {Indication.UNSPECIFIED}
    return Stated(
        row["ab"],
        rank,
        group,
        indications,
        (kind, _number(row["breakpoint_S"]), _number(row["breakpoint_R"])),
        row["source"],
    )


def _number(text: str) -> float | None:
    return float(text) if text else None


def of_workbook(statements: Iterable[WorkbookStatement]) -> list[Stated]:
    """Return the statements of a workbook in the same form."""
    return [
        Stated(
            row.drug,
            row.rank,
            row.group,
            frozenset(row.indications),
            (row.kind, row.susceptible, row.resistant),
            f"{row.sheet}!{row.row}",
        )
        for row in statements
    ]


def compare(workbook: list[Stated], facts: list[Stated]) -> tuple[int, list[Unlike]]:
    """Return how many statements are equal, and everything that is not."""
    mine = {(row.key, row.figures) for row in workbook}
    theirs = {(row.key, row.figures) for row in facts}
    return len(mine & theirs), list(_unlike(workbook, facts, mine & theirs))


def _unlike(workbook: list[Stated], facts: list[Stated], equal: set[tuple[Key, Figures]]) -> Iterator[Unlike]:
    left = {row.key: row for row in workbook if (row.key, row.figures) not in equal}
    right = {row.key: row for row in facts if (row.key, row.figures) not in equal}
    for key in {**left, **right}:
        one, other = left.get(key), right.get(key)
        others = right if one else left
        row = one or other
        assert row is not None
        counterpart = any(
            (found.drug, found.rank, found.group, found.figures) == (row.drug, row.rank, row.group, row.figures)
            for found in others.values()
        )
        yield Unlike(row.drug, row.group, one, other, counterpart)


def explain(unlike: Iterable[Unlike], reasons: Iterable[Reason]) -> dict[str, int]:
    """Return how often each reason holds.

    Raises:
        AssertionError: a difference has no reason; it is named.
    """
    counts: dict[str, int] = {}
    listed = list(reasons)
    without = []
    for item in unlike:
        reason = next((reason for reason in listed if reason.holds(item)), None)
        if reason is None:
            without.append(item)
        else:
            counts[reason.text] = counts.get(reason.text, 0) + 1
    assert not without, "\n".join(map(str, without))
    return counts
