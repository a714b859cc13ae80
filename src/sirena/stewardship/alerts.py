"""Alerts: isolates that somebody should know about. They are shown next to the isolate and change nothing.

``alerts.csv``, in this module's folder, lists the alerts: resistances, with their place on the WHO Bacterial Priority
Pathogens List of 2024, and results so unusual that the laboratory should check them. Rules, each with a test of like
name:

- intrinsic resistance raises no alert; a field such as MRSA counts like a result;
- each alert says how many isolates of its organisms were tested for it, so that "none" can be told from "not tested";
- multidrug resistance also says for how many isolates too few categories were tested.

There are no alerts of clusters: the published methods (SaTScan's scan statistics, those of R's ``surveillance``) have
no maintained Python library, and a method of our own would not be validated.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from sirena.domain.language import Language
from sirena.domain.organisms import Rank
from sirena.guidelines.tables import parse_rank
from sirena.stewardship.condition import Trigger, parse_trigger
from sirena.stewardship.isolate_facts import IsolateFacts, Mask
from sirena.stewardship.multidrug import Groups, find_multidrug, parse_groups


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: a resistance, an unusual result or multidrug resistance."""

    code: str
    kind: str
    """Kind of the alert: ``resistance``, ``unusual`` (to be checked in the laboratory), ``multidrug``."""
    priority: str
    """Priority on WHO's list of 2024: ``critical``, ``high``, ``medium``; empty if it is not on the list."""
    english: str
    spanish: str
    source: str

    def text(self, language: Language) -> str:
        """Return the text of the alert in a language."""
        return self.spanish if language is Language.SPANISH else self.english


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of ``alerts.csv``: an alert, its organisms and its trigger."""

    alert: Alert
    rank: Rank
    group: str
    exceptions: Groups
    trigger: Trigger


@dataclass(frozen=True, slots=True)
class AlertCount:
    """The number of isolates with an alert. Counts of parts of a file can be added."""

    alert: Alert
    isolates: int
    tested_isolates: int
    """Number of isolates of the alert's organisms with a result or field by which it can be judged."""
    members: int
    """Number of isolates of the alert's organisms."""


@dataclass(frozen=True)
class AlertFinding:
    """The isolates of a file that have one alert."""

    alert: Alert
    rows: Mask
    tested_isolates: int
    """Number of isolates of the alert's organisms with a result or field by which it can be judged."""
    members: int
    """Number of isolates of the alert's organisms."""
    trigger: Trigger = ()

    @property
    def count(self) -> int:
        """Number of isolates with the alert."""
        return int(self.rows.sum())

    @property
    def alert_count(self) -> AlertCount:
        """The counts of the finding, without its rows."""
        return AlertCount(self.alert, self.count, self.tested_isolates, self.members)


_MAGIORAKOS: Final = "Magiorakos et al. 2012"
_MDR: Final = Alert(
    "MDR",
    "multidrug",
    "",
    "multidrug-resistant: not susceptible in three categories or more, without resistance by nature",
    "multirresistente: no sensible en tres categorías o más, sin contar la resistencia intrínseca",
    _MAGIORAKOS,
)
_XDR: Final = Alert(
    "XDR?",
    "multidrug",
    "",
    "possibly extensively resistant: all tested categories but two at most",
    "posible resistencia extensa: todas las categorías probadas salvo dos como máximo",
    _MAGIORAKOS,
)
_TOO_FEW: Final = Alert(
    "MDR-UNKNOWN",
    "multidrug",
    "",
    "multidrug resistance cannot be told: fewer than half of the categories were tested",
    "no se puede saber si es multirresistente: se probó menos de la mitad de las categorías",
    _MAGIORAKOS,
)
_MULTIDRUG: Final = (_MDR, _XDR, _TOO_FEW)


@cache
def _table() -> tuple[_Row, ...]:
    with Path(__file__).with_name("alerts.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(
            _Row(
                Alert(row["alert"], row["kind"], row["priority"], row["english"], row["spanish"], row["source"]),
                parse_rank(row["rank"]),
                row["group"],
                parse_groups(row["except"]),
                parse_trigger(row["trigger"]),
            )
            for row in csv.DictReader(stream)
        )


def find_alerts(facts: IsolateFacts) -> tuple[AlertFinding, ...]:
    """Return the findings of every alert in the rows of a file.

    Returns:
        One finding, perhaps without isolates, for each alert whose organisms are in the file, in the order of the
        table; then those of multidrug resistance.
    """
    findings = []
    for row in _table():
        members = facts.members(row.rank, row.group, row.exceptions)
        if members.any():
            tested_isolates = int((members & facts.could_tell(row.trigger)).sum())
            holds = members & facts.holds(row.trigger)
            findings.append(AlertFinding(row.alert, holds, tested_isolates, int(members.sum()), row.trigger))
    multidrug = find_multidrug(facts)
    covered_isolates = int(multidrug.is_covered.sum())
    if covered_isolates:
        judged_isolates = covered_isolates - int(multidrug.too_few.sum())
        findings += [
            AlertFinding(_MDR, multidrug.resistant, judged_isolates, covered_isolates),
            AlertFinding(_XDR, multidrug.possibly_extensive, judged_isolates, covered_isolates),
            AlertFinding(_TOO_FEW, multidrug.too_few, covered_isolates, covered_isolates),
        ]
    return tuple(findings)


def added_alerts(parts: Iterable[Iterable[AlertCount]]) -> tuple[AlertCount, ...]:
    """Add up the alert counts of the parts of a file; they are in the order of `find_alerts`."""
    by_alert: dict[Alert, list[AlertCount]] = {alert: [] for alert in (*(row.alert for row in _table()), *_MULTIDRUG)}
    for part in parts:
        for count in part:
            by_alert[count.alert].append(count)
    return tuple(
        AlertCount(
            alert,
            sum(count.isolates for count in counts),
            sum(count.tested_isolates for count in counts),
            sum(count.members for count in counts),
        )
        for alert, counts in by_alert.items()
        if counts
    )


def reasons_of(facts: IsolateFacts, finding: AlertFinding, rows: Iterable[int]) -> list[str]:
    """Return, for some rows of a finding, the results and fields that raised the alert: ``MEM_NM=R; CARBAPENEM=+``."""
    mask_of_reason: dict[str, Mask] = {}
    for condition in (condition for alternative in finding.trigger for condition in alternative):
        if condition.state.is_of_a_field:
            mask_of_reason |= {
                f"{field}={condition.state}": facts.field_shows(field, condition.state) for field in condition.subjects
            }
        else:
            mask_of_reason |= {
                f"{test.header}={condition.state}": test.shows(condition.state)
                for test in facts.tests_of(condition.subjects)
            }
    return ["; ".join(name for name, mask in mask_of_reason.items() if mask[row]) for row in rows]
