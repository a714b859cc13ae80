"""The active release: activating one, rolling back, and which release was served when.

The active release is the one that carries the alias ``production``. MLflow moves an alias in one write, so every
reader sees the old release or the new one. A history record on the registered model is announced before that write and
confirmed after it. A record that a crash left unconfirmed is valid if the alias agrees with it.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from sirena.certification.gate import Verdict
from sirena.domain.errors import GateError, SirenaError, UsageError
from sirena.registry.connection import MODELS_AT_ONCE, Registry, RegistryRefusedError, speaks_to_mlflow
from sirena.registry.history import RecordedDecision, now, read_history, record
from sirena.registry.releases import RELEASE_MODEL, SHADOW_ALIAS, Member, Release, find_release, release_members
from sirena.registry.stages import place
from sirena.registry.versions import IntegrityError, Stage

Judge = Callable[[Member], Verdict]
"""The gate as a function: returns its verdict on a release's member; called from several threads."""

ACTIVATE = "activate"
ROLLBACK = "rollback"


@dataclass(frozen=True)
class Activation:
    """The result of activating a release or rolling back."""

    release: Release
    previous: int | None
    """Number of the release that was active before; None if there was none."""
    changed: bool


@dataclass(frozen=True)
class ServedPeriod:
    """A period in which one release was active."""

    release: int
    since: str
    """Beginning in UTC, ISO 8601."""
    until: str | None
    """End in UTC, ISO 8601; None if the release is still active."""
    by: str
    action: str
    """Action that began it: ``activate`` or ``rollback``."""
    override: str


@speaks_to_mlflow
def activate(
    registry: Registry,
    release: Release,
    *,
    approver: str,
    judge: Judge,
    override: str = "",
    announce_switch: Callable[[], None] = lambda: None,
) -> Activation:
    """Make a release the active one, if every member passes the gate.

    Args:
        registry: registry of the release.
        release: release from `find_release`.
        approver: account that decides.
        judge: the gate.
        override: reason to activate although members are refused; it is recorded.
        announce_switch: called after the gate has passed the release, before anything is changed.

    Raises:
        GateError: members are refused, all of them named; or the author of one would override the gate. Nothing was
            changed.
    """
    refusals = judge_release(registry, release, approver=approver, judge=judge, override=override)
    outcome = activation_record(release, refusals)
    announce_switch()
    return _switch(registry, release, ACTIVATE, approver, override if refusals else "", outcome)


def judge_release(
    registry: Registry, release: Release, *, approver: str, judge: Judge, override: str = ""
) -> dict[str, list[str]]:
    """Judge every member of a release by the gate; return the findings of the refused members, by the member's name.

    Raises:
        GateError: a member is refused and no override is given, or it cannot be judged (see `activate`).
    """
    refusals: dict[str, list[str]] = {}
    damages: dict[str, list[str]] = {}
    for member, verdict in _verdicts(release_members(registry, release), judge):
        if not isinstance(verdict, Verdict):
            # a version that cannot be judged: all of them are named, and no override makes them whole
            damages[member.reference] = [verdict.text]
            continue
        if override.strip():
            verdict = verdict.override(approver, override)
        if not verdict.meets_all_criteria:
            refusals[member.reference] = [str(finding) for finding in verdict.refusals]
    if damages or (refusals and not override.strip()):
        refusals |= damages
        listed_refusals = "\n".join(
            f"  - {reference}: {'; '.join(findings)}" for reference, findings in refusals.items()
        )
        raise GateError(
            f"{release.name} may not be activated, {len(refusals)} of {len(release.members)} members are refused:\n"
            f"{listed_refusals}",
            hint="replace these members; a person with the right may override with a reason, on record",
        )
    return refusals


def _verdicts(members: Sequence[Member], judge: Judge) -> list[tuple[Member, Verdict | SirenaError]]:
    """Return each member, in order, with its verdict, or with why it has none; several are judged at once."""

    def ask(member: Member) -> Verdict | SirenaError:
        try:
            return judge(member)
        except RegistryRefusedError:
            raise
        except (GateError, IntegrityError, UsageError) as error:
            return error

    with ThreadPoolExecutor(MODELS_AT_ONCE, thread_name_prefix="judge") as pool:
        return list(zip(members, pool.map(ask, members), strict=True))


def activation_record(release: Release, refusals: dict[str, list[str]]) -> dict[str, Any]:
    """Return the gate's result of an activation in the form that the history keeps."""
    return {"passed": not refusals, "members": len(release.members), "refused": refusals}


@speaks_to_mlflow
def roll_back(registry: Registry, *, approver: str, to: Release | None = None) -> Activation:
    """Make the release active again that the present one replaced.

    Repeating it goes further back. The gate is not applied: the release passed when it was activated, and a rollback is
    urgent.

    Args:
        registry: registry of the releases.
        approver: account that decides.
        to: the release to return to, as the ledger records it; None to find it in MLflow's history.

    Raises:
        UsageError: no release is active, or none was active before it.
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
    """Return the release that the active one replaced, which a rollback makes active; None if there was none."""
    history = _confirmed_decisions(registry, active)
    arrivals = [entry for entry in history if entry.action == ACTIVATE and _number(entry) == active]
    return arrivals[-1].previous if arrivals else None


@speaks_to_mlflow
def served_periods(registry: Registry) -> list[ServedPeriod]:
    """Return the periods in which releases were active, the oldest first."""
    active = active_version(registry)
    history = _confirmed_decisions(registry, active)
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
        decision = announce(registry, release, action, approver, override, outcome)
        place(registry, release.source, Stage.PRODUCTION)
        confirm(registry, decision)
    return Activation(find_release(registry, str(release.version)), previous, changed=True)


def announce(
    registry: Registry, release: Release, action: str, approver: str, override: str, outcome: dict[str, Any]
) -> RecordedDecision:
    """Record that a release is about to become active; `confirm` records that it did."""
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


def confirm(registry: Registry, decision: RecordedDecision) -> None:
    """Record that an announced switch happened; if the shadow became active, take its alias away."""
    if shadow_version(registry) == _number(decision):
        registry.models.delete_registered_model_alias(RELEASE_MODEL, SHADOW_ALIAS)
    record(registry, RELEASE_MODEL, replace(decision, done=True))


def _settle(registry: Registry, active: int | None) -> None:
    """Confirm a switch that was announced and made, but whose process died before confirming it."""
    if registry.signed_in_as:
        return
    for entry in _confirmed_decisions(registry, active):
        if not entry.done:
            record(registry, RELEASE_MODEL, replace(entry, done=True))


def active_version(registry: Registry) -> int | None:
    """Return the number of the active release; None if there is none."""
    return _version_at(registry, Stage.PRODUCTION.alias)


def shadow_version(registry: Registry) -> int | None:
    """Return the number of the release with MLflow's alias ``shadow``; None if there is none."""
    return _version_at(registry, SHADOW_ALIAS)


def _version_at(registry: Registry, alias: str | None) -> int | None:
    number = registry.models.get_registered_model(RELEASE_MODEL).aliases.get(alias)
    return int(number) if number is not None else None


def _confirmed_decisions(registry: Registry, active: int | None) -> list[RecordedDecision]:
    """Return the switches that happened: confirmed ones, and an announced last one if the alias agrees with it."""
    entries = read_history(registry.models.get_registered_model(RELEASE_MODEL).tags)
    return [
        entry
        for position, entry in enumerate(entries)
        if entry.done or (position == len(entries) - 1 and _number(entry) == active)
    ]


def _number(entry: RecordedDecision) -> int:
    return int(entry.subject.rpartition("/")[2])
