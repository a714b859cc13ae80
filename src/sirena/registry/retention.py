"""Which model versions are needed, decided from what is known, without asking anybody.

A version is kept when one of these holds; `KeptVersion` names them:

- it was not logged by Sirena: others decide about theirs;
- it carries an alias, or MLflow's stage field says Staging or Production;
- it was in production once, by itself or as member of a release that answered: `audit served` names its evidence;
- it is member of a release that carries an alias, or that was made within so many months;
- another version was made from it;
- it is among the newest of its model;
- it is younger than so many days, so that what is being trained, compared and released is left alone.
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
    """Why a version is kept."""

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
    """How much is kept beyond what is in use."""

    newest: int = 3
    """Versions of each model, the newest."""
    days: float = 30.0
    """Age below which everything is kept."""
    months: float = 24.0
    """Age below which releases that never answered keep their members."""

    def __str__(self) -> str:
        return f"newest {self.newest}, days {self.days:g}, months {self.months:g}"


@dataclass(frozen=True)
class StoredVersion:
    """A model version, as far as the decision needs it."""

    model: str
    number: int
    created: datetime
    """UTC."""
    aliases: frozenset[str] = frozenset()
    stage_field: str = Stage.NONE.value
    was_in_production: bool = False
    ours: bool = True
    source: str = ""
    """What it was made from, as MLflow writes it: ``models:/m-…``, ``models:/modelo_AMK_NM/3`` …"""

    @property
    def reference(self) -> str:
        """``modelo_AMK_NM/3``."""
        return f"{self.model}/{self.number}"


@dataclass(frozen=True)
class StoredRelease:
    """A release, as far as the decision needs it."""

    members: frozenset[str]
    """References of its member versions."""
    created: datetime
    aliases: frozenset[str] = frozenset()
    answered: bool = False
    """Whether it ever was the active one."""


@dataclass(frozen=True)
class Stock:
    """Everything that is there."""

    versions: tuple[StoredVersion, ...]
    releases: tuple[StoredRelease, ...]


def needs(stock: Stock, retention: Retention, now: datetime) -> dict[str, KeptVersion]:
    """Return the first reason to keep each version that has one; what is not in it nothing needs.

    Args:
        stock: what there is.
        retention: how much to keep.
        now: UTC.
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
    found = {}
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
            found[reference] = reason
    return found


def _newest(stock: Stock, count: int) -> set[str]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for version in stock.versions:
        numbers[version.model].append(version.number)
    return {f"{model}/{number}" for model, found in numbers.items() for number in sorted(found)[-count:] if count}
