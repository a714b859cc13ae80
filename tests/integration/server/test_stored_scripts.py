"""Stored XSS: what a scientist may write into MLflow runs in nobody's browser; looked at in Chromium."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from html.parser import HTMLParser

import httpx
import pytest

from tests.chromium import Chromium, chromium_at
from tests.guarded_house import API, PASSWORD, House, ask_mlflow
from tests.production_machine import require_programs

pytestmark = pytest.mark.slow

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
PAGE = b"<html><body><script>document.body.append('o' + 'wned')</script>seen</body></html>"
DRAWING = b"<svg xmlns='http://www.w3.org/2000/svg'><script>document.title='owned'</script></svg>"
AJAX = "/ajax-api/2.0/mlflow"
ARTIFACTS = "/2.0/mlflow-artifacts/artifacts"


@dataclass(frozen=True)
class Planted:
    """Where the scripts lie."""

    experiment: str
    run: str
    browser: Chromium
    client: httpx.Client


class _Active(HTMLParser):
    """Collects what in a document could run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note handlers, and addresses that are scripts."""
        self._in_script = tag == "script"
        for name, value in attrs:
            text = (value or "").strip().lower()
            if name.startswith("on") or text.startswith(("javascript:", "data:text/html")):
                self.found.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        """Note scripts that stand in the page."""
        if self._in_script and data.strip():
            self.found.append(data)


def what_could_run(page: str) -> list[str]:
    """Return handlers, inline scripts and addresses that are scripts in a document."""
    parser = _Active()
    parser.feed(page)
    return parser.found


@pytest.fixture(scope="module")
def planted(house: House) -> Iterator[Planted]:
    """Scripts in every text and file a scientist may write: names, tags, notes, descriptions, artifacts."""
    require_programs("chromium")
    with house.honest("scientist") as client:
        post = partial(ask_mlflow, client)
        experiment = str(post("experiments/create", name=f"experiment {SCRIPT}")["experiment_id"])
        note = f"# note\n{SCRIPT}\n[press](javascript:document.title='owned') ![beacon](https://evil.example/x.png)"
        tags = [{"key": "mlflow.note.content", "value": note}, {"key": "a<b>", "value": SCRIPT}]
        name = f"run {SCRIPT}"
        run = post("runs/create", experiment_id=experiment, run_name=name, start_time=1, tags=tags)["run"]["info"][
            "run_id"
        ]
        for file, content in (("page.html", PAGE), ("drawing.svg", DRAWING)):
            address = f"/api{ARTIFACTS}/{experiment}/{run}/artifacts/{file}"
            assert client.put(address, content=content).status_code == 200
        model_tags = [{"key": "k", "value": SCRIPT}]
        post("registered-models/create", name="modelo_XSS_NM", description=note, tags=model_tags)
        post(
            "model-versions/create",
            name="modelo_XSS_NM",
            source=f"mlflow-artifacts:/{experiment}/{run}/artifacts",
            run_id=run,
            description=note,
            tags=model_tags,
        )
        with chromium_at(f"https://localhost:{house.settings.https_port}", "scientist", PASSWORD) as browser:
            yield Planted(experiment, run, browser, client)


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("/#/experiments", "experiment <script>"),
        ("/#/experiments/{experiment}/runs/{run}", "run <script>"),
        ("/#/models/modelo_XSS_NM", SCRIPT[:20]),
        ("/#/models/modelo_XSS_NM/versions/1", "run <script>"),
    ],
)
def test_no_script_of_a_name_tag_or_description_runs_in_mlflows_pages(planted: Planted, page: str, shown: str) -> None:
    """It is shown as text, the page works, and nothing is loaded from elsewhere."""
    address = page.format(experiment=planted.experiment, run=planted.run)
    seen = planted.browser.visit(address, until=shown)
    assert shown in seen.text, seen
    assert str(planted.browser.run("document.title")).endswith("MLflow")
    assert what_could_run(str(planted.browser.run("document.documentElement.outerHTML"))) == []


def test_a_page_among_the_artifacts_is_shown_and_its_script_is_not_run(planted: Planted) -> None:
    """MLflow shows it in a frame of its own; the browser says that it refused the script."""
    place = f"/#/experiments/{planted.experiment}/runs/{planted.run}/artifacts/page.html"
    seen = planted.browser.visit(place, until="page.html", fresh=True)
    assert "page.html" in seen.text
    for _ in range(100):
        if seen.violations:
            break
        # the frame comes after its page
        seen = planted.browser.rest(seconds=0.3)
    assert [violation for violation in seen.violations if violation.startswith("script-src") and "blob:" in violation]
    assert [error for error in seen.errors if "Executing inline script violates" in error]


@pytest.mark.parametrize("file", ["page.html", "drawing.svg"])
@pytest.mark.parametrize(
    "route",
    [
        "/get-artifact?run_uuid={run}&path={file}",
        "/model-versions/get-artifact?name=modelo_XSS_NM&version=1&path={file}",
        "/api" + ARTIFACTS + "/{experiment}/{run}/artifacts/{file}",
        "/ajax-api" + ARTIFACTS + "/{experiment}/{run}/artifacts/{file}",
    ],
)
def test_an_artifact_is_a_file_to_keep_and_runs_nothing(planted: Planted, route: str, file: str) -> None:
    """On every route that gives out what a user wrote: attachment, no sniffing, and a sandbox should it be opened."""
    answer = planted.client.get(route.format(experiment=planted.experiment, run=planted.run, file=file))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers.get_list("content-disposition") == [answer.headers["content-disposition"]]


def test_pages_run_scripts_of_this_servers_files_alone(planted: Planted) -> None:
    """No inline script, no evaluated text, no other server."""
    policy = planted.client.get("/").headers["content-security-policy"]
    parts = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert parts["default-src"] == parts["object-src"] == "'none'"
    assert parts["script-src"] == parts["connect-src"] == parts["form-action"] == parts["base-uri"] == "'self'"
    assert "http" not in policy
    assert "unsafe-eval" not in policy


NAMES = ["<script>", "modelo_<script>", "modelo_\x1b[31m", "modelo_A\r\nX: y", "modelo_\u202e"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_model_takes_no_other_name_than_those_of_sirena(house: House, planted: Planted, name: str) -> None:
    """Beginning with `modelo_` is not enough; the refusal is on record, and no log takes up what the name holds."""
    address = f"127.3.5.{NAMES.index(name) + 1}"
    with house.honest("scientist", address) as client:
        answer = client.post(f"{API}/registered-models/create", json={"name": name})
    assert answer.status_code == 403
    names = [one["name"] for one in planted.client.get(f"{API}/registered-models/search").json()["registered_models"]]
    assert (name in names, "modelo_XSS_NM" in names) == (False, True)
    request_id = answer.headers["x-request-id"]
    entry = house.await_entry(address, lambda one: one.request_id == request_id)
    assert (entry.who, entry.facts()["resource"]) == ("scientist", f"{API}/registered-models/create")
    assert not {"\x1b", "\u202e"} & set(house.written())
