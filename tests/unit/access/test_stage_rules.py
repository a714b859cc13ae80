"""Each rule of stage control, without MLflow."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.access.actions import Action
from sirena.access.errors import AmbiguousRequestError, ForbiddenError
from sirena.access.stage_rules import Change, Need, body_to_pass_on, needs, read_change
from sirena.access.tag_rules import VersionState

ALIAS, TRANSITION = "POST registered-models/alias", "POST model-versions/transition-stage"
NONE = VersionState("3", frozenset(), "None", {})
PRODUCTION = VersionState("3", frozenset({"Production"}), "Production", {"sirena.author": "ana"})


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


def test_a_stage_field_set_before_does_not_spare_the_alias_the_gate() -> None:
    """Another approver may have set the field; who sets the alias is judged as who decides."""
    field_only = VersionState("3", frozenset(), "Production", {})
    assert need(ALIAS, field_only, alias="production").gate == "Production"


def test_a_reason_to_override_needs_the_right_to_production() -> None:
    """Also for staging; it stands in one line, is not passed on, and is refused empty or endless."""
    wanted = {Action.PROMOTE_STAGING, Action.PROMOTE_PRODUCTION}
    assert need(ALIAS, alias="staging", override="seen by the committee").actions == wanted
    asked = change(ALIAS, alias="Production ", override="two\n lines")
    assert asked.override == "two lines"
    assert body_to_pass_on(asked, "eva") == {"name": "modelo_AMK_NM", "version": "3", "alias": "production"}
    for reason in ("", " \n", "x" * 1001, 3):
        with pytest.raises(AmbiguousRequestError):
            need(ALIAS, alias="production", override=reason)


def test_a_run_is_deleted_and_restored_with_the_right_to_train() -> None:
    """Whether a registered version comes from it is asked beside."""
    for operation in ("POST runs/delete", "POST runs/restore"):
        asked = Change(operation, {"run_id": "0" * 32})
        assert asked.run == "0" * 32
        assert needs(asked, None, "eva").actions == {Action.TRAIN}


def test_a_new_version_bears_its_author() -> None:
    """Added when missing, refused when another's, left when right; who else had a hand in it stands beside."""
    create = "POST model-versions/create"

    def tags(given: object = None, makers: tuple[str, ...] = ()) -> object:
        return body_to_pass_on(change(create, source="models:/m-1", tags=given), "eva", makers)["tags"]

    tag = {"key": "sirena.author", "value": "eva"}
    assert tags() == tags([tag]) == [tag]
    assert tags([tag], ("eva", "ana")) == [tag, {"key": "sirena.made_by", "value": '["ana"]'}]
    for wrong in ([{"key": "sirena.author", "value": "ana"}], [{"key": "sirena.history.1", "value": "{}"}]):
        with pytest.raises(ForbiddenError):
            tags(wrong)
    for unclear in ("x", [tag, tag], [{"key": "a"}], [{"key": "sirena.author", "value": 1}]):
        with pytest.raises(AmbiguousRequestError):
            tags(unclear)


@pytest.mark.parametrize("source", ["s3://elsewhere/model", "https://elsewhere/model", "/etc", "models:m-1"])
def test_a_version_comes_from_mlflows_own_artifacts(source: str) -> None:
    """Anything else the server would have to fetch from where it is told."""
    with pytest.raises(ForbiddenError):
        body_to_pass_on(change("POST model-versions/create", source=source), "eva")


def test_a_registered_models_tags_of_ours_are_the_entrys() -> None:
    """They say which release answered when."""
    bodies: list[tuple[str, dict[str, object]]] = [
        ("POST registered-models/set-tag", {"key": "sirena.history.1", "value": "{}"}),
        ("POST registered-models/create", {"tags": [{"key": " Sirena.history.1", "value": "{}"}]}),
        ("DELETE registered-models/delete-tag", {"key": "sirena.history.1"}),
    ]
    for operation, body in bodies:
        with pytest.raises(ForbiddenError):
            need(operation, None, **body)
    assert need("POST registered-models/set-tag", None, key="team", value="x").actions == {Action.REGISTER}


@given(st.binary(max_size=80))
def test_any_body_is_read_as_one_object_or_refused(content: bytes) -> None:
    """No other end."""
    with contextlib.suppress(AmbiguousRequestError):
        assert isinstance(read_change(ALIAS, content).body, dict)
