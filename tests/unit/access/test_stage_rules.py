"""Each rule of stage control, without MLflow."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.access.actions import Action
from sirena.access.errors import AmbiguousRequestError, ForbiddenError
from sirena.access.stage_rules import Change, Need, VersionState, needs, read_change, with_author

ALIAS, TRANSITION = "POST registered-models/alias", "POST model-versions/transition-stage"
NONE = VersionState("3", frozenset(), {})
PRODUCTION = VersionState("3", frozenset({"Production"}), {"sirena.author": "ana"})


def change(operation: str, **body: object) -> Change:
    """Return a change of one version."""
    return Change(operation, {"name": "modelo_AMK_NM", "version": "3", **body})


def need(operation: str, state: VersionState | None = NONE, **body: object) -> Need:
    """Return what eva needs."""
    return needs(change(operation, **body), state, "eva")


@pytest.mark.parametrize("spelling", ["production", "Production", "PRODUCTION", " production"])
def test_giving_production_needs_right_and_gate(spelling: str) -> None:
    """In every spelling, by alias and by stage."""
    wanted = Need(frozenset({Action.PROMOTE_PRODUCTION}), "Production")
    assert need(ALIAS, alias=spelling) == wanted
    assert need(TRANSITION, stage=spelling) == wanted


def test_giving_staging_needs_right_and_gate() -> None:
    """The same with the lesser right."""
    wanted = Need(frozenset({Action.PROMOTE_STAGING}), "Staging")
    assert need(ALIAS, alias="staging") == need(TRANSITION, stage="Staging") == wanted


@pytest.mark.parametrize("stage", ["None", "Archived", "Staging"])
def test_taking_out_of_production_needs_the_right_to_production(stage: str) -> None:
    """Whatever the version becomes."""
    assert Action.PROMOTE_PRODUCTION in need(TRANSITION, PRODUCTION, stage=stage).actions
    assert need("DELETE registered-models/alias", None, alias="Production").actions == {Action.PROMOTE_PRODUCTION}


def test_what_has_the_stage_is_not_judged_again() -> None:
    """Alias and stage field are written one after the other."""
    assert need(TRANSITION, PRODUCTION, stage="Production") == Need(frozenset({Action.PROMOTE_PRODUCTION}), "")


def test_another_alias_is_a_description() -> None:
    """It needs the right to register."""
    assert need(ALIAS, alias="candidate") == Need(frozenset({Action.REGISTER}), "")
    assert need("DELETE registered-models/alias", None, alias="candidate").actions == {Action.REGISTER}


def test_deleting_and_renaming_need_the_right_to_remove() -> None:
    """Models and versions."""
    for operation in (
        "DELETE registered-models/delete",
        "DELETE model-versions/delete",
        "POST registered-models/rename",
    ):
        assert need(operation).actions == {Action.REMOVE}


def test_facts_written_once_stay() -> None:
    """The same value again is harmless, another is refused, and a tag of ours is not deleted lightly."""
    state = VersionState("3", frozenset(), {"sirena.sha256.x": "a"})
    tag = "POST model-versions/set-tag"
    assert need(tag, state, key="sirena.sha256.x", value="a").actions == {Action.REGISTER}
    assert need(tag, state, key="sirena.sha256.new", value="b").actions == {Action.REGISTER}
    with pytest.raises(ForbiddenError):
        need(tag, state, key="sirena.sha256.x", value="b")
    with pytest.raises(ForbiddenError):
        need(tag, NONE, key="sirena.author", value="eva")
    assert need("DELETE model-versions/delete-tag", state, key="sirena.sha256.x").actions == {Action.REMOVE}


def test_decisions_are_recorded_in_ones_own_name() -> None:
    """And those of others are not written over."""
    tag, key = "POST model-versions/set-tag", "sirena.history.1"
    mine, theirs = json.dumps({"by": "eva"}), json.dumps({"by": "ana"})
    assert need(tag, NONE, key=key, value=mine).actions == {Action.REGISTER}
    for state, value in [
        (NONE, theirs),
        (NONE, "no json"),
        (VersionState("3", frozenset(), {key: theirs}), mine),
    ]:
        with pytest.raises(ForbiddenError):
            need(tag, state, key=key, value=value)


def test_a_new_version_bears_its_author() -> None:
    """Added when missing, refused when another's, left when right."""
    create = "POST model-versions/create"
    tag = {"key": "sirena.author", "value": "eva"}
    assert with_author(change(create), "eva")["tags"] == [tag]
    assert with_author(change(create, tags=[tag]), "eva")["tags"] == [tag]
    for tags in ([{"key": "sirena.author", "value": "ana"}], [tag, tag]):
        with pytest.raises(ForbiddenError):
            with_author(change(create, tags=tags), "eva")
    with pytest.raises(AmbiguousRequestError):
        with_author(change(create, tags="x"), "eva")


@given(st.binary(max_size=80))
def test_any_body_is_read_as_one_object_or_refused(content: bytes) -> None:
    """No other end."""
    with contextlib.suppress(AmbiguousRequestError):
        assert isinstance(read_change(ALIAS, content).body, dict)
