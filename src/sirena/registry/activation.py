"""Which release answers: activate, roll back, and what was served when.

The active release is the one that carries the alias ``production``. MLflow moves an alias in one write, so every
reader sees the old release or the new one. Around that write stands a history entry on the registered model:
announced before, confirmed after. An entry left unconfirmed by a crash is true exactly when the alias says so.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sirena.certification.gate import Verdict
from sirena.domain.errors import GateError, UsageError
from sirena.registry.connection import Registry, speaks_to_mlflow
from sirena.registry.history import Entry, now, read_history, record
from sirena.registry.releases import RELEASE_MODEL, Member, Release, find_release, release_members
from sirena.registry.stages import place
from sirena.registry.versions import Stage

Judge = Callable[[Member], Verdict]
"""The gate: says whether a member may answer for patients."""

_ACTIVATE = "activate"
_ROLLBACK = "rollback"


@dataclass(frozen=True)
class Activation:
    """What a switch did."""

    release: Release
    previous: int | None
    """Release that was active before."""
    changed: bool


@dataclass(frozen=True)
class ServedPeriod:
    """A time in which one release was the active one."""

    release: int
    since: str
    """UTC, ISO 8601."""
    until: str | None
    """None while it still is."""
    by: str
    action: str
    """``activate`` or ``rollback``."""
    override: str


@speaks_to_mlflow
def activate(registry: Registry, release: Release, *, approver: str, judge: Judge, override: str = "") -> Activation:
    """Make a release the one that answers, if every member passes the gate.

    Args:
        registry: where.
        release: from `find_release`.
        approver: who decides.
        judge: the gate.
        override: reason to activate although members are refused; goes on record.

    Raises:
        GateError: members are refused, all of them named; or the author of one would override the gate himself.
            Nothing was changed.
    """
    refused: dict[str, list[str]] = {}
    for member in release_members(registry, release):
        verdict = judge(member)
        if override.strip():
            verdict = verdict.override(approver, override)
        if not verdict.passed:
            refused[member.reference] = [str(finding) for finding in verdict.refusals]
    if refused and not override.strip():
        told = "\n".join(f"  - {reference}: {'; '.join(findings)}" for reference, findings in refused.items())
        raise GateError(
            f"{release.name} may not be activated, {len(refused)} of {len(release.members)} members are refused:\n"
            f"{told}",
            hint="replace these members; a person with the right may override with a reason, on record",
        )
    outcome = {"passed": not refused, "members": len(release.members), "refused": refused}
    return _switch(registry, release, _ACTIVATE, approver, override if refused else "", outcome)


@speaks_to_mlflow
def roll_back(registry: Registry, *, approver: str) -> Activation:
    """Make the release active again that the active one replaced.

    Repeating it goes further back. It asks no gate: the release passed when it was activated, and whoever rolls
    back is in a hurry.

    Raises:
        UsageError: nothing is active, or nothing was before it.
    """
    current = find_release(registry, "active")
    history = _confirmed(registry, current.version)
    arrivals = [entry for entry in history if entry.action == _ACTIVATE and _number(entry) == current.version]
    target = arrivals[-1].previous if arrivals else None
    if target is None:
        raise UsageError(
            f"no release was active before {current.name}", hint="activate one with `sirena release activate NAME`"
        )
    return _switch(registry, find_release(registry, str(target)), _ROLLBACK, approver, "", {})


@speaks_to_mlflow
def served_periods(registry: Registry) -> list[ServedPeriod]:
    """Return what was served when, oldest first."""
    active = _active(registry)
    history = _confirmed(registry, active)
    ends = [*(entry.at for entry in history[1:]), None][: len(history)]
    return [
        ServedPeriod(_number(entry), entry.at, until, entry.by, entry.action, entry.override)
        for entry, until in zip(history, ends, strict=True)
    ]


def _switch(
    registry: Registry, release: Release, action: str, approver: str, override: str, outcome: dict[str, Any]
) -> Activation:
    previous = _active(registry)
    _settle(registry, previous)
    if previous == release.version:
        place(registry, release.source, Stage.PRODUCTION)
        return Activation(find_release(registry, str(release.version)), None, changed=False)
    announced = record(
        registry,
        RELEASE_MODEL,
        Entry(
            action=action,
            subject=release.name,
            stage=Stage.PRODUCTION.value,
            by=approver,
            at=now(),
            previous=previous,
            evidence=release.digest,
            override=override,
            verdict=outcome,
            done=False,
        ),
    )
    place(registry, release.source, Stage.PRODUCTION)
    record(registry, RELEASE_MODEL, replace(announced, done=True))
    return Activation(find_release(registry, str(release.version)), previous, changed=True)


def _settle(registry: Registry, active: int | None) -> None:
    """Confirm a switch that was announced and made, but whose process died before it could say so."""
    for entry in _confirmed(registry, active):
        if not entry.done:
            record(registry, RELEASE_MODEL, replace(entry, done=True))


def _active(registry: Registry) -> int | None:
    number = registry.models.get_registered_model(RELEASE_MODEL).aliases.get(Stage.PRODUCTION.alias)
    return int(number) if number is not None else None


def _confirmed(registry: Registry, active: int | None) -> list[Entry]:
    """Return the switches that happened: confirmed ones, and a last announced one if the alias bears it out."""
    entries = read_history(registry.models.get_registered_model(RELEASE_MODEL).tags)
    return [
        entry
        for position, entry in enumerate(entries)
        if entry.done or (position == len(entries) - 1 and _number(entry) == active)
    ]


def _number(entry: Entry) -> int:
    return int(entry.subject.rpartition("/")[2])
