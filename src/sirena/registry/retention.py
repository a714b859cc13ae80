"""The decision which model versions are needed, from facts about them alone, without access to the registry.

A version is kept if one of these holds (`KeptVersion` names them):

- it was not logged by Sirena: its makers decide about it;
- it has an alias, or MLflow's stage field is Staging or Production;
- it was in production once, by itself or as member of a release that was active: `audit served` refers to its evidence;
- it is a member of a release that has an alias, or that was made within a number of months;
- another version was made from it;
- it is among the newest of its model;
- it is younger than a number of days, and may still be in use for training, comparing or releasing.
"""

import enum
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sirena.registry.versions import Stage

_MONTH: Final = timedelta(days=30.44)
_STAGED: Final = (Stage.STAGING.value, Stage.PRODUCTION.value)


class KeptVersion(enum.StrEnum):
    """The reason for keeping a version."""

    STRANGER = "not Sirena's"
    ALIAS = "alias"
    STAGE = "stage"
    SERVED = "was in production"
    RELEASE = "release"
    SOURCE = "source of another"
    NEWEST = "newest"
    YOUNG = "young"


@dataclass(frozen=True)
class Retention:
    """What is kept in addition to the versions in use."""

    newest: int = 3
    """Number of newest versions of each model that are kept."""
    days: float = 30.0
    """Age in days below which every version is kept."""
    months: float = 24.0
    """Age in months below which releases that were never active keep their members."""

    def __str__(self) -> str:
        return f"newest {self.newest}, days {self.days:g}, months {self.months:g}"


@dataclass(frozen=True)
class StoredVersion:
    """The facts of a model version that the decision needs."""

    model: str
    number: int
    created: datetime
    """Time of creation in UTC."""
    aliases: frozenset[str] = frozenset()
    stage_field: str = Stage.NONE.value
    was_in_production: bool = False
    ours: bool = True
    source: str = ""
    """Source that it was made from, as MLflow writes it: ``models:/m-…``, ``models:/modelo_AMK_NM/3`` …"""

    @property
    def reference(self) -> str:
        """Name of the version, ``modelo_AMK_NM/3``."""
        return f"{self.model}/{self.number}"


@dataclass(frozen=True)
class StoredRelease:
    """The facts of a release that the decision needs."""

    members: frozenset[str]
    """Names of its member versions."""
    created: datetime
    aliases: frozenset[str] = frozenset()
    answered: bool = False
    """True if it was ever the active release."""


@dataclass(frozen=True)
class Stock:
    """All versions and releases of a registry."""

    versions: tuple[StoredVersion, ...]
    releases: tuple[StoredRelease, ...]


def needs(stock: Stock, retention: Retention, now: datetime) -> dict[str, KeptVersion]:
    """Return, for each needed version, the first reason to keep it; versions without an entry are unneeded.

    Args:
        stock: all versions and releases.
        retention: what to keep in addition to versions in use.
        now: current time in UTC.
    """
    served = {member for release in stock.releases if release.answered for member in release.members}
    released = {
        member
        for release in stock.releases
        if release.aliases or now - release.created < retention.months * _MONTH
        for member in release.members
    }
    sources = {version.source.removeprefix("models:/") for version in stock.versions}
    newest = _newest(stock, retention.newest)
    reason_by_reference = {}
    for version in stock.versions:
        reference = version.reference
        reasons = (
            (KeptVersion.STRANGER, not version.ours),
            (KeptVersion.ALIAS, bool(version.aliases)),
            (KeptVersion.STAGE, version.stage_field in _STAGED),
            (KeptVersion.SERVED, version.was_in_production or reference in served),
            (KeptVersion.RELEASE, reference in released),
            (KeptVersion.SOURCE, reference in sources),
            (KeptVersion.NEWEST, reference in newest),
            (KeptVersion.YOUNG, now - version.created < timedelta(days=retention.days)),
        )
        reason = next((need for need, holds in reasons if holds), None)
        if reason is not None:
            reason_by_reference[reference] = reason
    return reason_by_reference


def _newest(stock: Stock, count: int) -> set[str]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for version in stock.versions:
        numbers[version.model].append(version.number)
    return {
        f"{model}/{number}"
        for model, model_numbers in numbers.items()
        for number in sorted(model_numbers)[-count:]
        if count
    }
