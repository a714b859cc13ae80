"""Each rule on tags, without MLflow."""

import pytest

from sirena.access.actions import Action
from sirena.access.errors import ForbiddenError
from sirena.access.tag_rules import VersionState, deleting_needs, is_ours, writing_needs

CERTIFICATE = "certificates/clsi-2025-0123456789ab.json"
FRESH = VersionState(
    "3", frozenset(), "None", {"sirena.author": "ana", "sirena.sha256.x": "a", f"sirena.sha256.{CERTIFICATE}": "b"}
)
STAGED = VersionState("3", frozenset({"Staging"}), "Staging", FRESH.tags)
DECIDED = VersionState("3", frozenset(), "Archived", {**FRESH.tags, "sirena.history.1": "{}"})


def needed(key: str, value: str = "v", state: VersionState | None = FRESH, who: str = "ana") -> set[Action]:
    """Return the right that somebody needs to write a version's tag."""
    return set(writing_needs(key, value, state, who, of_version=True))


def test_a_tag_that_is_not_ours_is_a_description() -> None:
    """Whoever may register may write and delete it."""
    assert needed("note", who="carl") == set(deleting_needs("note")) == {Action.REGISTER}


@pytest.mark.parametrize("key", ["sirena.history.1", "sirena.made_by", "Sirena.author", " sirena.digest"])
def test_decisions_and_makers_are_written_by_the_entry_alone(key: str) -> None:
    """Nor by a tag that looks like one of ours."""
    assert is_ours(key)
    with pytest.raises(ForbiddenError):
        needed(key)


def test_facts_written_with_a_version_are_not_written_again() -> None:
    """The same value again is harmless; another, and an author at any time, is refused."""
    assert needed("sirena.sha256.x", "a", who="carl") == {Action.REGISTER}
    for key, state in [("sirena.sha256.x", FRESH), ("sirena.author", FRESH), ("sirena.author", None)]:
        with pytest.raises(ForbiddenError):
            needed(key, "other", state)


@pytest.mark.parametrize("key", ["sirena.history.1", "sirena.sha256.x", "sirena.note", "SIRENA.author"])
def test_tags_of_ours_are_not_deleted(key: str) -> None:
    """Whatever right somebody has."""
    with pytest.raises(ForbiddenError):
        deleting_needs(key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sirena.certificate", CERTIFICATE),
        ("sirena.edition", "CLSI 2025"),
        ("sirena.sha256.certificates/new.json", "v"),
    ],
)
def test_a_later_certificate_is_put_in_force_by_author_or_approver(key: str, value: str) -> None:
    """Before and after the version has a stage."""
    for state in (FRESH, STAGED, DECIDED):
        assert needed(key, value, state=state) == {Action.REGISTER}
        assert needed(key, value, state=state, who="carl") == {Action.PROMOTE_PRODUCTION}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sirena.certificate", "evil"),
        ("sirena.certificate", "certificates/eucast-2025-0123456789ab.json"),
        ("sirena.certificate", "x"),
        ("sirena.edition", "EUCAST 2025"),
        ("sirena.edition", "CLSI"),
        ("sirena.edition", "CLSI 20"),
        ("sirena.edition", ""),
    ],
)
def test_only_a_certificate_that_is_kept_is_put_in_force_and_only_its_edition_is_told(key: str, value: str) -> None:
    """One such tag blocked every activation, and told clinicians another guideline."""
    for who in ("ana", "carl"):
        with pytest.raises(ForbiddenError):
            needed(key, value, who=who)


def test_other_tags_of_ours_are_the_authors_until_the_version_is_judged() -> None:
    """What the gate has seen stays."""
    assert needed("sirena.note") == {Action.REGISTER}
    for state, who in [(FRESH, "carl"), (STAGED, "ana"), (DECIDED, "ana"), (None, "ana")]:
        with pytest.raises(ForbiddenError):
            needed("sirena.note", state=state, who=who)
