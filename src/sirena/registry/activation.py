"""Which release answers: activate, roll back, and what was served when.

The active release is the one that carries the alias ``production``. MLflow moves an alias in one write, so every
reader sees the old release or the new one. Around that write stands a history entry on the registered model:
announced before, confirmed after. An entry left unconfirmed by a crash is true exactly when the alias says so.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

from sirena.certification.gate import Verdict
from sirena.domain.errors import GateError, SirenaError, UsageError
from sirena.registry.connection import Registry, RegistryRefusedError, speaks_to_mlflow
from sirena.registry.history import RecordedDecision, now, read_history, record
from sirena.registry.releases import RELEASE_MODEL, Member, Release, find_release, release_members
from sirena.registry.stages import place
from sirena.registry.versions import IntegrityError, Stage

Judge = Callable[[Member], Verdict]
"""The gate: says whether a member may answer for patients; asked from several threads."""
_AT_ONCE: Final = 4

ACTIVATE = "activate"
ROLLBACK = "rollback"


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
def activate(
    registry: Registry,
    release: Release,
    *,
    approver: str,
    judge: Judge,
    override: str = "",
    agreed: Callable[[], None] = lambda: None,
) -> Activation:
    """Make a release the one that answers, if every member passes the gate.

    Args:
        registry: where.
        release: from `find_release`.
        approver: who decides.
        judge: the gate.
        override: reason to activate although members are refused; goes on record.
        agreed: called when the gate has agreed, before anything is changed.

    Raises:
        GateError: members are refused, all of them named; or the author of one would override the gate himself.
            Nothing was changed.
    """
    refused = judge_release(registry, release, approver=approver, judge=judge, override=override)
    outcome = activation_record(release, refused)
    agreed()
    return _switch(registry, release, ACTIVATE, approver, override if refused else "", outcome)


def judge_release(
    registry: Registry, release: Release, *, approver: str, judge: Judge, override: str = ""
) -> dict[str, list[str]]:
    """Ask the gate about every member; return the findings by refused member, which only an override leaves any.

    Raises:
        GateError: as `activate`.
    """
    refused: dict[str, list[str]] = {}
    damaged: dict[str, list[str]] = {}
    for member, verdict in _judged(release_members(registry, release), judge):
        if not isinstance(verdict, Verdict):
            # a version that cannot be judged: all of them are named, and no override makes them whole
            damaged[member.reference] = [verdict.text]
            continue
        if override.strip():
            verdict = verdict.override(approver, override)
        if not verdict.passed:
            refused[member.reference] = [str(finding) for finding in verdict.refusals]
    if damaged or (refused and not override.strip()):
        refused |= damaged
        told = "\n".join(f"  - {reference}: {'; '.join(findings)}" for reference, findings in refused.items())
        raise GateError(
            f"{release.name} may not be activated, {len(refused)} of {len(release.members)} members are refused:\n"
            f"{told}",
            hint="replace these members; a person with the right may override with a reason, on record",
        )
    return refused


def _judged(members: Sequence[Member], judge: Judge) -> Iterator[tuple[Member, Verdict | SirenaError]]:
    """Yield each member, in order, with its verdict, or with why it has none; several are judged at once."""

    def ask(member: Member) -> Verdict | SirenaError:
        try:
            return judge(member)
        except RegistryRefusedError:
            raise
        except (GateError, IntegrityError, UsageError) as error:
            return error

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="judge") as pool:
        try:
            yield from zip(members, pool.map(ask, members), strict=True)
        finally:
            pool.shutdown(cancel_futures=True)


def activation_record(release: Release, refused: dict[str, list[str]]) -> dict[str, Any]:
    """Return what the gate said of an activation, as history keeps it."""
    return {"passed": not refused, "members": len(release.members), "refused": refused}


@speaks_to_mlflow
def roll_back(registry: Registry, *, approver: str, to: Release | None = None) -> Activation:
    """Make the release active again that the active one replaced.

    Repeating it goes further back. It asks no gate: the release passed when it was activated, and whoever rolls
    back is in a hurry.

    Args:
        registry: where.
        approver: who decides.
        to: the release, by the ledger; None behind an entry, which knows it itself: by MLflow's history.

    Raises:
        UsageError: nothing is active, or nothing was before it.
    """
    if to is not None:
        return _switch(registry, to, ROLLBACK, approver, "", {})
    current = find_release(registry, "active")
    target = replaced_by(registry, current.version)
    if target is None:
        raise UsageError(
            f"no release was active before {current.name}", hint="activate one with `sirena release activate NAME`"
        )
    return _switch(registry, find_release(registry, str(target)), ROLLBACK, approver, "", {})


def replaced_by(registry: Registry, active: int) -> int | None:
    """Return the release that the active one replaced, to which a rollback returns; None when there was none."""
    history = _confirmed(registry, active)
    arrivals = [entry for entry in history if entry.action == ACTIVATE and _number(entry) == active]
    return arrivals[-1].previous if arrivals else None


@speaks_to_mlflow
def served_periods(registry: Registry) -> list[ServedPeriod]:
    """Return what was served when, oldest first."""
    active = active_version(registry)
    history = _confirmed(registry, active)
    ends = [*(entry.at for entry in history[1:]), None][: len(history)]
    return [
        ServedPeriod(_number(entry), entry.at, until, entry.by, entry.action, entry.override)
        for entry, until in zip(history, ends, strict=True)
    ]


def _switch(
    registry: Registry, release: Release, action: str, approver: str, override: str, outcome: dict[str, Any]
) -> Activation:
    previous = active_version(registry)
    if previous == release.version:
        _settle(registry, previous)
        place(registry, release.source, Stage.PRODUCTION)
        return Activation(find_release(registry, str(release.version)), None, changed=False)
    if registry.signed_in_as:
        # the entry judges the switch itself and keeps its history
        place(registry, release.source, Stage.PRODUCTION, override=override)
    else:
        announced = announce(registry, release, action, approver, override, outcome)
        place(registry, release.source, Stage.PRODUCTION)
        confirm(registry, announced)
    return Activation(find_release(registry, str(release.version)), previous, changed=True)


def announce(
    registry: Registry, release: Release, action: str, approver: str, override: str, outcome: dict[str, Any]
) -> RecordedDecision:
    """Put on record that a release is about to become the active one; `confirm` says that it did."""
    previous = active_version(registry)
    _settle(registry, previous)
    entry = RecordedDecision(
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
    )
    return record(registry, RELEASE_MODEL, entry)


def confirm(registry: Registry, announced: RecordedDecision) -> None:
    """Put on record that an announced switch happened."""
    record(registry, RELEASE_MODEL, replace(announced, done=True))


def _settle(registry: Registry, active: int | None) -> None:
    """Confirm a switch that was announced and made, but whose process died before it could say so."""
    if registry.signed_in_as:
        return
    for entry in _confirmed(registry, active):
        if not entry.done:
            record(registry, RELEASE_MODEL, replace(entry, done=True))


def active_version(registry: Registry) -> int | None:
    """Return the number of the release that answers; None when none does."""
    number = registry.models.get_registered_model(RELEASE_MODEL).aliases.get(Stage.PRODUCTION.alias)
    return int(number) if number is not None else None


def _confirmed(registry: Registry, active: int | None) -> list[RecordedDecision]:
    """Return the switches that happened: confirmed ones, and a last announced one if the alias bears it out."""
    entries = read_history(registry.models.get_registered_model(RELEASE_MODEL).tags)
    return [
        entry
        for position, entry in enumerate(entries)
        if entry.done or (position == len(entries) - 1 and _number(entry) == active)
    ]


def _number(entry: RecordedDecision) -> int:
    return int(entry.subject.rpartition("/")[2])
