"""The table of routes × roles is what the installed applications and the policy give, and nothing is left open."""

import re
import sys
from functools import cache
from pathlib import Path

from sirena.access.routes import shipped_routes
from tests.prepared_interpreter import run_prepared

REPOSITORY = Path(__file__).resolve().parents[3]
TABLE = REPOSITORY / "docs" / "reference" / "routes.txt"
SCRIPT = REPOSITORY / "scripts" / "write_route_table.py"


@cache
def walked() -> str:
    """Return the table of the installed applications, made in a process that MLflow may change as it likes."""
    program = f"import runpy; runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    process = run_prepared([sys.executable, "-c", program, "--print"], timeout=300)
    assert process.returncode == 0, process.stderr
    return process.stdout


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
