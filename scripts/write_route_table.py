"""Write docs/reference/routes.txt: every route of the installed MLflow and of our services × every role.

It lists the routes of the applications, and writes what classification and policy say about each. A test compares the
file with the program, so a route that MLflow adds, or a policy that allows more, is a changed line that a person must
read. Run this only after reading the change.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sirena.access.actions import Action, Role
from sirena.access.errors import ForbiddenError
from sirena.access.paths import read_target
from sirena.access.policy import load_policy
from sirena.access.routes import shipped_routes

TARGET = Path(__file__).resolve().parent.parent / "docs" / "reference" / "routes.txt"
_HEAD = """\
# Every route of the installed MLflow and of Sirena's services, its action, and which role may use it.
# Written by scripts/write_route_table.py from the running applications; compared by a test, test_installed_routes.py.
# Letters: v viewer, c clinician, s scientist, a approver, o operator, m admin; n nobody, without an identity.
# "body": stage control decides by the request's body, and the action is the least it needs. UNKNOWN: refused.
#
"""
_LETTERS = {
    Role.VIEWER: "v",
    Role.CLINICIAN: "c",
    Role.SCIENTIST: "s",
    Role.APPROVER: "a",
    Role.OPERATOR: "o",
    Role.ADMIN: "m",
}
_FLASK_PLACE = re.compile(r"<(?:(\w+):)?(\w+)>")
_PLACE = re.compile(r"\{(\w+)(:path)?\}")
_UNASKED = {"HEAD", "OPTIONS"}  # HEAD counts as GET, OPTIONS is refused always


def mlflow_routes() -> Iterator[tuple[str, str]]:
    """Yield method and path of every route that `mlflow server` answers, in FastAPI and in Flask."""
    with tempfile.TemporaryDirectory() as folder:
        # the module reads its settings while it is imported
        os.environ["_MLFLOW_SERVER_FILE_STORE"] = f"sqlite:///{folder}/mlflow.db"
        from mlflow.server import app as flask_app
        from mlflow.server.fastapi_app import app as fastapi_app

    yield from _fastapi_routes(fastapi_app.routes)
    for rule in flask_app.url_map.iter_rules():
        path = _FLASK_PLACE.sub(lambda place: f"{{{place[2]}{':path' if place[1] == 'path' else ''}}}", rule.rule)
        for method in rule.methods:
            yield method, path


def sirena_routes() -> Iterator[tuple[str, str]]:
    """Yield method and path of every route of Sirena's own services that NGINX passes on."""
    from sqlalchemy import create_engine

    from sirena.access.service import AccessParts, create_access_app
    from sirena.serving.application import create_app
    from sirena.web.application import application_of
    from sirena.web.entry_visitors import PREFIX
    from sirena.web.opened_files import OpenedFiles
    from sirena.web.other_editions import OtherEditions
    from sirena.web.pages import BEHIND_THE_ENTRY, Pages

    yield from _fastapi_routes(create_app(None).routes)  # type: ignore[arg-type]
    pages = Pages(lambda: None, OpenedFiles(), BEHIND_THE_ENTRY)  # type: ignore[arg-type,return-value]
    # the guard leads to the first of them; their files are a folder, which FastAPI calls no route
    yield from (("GET", PREFIX), ("GET", f"{PREFIX}/static/{{path:path}}"))
    yield from (
        (method, PREFIX + path) for method, path in _fastapi_routes(application_of(pages, OtherEditions()).routes)
    )
    access = create_access_app(AccessParts(create_engine("sqlite://"), load_policy()))
    # NGINX asks /decide from within; from outside it is a route like any other that nobody classified
    yield from (route for route in _fastapi_routes(access.routes) if route[1] != "/decide")


def route_table() -> str:
    """Return the document."""
    policy = load_policy()
    lines = []
    for method, path in sorted({*mlflow_routes(), *sirena_routes()}, key=lambda route: (route[1], route[0])):
        if method in _UNASKED:
            continue
        example = _PLACE.sub(lambda place: "modelo_AMK_NM/x" if place[2] else "modelo_AMK_NM", path)
        try:
            asked = shipped_routes().classify(method, read_target(example))
        except ForbiddenError:
            lines.append(f"{method:<7} {path:<85} UNKNOWN")
            continue
        may = "".join(
            letter if policy.permits(frozenset({role}), asked.action) else "-" for role, letter in _LETTERS.items()
        )
        may += "n" if asked.action is Action.PUBLIC else "-"
        body = " body" if asked.route.decided_by_body else ""
        lines.append(f"{method:<7} {path:<85} {asked.action.value:<15} {may}{body}")
    return _HEAD + "\n".join(lines) + "\n"


def _fastapi_routes(routes: Any) -> Iterator[tuple[str, str]]:
    for route in routes:
        if hasattr(route, "effective_candidates"):  # a router that FastAPI keeps whole
            yield from _fastapi_routes(route.effective_candidates())
            yield from _fastapi_routes(route.effective_low_priority_routes())
        elif getattr(route, "methods", None):
            for method in route.methods:
                yield method, route.path
        elif type(route).__name__ != "Mount":
            raise TypeError(f"a route of a kind this script does not know: {type(route).__name__}")


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.write(route_table())
    else:
        TARGET.write_text(route_table(), encoding="utf-8")
