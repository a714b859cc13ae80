"""Each rule of stage control, without MLflow."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.access.actions import Action
from sirena.access.errors import AmbiguousRequestError, ForbiddenError
from sirena.access.stage_change import StageChange, read_change
from sirena.access.stage_rules import StageNeed, body_to_pass_on, needs, require_own_places
from sirena.access.tag_rules import VersionState

ALIAS, TRANSITION = "POST registered-models/alias", "POST model-versions/transition-stage"
CREATE = "POST model-versions/create"
LOGGED = f"models:/m-{'0' * 32}"
OF_A_RUN = f"mlflow-artifacts:/1/{'0' * 32}/artifacts/model"
NONE = VersionState("3", frozenset(), "None", {})
PRODUCTION = VersionState("3", frozenset({"Production"}), "Production", {"sirena.author": "ana"})


def change(operation: str, **body: object) -> StageChange:
    """Return a change of one version."""
    return StageChange(operation, {"name": "modelo_AMK_NM", "version": "3", **body})


def need(operation: str, state: VersionState | None = NONE, **body: object) -> StageNeed:
    """Return what eva needs."""
    return needs(change(operation, **body), state, "eva")


@pytest.mark.parametrize("spelling", ["production", "Production", "PRODUCTION", " production"])
def test_giving_production_needs_right_and_gate(spelling: str) -> None:
    """In every spelling, by alias and by stage."""
    wanted = StageNeed(frozenset({Action.PROMOTE_PRODUCTION}), "Production")
    assert need(ALIAS, alias=spelling) == wanted
    assert need(TRANSITION, stage=spelling) == wanted


def test_giving_staging_needs_right_and_gate() -> None:
    """The same with the lesser right."""
    wanted = StageNeed(frozenset({Action.PROMOTE_STAGING}), "Staging")
    assert need(ALIAS, alias="staging") == need(TRANSITION, stage="Staging") == wanted


@pytest.mark.parametrize("stage", ["None", "Archived", "Staging"])
def test_taking_out_of_production_needs_the_right_to_production(stage: str) -> None:
    """Whatever the version becomes."""
    assert Action.PROMOTE_PRODUCTION in need(TRANSITION, PRODUCTION, stage=stage).actions
    assert need("DELETE registered-models/alias", None, alias="Production").actions == {Action.PROMOTE_PRODUCTION}


def test_what_has_the_stage_is_not_judged_again() -> None:
    """Alias and stage field are written one after the other."""
    assert need(TRANSITION, PRODUCTION, stage="Production") == StageNeed(frozenset({Action.PROMOTE_PRODUCTION}), "")


@pytest.mark.parametrize("alias", ["\u0440roduction", "\uff50roduction", "pro\u200bduction", "produ\u0441tion"])
def test_an_alias_is_plain(alias: str) -> None:
    """A Cyrillic, full-width or unseen letter makes another alias that looks like the one that decides."""
    body = json.dumps({"name": "modelo_AMK_NM", "version": "3", "alias": alias})
    with pytest.raises(AmbiguousRequestError, match="plain"):
        read_change(ALIAS, body.encode())
    assert read_change(ALIAS, b'{"alias": "candidate-2.b_1"}').body["alias"] == "candidate-2.b_1"


def test_another_alias_is_a_description() -> None:
    """It needs the right to register."""
    assert need(ALIAS, alias="candidate") == StageNeed(frozenset({Action.REGISTER}), "")
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
        asked = StageChange(operation, {"run_id": "0" * 32})
        assert asked.evidence_of == {"0" * 32}
        assert needs(asked, None, "eva").actions == {Action.TRAIN}


@pytest.mark.parametrize(
    ("kind", "body", "named"),
    [
        ("log-metric", {"run_id": "r", "key": "accuracy", "value": 1, "model_id": "m-1"}, {"r", "m-1"}),
        ("log-batch", {"run_id": "r", "metrics": [{"key": "a", "value": 1, "model_id": "m-1"}]}, {"r", "m-1"}),
        ("log-batch", {"run_id": "r", "metrics": [{"key": "a", "value": 1, "modelId": "m-1"}]}, {"r", "m-1"}),
        ("log-batch", {"run_id": "r", "tags": [{"key": "run_id", "value": "other"}]}, {"r"}),
        ("outputs", {"run_id": "r", "models": [{"model_id": "m-1", "step": 0}]}, {"r", "m-1"}),
        ("set-tag", {"run_uuid": "r", "key": "k", "value": "v"}, {"r"}),
        ("delete-tag", {"run_id": "r", "key": "k"}, {"r"}),
        ("log-parameter", {"run_id": "r", "run_uuid": "q", "key": "k", "value": "v"}, {"r", "q"}),
        ("update", {"run_id": "r", "run_name": "better"}, {"r"}),
        ("update", {"run_id": "r", "status": "FINISHED", "end_time": 1}, {""}),
    ],
)
def test_what_is_known_of_a_run_concerns_the_runs_and_logged_models_it_names(
    kind: str, body: dict[str, object], named: set[str]
) -> None:
    """In either spelling and at any depth; ending a run changes nothing that is known of its model."""
    assert StageChange(f"POST runs/{kind}", body).evidence_of == named


def test_what_names_no_run_is_ambiguous() -> None:
    """MLflow would refuse it too."""
    with pytest.raises(AmbiguousRequestError):
        _ = StageChange("POST runs/set-tag", {"key": "k", "value": "v"}).evidence_of


def test_a_new_version_bears_its_author() -> None:
    """Added when missing, refused when another's, left when right; who else had a hand in it stands beside."""

    def tags(given: object = None, makers: tuple[str, ...] = ()) -> object:
        return body_to_pass_on(change(CREATE, source=LOGGED, tags=given), "eva", makers)["tags"]

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
        body_to_pass_on(change(CREATE, source=source), "eva")


@pytest.mark.parametrize(
    "source",
    [
        "models:/modelo_AMK_NM/Production", "models:/modelo_AMK_NM/latest", "models:/modelo_AMK_NM@draft",
        "models:///modelo_AMK_NM/1", "models:/modelo_AMK_NM/01", "models:/modelo_AMK_NM/1/", "models:/m-0/x",
        "mlflow-artifacts:/1/of/nobody", f"mlflow-artifacts:/1/{'0' * 32}/../x", f"mlflow-artifacts:/{'0' * 32}.d/x",
        "mlflow-artifacts://elsewhere/1", f"mlflow-artifacts:/1/models/%6d-{'0' * 32}/artifacts", "runs:/x/model",
    ],
)  # fmt: skip
def test_a_copy_names_its_version_by_number(source: str) -> None:
    """MLflow reads the other spellings too, and from them nobody could tell who had a hand in it."""
    with pytest.raises(ForbiddenError):
        body_to_pass_on(change(CREATE, source=source), "eva")
    for plain in ("models:/modelo_AMK_NM/3", LOGGED, f"runs:/{'0' * 32}/model", OF_A_RUN):
        assert body_to_pass_on(change(CREATE, source=plain), "eva")["source"] == plain


def test_a_copy_does_not_inherit_decisions() -> None:
    """MLflow's client sends the tags of what it copies; author and decisions of that one are left out."""
    sent = [{"key": key, "value": value} for key, value in (
        ("sirena.author", "ana"), ("sirena.made_by", '["otto"]'), ("sirena.history.1", "{}"), ("note", "x"),
    )]  # fmt: skip
    body = body_to_pass_on(change(CREATE, source="models:/modelo_AMK_NM/3", tags=sent), "eva", ("ana", "otto"))
    assert {tag["key"]: tag["value"] for tag in body["tags"]} == {
        "note": "x", "sirena.author": "eva", "sirena.made_by": '["ana", "otto"]',
    }  # fmt: skip
    with pytest.raises(ForbiddenError):
        body_to_pass_on(change(CREATE, source="models:/modelo_AMK_NM/3", tags=sent), "eva", ("otto",))


@pytest.mark.parametrize(
    "place",
    [
        "/etc", "file:///etc", "etc", "s3://other/x", "mlflow-artifacts://elsewhere/x", "mlflow-artifacts:/x/../y",
        "mlflow-artifacts:/x?y", "dbfs:/x", " /etc", 3, ["/etc"],
    ],
)  # fmt: skip
def test_an_experiments_artifacts_lie_among_mlflows_own(place: object) -> None:
    """The server would write and read there with its own rights."""
    with pytest.raises(ForbiddenError):
        require_own_places(StageChange("POST experiments/create", {"name": "x", "artifact_location": place}))
    for own in (None, "", "mlflow-artifacts:/7"):
        require_own_places(StageChange("POST experiments/create", {"name": "x", "artifact_location": own}))


def test_a_traces_spans_lie_among_mlflows_own() -> None:
    """Wherever in the body a tag says otherwise."""
    for key in ("mlflow.artifactLocation", "mlflow.trace.archiveLocation"):
        for tags in ({key: "file:///etc"}, [{"key": key, "value": "file:///etc"}]):
            with pytest.raises(ForbiddenError):
                require_own_places(StageChange("POST mlflow/traces", {"trace": {"traceInfo": {"tags": tags}}}))
    require_own_places(
        StageChange("POST mlflow/traces", {"trace": {"trace_info": {"tags": {"mlflow.source.name": "x"}}}})
    )


def test_what_is_in_production_is_not_removed() -> None:
    """Not by a rename either; the approver takes it out of production first."""
    for operation in (
        "DELETE registered-models/delete",
        "DELETE model-versions/delete",
        "POST registered-models/rename",
    ):
        for state in (PRODUCTION, VersionState("3", frozenset(), "Production", {})):
            with pytest.raises(ForbiddenError, match="in production"):
                need(operation, state)


@pytest.mark.parametrize(
    "content",
    [
        b'{"runId": "x"}',
        b'{"description": "a\\u0000b"}',
        b'{"name": "\\ud800"}',
        b'{"x": 99999999999999999999999}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_mlflow_would_read_otherwise_or_not_at_all_is_refused(content: bytes) -> None:
    """Its other spelling of a field, half a character, a number without end, endless nesting."""
    with pytest.raises(AmbiguousRequestError):
        read_change(CREATE, content)


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
