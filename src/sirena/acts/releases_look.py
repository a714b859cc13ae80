"""Releases, for a person who decides on them: which release answers, since when, who decided that, what is new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sirena.acts.judged import AnsweringLook, AnsweringPeriod, read_answering, standing
from sirena.domain.errors import SirenaError
from sirena.panel.compiled import Panel
from sirena.registry.connection import Registry
from sirena.registry.judging import RegisteredJudge
from sirena.registry.release_ranges import RangeChange, range_changes
from sirena.registry.releases import Member, Release, find_release, list_releases, read_release_document
from sirena.registry.versions import Stage, find_version


@dataclass(frozen=True)
class ReleaseGlance:
    """A release, as a line of the list shows it."""

    release: Release
    is_active: bool
    """True when the release answers, by the ledger, or behind an entry by MLflow."""
    doubt: str
    """Text that `sirena release list` shows if MLflow and the ledger disagree; empty if they agree."""
    is_rollback: bool
    """True when a rollback would return to this release."""
    periods: Sequence[AnsweringPeriod]
    """Periods in which the release answered, newest first."""


@dataclass(frozen=True)
class MemberChange:
    """A test column whose model version differs between two releases."""

    column: str
    before: str
    """Version in the other release, ``modelo_AMK_NM/1``; empty if that release has none."""
    after: str


@dataclass(frozen=True)
class ReleaseLook:
    """A release in detail, compared with another."""

    glance: ReleaseGlance
    members: Sequence[Member]
    former: Release | None
    """The release with which it is compared; None if there is no other release."""
    changed_members: Sequence[MemberChange]
    """Test columns with another model version."""
    changes: Sequence[RangeChange]
    """Answers that differ from those of the other release, the gravest first."""
    others: Sequence[Release]
    """All other releases, newest first."""

    @property
    def answers(self) -> int:
        """Number of answers that differ between the two releases."""
        return sum(change.answers for change in self.changes)


@dataclass(frozen=True)
class RefusedMember:
    """A model version in a release: the gate refuses it, with the reasons, or cannot judge it, with the error."""

    member: Member
    findings: Sequence[tuple[str, str, str]]
    """Criterion, value found, value required."""
    refusal: SirenaError | None = None


def look_at_releases(registry: Registry) -> list[ReleaseGlance]:
    """Return all releases, newest first.

    Raises:
        SirenaError: MLflow does not answer, or the ledger is not as it was written.
    """
    releases = list_releases(registry)
    answering_look = read_answering(registry) if releases else AnsweringLook("", "", ())
    return [_glance(release, answering_look) for release in reversed(releases)]


def look_at_release(registry: Registry, name: str, against: str = "") -> ReleaseLook:
    """Return a release in detail, compared with another.

    Args:
        registry: registry of the releases.
        name: name of the release.
        against: name of the release to compare with; empty means the active release, or else the one before.

    Raises:
        UsageError: there is no such release.
        SirenaError: a release's file cannot be read.
    """
    release = find_release(registry, name)
    glances = look_at_releases(registry)
    glance = next(candidate for candidate in glances if candidate.release.version == release.version)
    others = [candidate.release for candidate in glances if candidate.release.version != release.version]
    former = find_release(registry, against) if against else _former(release, glances)
    document = read_release_document(registry, release)
    changes: list[RangeChange] = []
    if former is not None:
        old = Panel.of_release(read_release_document(registry, former), former.name)
        changes = range_changes(old, Panel.of_release(document, release.name))
    return ReleaseLook(
        glance,
        [Member(**facts) for facts in document["members"].values()],
        former,
        changed_members(former.members if former else {}, release.members),
        changes,
        others,
    )


def changed_members(before: Mapping[str, str], after: Mapping[str, str]) -> list[MemberChange]:
    """Return the test columns whose model version differs, in the order of their names.

    >>> changed_members({"AMK_NM": "modelo_AMK_NM/1"}, {"AMK_NM": "modelo_AMK_NM/2"})[0].after
    'modelo_AMK_NM/2'
    """
    columns = sorted({*before, *after})
    pairs = ((column, before.get(column, ""), after.get(column, "")) for column in columns)
    return [MemberChange(*pair) for pair in pairs if pair[1] != pair[2]]


def judge_members(judge: RegisteredJudge, release: Release) -> list[RefusedMember]:
    """Return the members of a release that the gate would refuse; nothing is decided.

    Raises:
        SirenaError: the release cannot be read.
    """
    document = read_release_document(judge.registry, release)
    refusals = []
    for member in (Member(**facts) for facts in document["members"].values()):
        try:
            verdict = judge.judge(find_version(judge.registry, member.reference), Stage.PRODUCTION)
        except SirenaError as refusal:
            refusals.append(RefusedMember(member, (), refusal))
            continue
        if not verdict.meets_all_criteria:
            findings = [(finding.criterion, finding.measurement, finding.expectation) for finding in verdict.refusals]
            refusals.append(RefusedMember(member, findings))
    return refusals


def _glance(release: Release, answering_look: AnsweringLook) -> ReleaseGlance:
    active_release, mark = answering_look.active, standing(release, answering_look.active)
    is_active = release.name == active_release or (active_release is None and release.active)
    own = [period for period in reversed(answering_look.periods) if period.release == release.name]
    doubt = "" if mark in ("", "active") else mark
    return ReleaseGlance(release, is_active, doubt, release.name == answering_look.rollback, own)


def _former(release: Release, glances: Sequence[ReleaseGlance]) -> Release | None:
    others = [glance for glance in glances if glance.release.version != release.version]
    active_ones = [glance.release for glance in others if glance.is_active]
    before = [glance.release for glance in others if glance.release.version < release.version]
    return next(iter([*active_ones, *before]), None)
