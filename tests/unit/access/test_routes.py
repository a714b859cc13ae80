"""What the route table and the policy say of a request, and which route tables are refused."""

import re

import pytest

from sirena.access.actions import Action, Role
from sirena.access.errors import ForbiddenError, PolicyError
from sirena.access.paths import read_target
from sirena.access.policy import load_policy
from sirena.access.routes import body_route_locations, read_routes, shipped_routes


def test_stages_aliases_and_versions_change_only_through_stage_control() -> None:
    """Whatever writes to the registry, or to a run that is there, is decided by its body."""
    harmless = ("/runs/create", "/runs/search", "/runs/create-promptlab-run")
    for route in shipped_routes().routes:
        if "/mlflow/runs/" in route.path and route.methods != ("GET",):
            assert route.decided_by_body or route.path.endswith(harmless), route
        if re.search("/(registered-models|model-versions)/", route.path) and route.methods != ("GET",):
            assert route.decided_by_body or route.path.endswith("get-latest-versions"), route
    assert len(body_route_locations()) == 55


def test_options_and_invented_methods_are_refused() -> None:
    """Only the methods of the table exist."""
    target = read_target("/api/2.0/mlflow/runs/get")
    for method in ("OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND", "DELETE"):
        with pytest.raises(ForbiddenError):
            shipped_routes().classify(method, target)


def test_head_is_what_get_is() -> None:
    """HEAD reveals that something exists, so it needs the same right."""
    target = read_target("/api/2.0/mlflow/runs/get")
    assert shipped_routes().classify("HEAD", target) == shipped_routes().classify("GET", target)


def test_the_model_of_a_path_and_of_a_query_is_known() -> None:
    """Policies with model patterns need it."""
    table = shipped_routes()
    assert table.classify("POST", read_target("/models/modelo_AMK_NM/invocations")).model == "modelo_AMK_NM"
    assert table.classify("GET", read_target("/api/2.0/mlflow/registered-models/get?name=m%20x")).model == "m x"
    assert table.classify("GET", read_target("/api/2.0/mlflow/runs/get?run_id=1")).model is None


@pytest.mark.parametrize(
    "line",
    ["GET /x", "FETCH /x browse -", "GET /x fly -", "GET /x browse -\nGET /x train -"],
)
def test_a_broken_route_table_is_refused(line: str) -> None:
    """A table that cannot be meant stops the service from starting."""
    with pytest.raises(PolicyError):
        read_routes(line)


def test_no_role_may_do_what_only_another_is_for() -> None:
    """Separation of duties: training, approving and giving accounts are three people's."""
    policy = load_policy()
    holders = {action: {role for role in Role if policy.permits(frozenset({role}), action)} for action in Action}
    assert holders[Action.TRAIN] == {Role.SCIENTIST}
    assert holders[Action.PROMOTE_PRODUCTION] == {Role.APPROVER}
    assert holders[Action.ACCOUNTS] == holders[Action.REMOVE] == {Role.ADMIN}
    assert holders[Action.SWITCHED_OFF] == set()
    assert holders[Action.ANSWER] == {Role.CLINICIAN, Role.SCIENTIST, Role.APPROVER}
