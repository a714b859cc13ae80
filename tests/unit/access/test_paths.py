"""A path that two parsers could read differently is refused, and a plain one is read as it stands."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.access.actions import Action, Role
from sirena.access.errors import AmbiguousRequestError, ForbiddenError
from sirena.access.paths import LONGEST, read_target
from sirena.access.policy import load_policy
from sirena.access.routes import shipped_routes

TRICKS = [
    "//api/2.0/mlflow/runs/get",
    "/api//2.0/mlflow/runs/get",
    "/api/2.0/mlflow/runs/../runs/delete",
    "/static-files/../api/2.0/mlflow/runs/delete",
    "/static-files/%2e%2e/api/2.0/mlflow/runs/delete",
    "/static-files/%2E%2E/x",
    "/static-files/.%2e/x",
    "/static-files/..%2fx",
    "/static-files/%252e%252e/x",
    "/static-files/%c0%ae%c0%ae/x",
    "/static-files/..;/x",
    "/static-files;x=1/x",
    "/static-files/%3bx",
    "/api/2.0/mlflow%2fruns/delete",
    "/api/2.0\\mlflow",
    "/api/2.0/mlflow%5cruns",
    "/api/2.0/mlflow/runs/get.",
    "/api/2.0/mlflow/runs/get%20",
    "/api./x",
    "/./x",
    "/x/.",
    "/x%00.css",
    "/x%0d%0aX-Sirena-User: admin",
    "/x\r\nX: y",
    "/x#y",
    "/x%23y",
    "/x%3fy",
    "/x%",
    "/x%2",
    "/x%zz",
    "/xé",
    "http://sirena/api/2.0/mlflow/runs/get",
    "*",
    "",
    "api/2.0",
    "/get-artifact?path=../../etc/passwd&run_id=1",
    "/get-artifact?path=%2e%2e%2fetc&run_id=1",
    "/get-artifact?path=a%5c..%5cb&run_id=1",
    "/get-artifact?path=a&path=b",
    "/api/2.0/mlflow/registered-models/get?name=a&name=b",
    "/api/2.0/mlflow/runs/get?_method=DELETE",
    "/x?a=%ff",
    "/api/2.0/mlflow/registered-models/get?name=a%00b",
    "/x?a%00=b",
    "/" + "a" * LONGEST,
]


@pytest.mark.parametrize("trick", TRICKS)
def test_tricks_are_refused(trick: str) -> None:
    """Each of these has opened some server's rules before."""
    with pytest.raises(AmbiguousRequestError):
        read_target(trick)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/", "/"),
        ("/api/2.0/mlflow/runs/get?run_id=1&view=a%2Fb", "/api/2.0/mlflow/runs/get"),
        ("/models/modelo_AMK_NM/invocations", "/models/modelo_AMK_NM/invocations"),
        ("/static-files/main.1a2b.chunk.js", "/static-files/main.1a2b.chunk.js"),
        ("/api/2.0/mlflow-artifacts/artifacts/1/m%20x/MLmodel", "/api/2.0/mlflow-artifacts/artifacts/1/m x/MLmodel"),
        ("/app/informe%C3%B1", "/app/informeñ"),
        ("/.hidden", "/.hidden"),
    ],
)
def test_plain_paths_are_read_as_they_stand(raw: str, path: str) -> None:
    """Refusing tricks must not refuse what MLflow's client sends."""
    assert read_target(raw).path == path


@pytest.mark.parametrize("path", ["/API/2.0/mlflow/runs/get", "/Api/2.0/mlflow/runs/get", "/api/2.0/mlflow/runs/get/"])
def test_another_spelling_is_another_route_and_unknown(path: str) -> None:
    """Case and a trailing slash are not forgiven, because MLflow does not forgive them either."""
    with pytest.raises(ForbiddenError):
        shipped_routes().classify("GET", read_target(path))


@given(st.text(max_size=60), st.sampled_from(["/", "/static-files/", "/api/2.0/mlflow/"]))
def test_what_is_accepted_has_one_reading(text: str, prefix: str) -> None:
    """Any text at all: either refused, or in a form that decoding, joining and splitting again does not change."""
    try:
        target = read_target(prefix + text)
    except AmbiguousRequestError:
        return
    assert "//" not in target.path
    assert "\\" not in target.path
    assert "%" not in target.path
    assert not {".", ".."} & set(target.path.split("/"))
    assert read_target(quote(target.path, safe="/:@!$&'()*+,=~.-_")).path == target.path


@given(
    st.lists(
        st.sampled_from(
            ["/", "..", ".", "%2e", "%2f", "%5c", ";", "//", "%00", "%25", "api", "2.0", "mlflow", "runs", "delete",
             "static-files", "auth", "login", "livez", "?", "ajax-api", "registered-models", "alias", "\\", "%2E%2e"]
        ),
        max_size=14,
    ),
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
)  # fmt: skip
def test_no_mixture_of_tricks_reaches_what_a_viewer_may_not(pieces: list[str], method: str) -> None:
    """Whatever passes as something harmless really is that route: its path stands literally in the request."""
    raw = "/" + "".join(pieces)
    try:
        asked = shipped_routes().classify(method, read_target(raw))
    except (AmbiguousRequestError, ForbiddenError):
        return
    if load_policy().permits(frozenset({Role.VIEWER}), asked.action):
        assert asked.action is Action.PUBLIC or ".." not in raw.partition("?")[0]
        assert asked.route.path.partition("{")[0] in raw.partition("?")[0] + "/"
        assert not {"delete", "alias"} & set(raw.partition("?")[0].split("/")) or asked.route.path.endswith(
            ("alias", ":path}")
        )
