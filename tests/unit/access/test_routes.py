"""The table of routes × roles is what the installed applications and the policy give, and nothing is left open."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from sirena.access.actions import Action, Role
from sirena.access.errors import ForbiddenError, PolicyError
from sirena.access.paths import read_target
from sirena.access.policy import load_policy
from sirena.access.routes import body_route_locations, read_routes, shipped_routes

REPOSITORY = Path(__file__).resolve().parents[3]
TABLE = REPOSITORY / "docs" / "reference" / "routes.txt"


@cache
def walked() -> str:
    """Return the table of the installed applications, made in a process that MLflow may change as it likes."""
    command = [sys.executable, "-W", "ignore", str(REPOSITORY / "scripts" / "write_route_table.py"), "--print"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout


def lines(text: str) -> list[list[str]]:
    """Return method, path, action, roles of each route."""
    return [line.split()[:4] for line in text.splitlines() if line and not line.startswith("#")]


def test_every_route_times_every_role_is_as_the_table_in_the_repository_says() -> None:
    """A route that MLflow adds, or a policy that lets somebody do more, is a changed line a person must have read."""
    assert walked() == TABLE.read_text(encoding="utf-8")


def test_no_route_of_the_installed_applications_is_unknown() -> None:
    """Each of the five hundred routes has an action."""
    routes = lines(walked())
    assert len(routes) > 400
    assert [route for route in routes if route[2] == "UNKNOWN"] == []


def test_the_route_table_holds_nothing_the_applications_do_not_have() -> None:
    """Lines of routes that are gone would let through what comes in their place; two are asked for and never there."""
    installed = {(method, re.sub(r"\{\w+", "{", path)) for method, path, *_ in lines(walked())}
    known = {
        (method, re.sub(r"\{\w+", "{", route.path)) for route in shipped_routes().routes for method in route.methods
    }
    asked = {"/ajax-api/2.0/mlflow/users/current", "/ajax-api/3.0/mlflow/users/current/permissions"}
    assert {path for _, path in known - installed} == asked


def test_only_signing_in_and_being_alive_need_no_identity() -> None:
    """Deny by default: nobody gets nothing else."""
    public = {(method, path) for method, path, _, roles in lines(walked()) if roles.endswith("n")}
    assert public == {
        ("GET", "/auth/login"),
        ("POST", "/auth/login"),
        ("GET", "/auth/openid/start"),
        ("GET", "/auth/openid/callback"),
        ("GET", "/livez"),
    }


def test_a_viewer_changes_nothing() -> None:
    """What viewers may do with a method that writes is searching and leaving."""
    writing = {path for method, path, _, roles in lines(walked()) if roles.startswith("v") and method != "GET"}
    harmless = re.compile(
        r"(/search|/search-datasets|/batchGetInfos|/metrics|/calculate-filter-correlation|/get-latest-versions"
        r"|/presigned-download-url|/graphql|/auth/login|/auth/logout)$"
    )
    assert {path for path in writing if not harmless.search(path)} == set()


def test_what_is_switched_off_is_open_to_no_role() -> None:
    """The assistant runs commands, the gateway spends money, jobs run code: none is used here.

    One look at the list of gateways, which is empty, is open: refused, MLflow's runs page complains to everybody.
    """
    rows = [row for row in lines(walked()) if re.search("assistant|gateway|/jobs|mcp-servers|genai", row[1])]
    assert len(rows) > 100
    is_open = [row[:2] for row in rows if row[3] != "-------"]
    assert is_open == [["GET", "/ajax-api/2.0/mlflow/gateway-proxy"]]


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
