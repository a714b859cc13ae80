"""MLflow's pages through the entry, looked at in Chromium by people who signed in: nothing they need is refused."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import httpx
import pytest

from tests.chromium import Chromium, Seen, chromium_at
from tests.guarded_house import PASSWORD, House, ask_mlflow
from tests.production_machine import require_programs

pytestmark = pytest.mark.slow

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
MODEL = "modelo_PAG_NM"
SWITCHED_OFF = {
    "/ajax-api/2.0/mlflow/users/current",
    "/ajax-api/3.0/mlflow/assistant/config",
    "/ajax-api/3.0/mlflow/assistant/providers",
}
"""What every page asks for by itself and Sirena does not offer: MLflow's own accounts and its assistant."""
MAKER = "https://mlflow.org/"
"""Where nothing is loaded from: a hospital's server is nobody's counter."""
PICTURE = (
    b"<svg xmlns='http://www.w3.org/2000/svg' width='90' height='40'><rect width='90' height='40' fill='teal'/></svg>"
)
FILES = {
    "note.txt": (b"seen as text", "seen as text"),
    "facts.json": (b'{"seen": "as json"}', "as json"),
    "table.csv": (b"organism,n\nseen_in_table,2\n", "seen_in_table"),
    "page.html": (b"<html><body><h1>a page</h1></body></html>", "page.html"),
    "drawing.svg": (PICTURE, "drawing.svg"),
}
"""Artifacts: content, and what their preview shows."""


@dataclass(frozen=True)
class Work:
    """What there is to look at."""

    experiment: str
    runs: tuple[str, str]

    def path(self, page: str) -> str:
        """Return the address of a page."""
        both = json.dumps(self.runs, separators=(",", ":")).replace('"', "%22")
        return page.format(experiment=self.experiment, run=self.runs[0], both=both, model=MODEL)


@pytest.fixture(scope="module")
def work(house: House) -> Iterator[Work]:
    """Two runs with parameters, curves and artifacts, and a registered version with a stage."""
    require_programs("chromium")
    with house.honest("scientist") as client:
        post = partial(ask_mlflow, client)
        experiment = str(post("experiments/create", name="pages")["experiment_id"])
        runs = []
        for seed in (1, 2):
            run = post("runs/create", experiment_id=experiment, run_name=f"run_{seed}", start_time=1)["run"]["info"]
            runs.append(run["run_id"])
            curve = [{"key": "loss", "value": seed / (step + 1), "timestamp": step, "step": step} for step in range(9)]
            post("runs/log-batch", run_id=runs[-1], metrics=curve, params=[{"key": "seed", "value": str(seed)}])
            post("runs/update", run_id=runs[-1], status="FINISHED", end_time=9)
            for name, (content, _) in FILES.items():
                _put(client, f"{experiment}/{runs[-1]}/artifacts/{name}", content)
        _put(client, f"{experiment}/{runs[0]}/artifacts/MLmodel", b"flavors: {}\n")
        post("registered-models/create", name=MODEL)
        source = f"mlflow-artifacts:/{experiment}/{runs[0]}/artifacts"
        post("model-versions/create", name=MODEL, source=source, run_id=runs[0])
        yield Work(experiment, (runs[0], runs[1]))


def _put(client: httpx.Client, path: str, content: bytes) -> None:
    assert client.put(f"{ARTIFACTS}/{path}", content=content).status_code == 200


@pytest.fixture(scope="module", params=["viewer", "scientist"])
def signed_in(house: House, work: Work, request: pytest.FixtureRequest) -> Iterator[tuple[str, Chromium]]:
    """A browser in which somebody signed in by the form."""
    with chromium_at(f"https://localhost:{house.settings.https_port}", request.param, PASSWORD) as browser:
        yield request.param, browser


PAGES = [
    ("/", "pages"),
    ("/#/experiments", "pages"),
    ("/#/experiments?workflowType=machine_learning", "Model registry"),
    ("/#/experiments/{experiment}/runs", "run_1"),
    ("/#/experiments/{experiment}/runs?compareRunsMode=CHART", "loss"),
    ("/#/experiments/{experiment}/models", ""),
    ("/#/experiments/{experiment}/traces", ""),
    ("/#/experiments/{experiment}/evaluation-runs", "run_1"),
    ("/#/experiments/{experiment}/datasets", ""),
    ("/#/experiments/{experiment}/prompts", ""),
    ("/#/experiments/{experiment}/runs/{run}", "seed"),
    ("/#/experiments/{experiment}/runs/{run}/model-metrics", "loss"),
    *((f"/#/experiments/{{experiment}}/runs/{{run}}/artifacts/{name}", shown) for name, (_, shown) in FILES.items()),
    ("/#/models", MODEL),
    ("/#/models/{model}", "Version"),
    ("/#/models/{model}/versions/1", "Promote model"),
    ("/#/prompts", ""),
]
"""Address of each page, and a text it shows."""
OF_WRITERS = {
    "/",
    "/#/experiments",
    "/#/experiments/{experiment}/runs",
    "/#/experiments/{experiment}/runs/{run}",
    "/#/models/{model}/versions/1",
}
"""Pages that offer to change something: who may change it looks at them too. MLflow draws each alike for everybody, so
what refuses nothing to a viewer, who has the fewest rights, refuses nothing to others."""


LINK = """(() => {
    const link = document.querySelector('a[href="HREF"]'), box = link.getBoundingClientRect();
    const points = [[box.left, box.top], [box.right, box.top], [box.left, box.bottom], [box.right, box.bottom]]
        .map(([x, y]) => [(x + 9 * (box.left + box.width / 2)) / 10, (y + 9 * (box.top + box.height / 2)) / 10]);
    const there = points.flatMap(([x, y]) => document.elementsFromPoint(x, y)).filter(one => !link.contains(one));
    return {
        pressed: points.every(([x, y]) => link.contains(document.elementFromPoint(x, y))),
        covered: there.filter(one => one.closest('a, button, input, [role=tab]')).map(one => one.outerHTML),
    };
})()"""
"""Whether a press on a link of ours is for the link, and what of MLflow's lies below it."""
LINKS = {"viewer": ("/auth/account",), "scientist": ("/auth/account", "/app/")}
"""Where the entry's links lead: to the own account, and to Sirena's pages."""


def test_the_pages_show_what_they_are_for_and_are_refused_nothing(
    house: House, work: Work, signed_in: tuple[str, Chromium]
) -> None:
    """Nothing by the content policy, no request but those for what is switched off, nothing in the ledger.

    The links that the entry puts into MLflow's one document cover nothing of it.
    """
    who, browser = signed_in
    before = _refusals(house, who)
    for page, shown in PAGES:
        if who != "viewer" and page not in OF_WRITERS:
            continue
        # the page of a run's artifacts and the menu look at their address once
        seen = browser.visit(work.path(page), until=shown, fresh="/artifacts/" in page or "workflowType" in page)
        assert shown in seen.text, f"{page}: {seen}"
        assert (_missing_here(seen.violations), _missed(seen), _missing_here(seen.errors)) == ([], [], []), page
        assert "PERMISSION_DENIED" not in seen.text, page
        for link in LINKS[who] if page in OF_WRITERS else ():
            assert browser.run(LINK.replace("HREF", link)) == {"pressed": True, "covered": []}, (page, link)
    assert _refusals(house, who) == before


def _missing_here(told: list[str]) -> list[str]:
    """Return what was refused of this server's own; pages without content show films of their maker's server."""
    return [one for one in told if MAKER not in one]


def _missed(seen: Seen) -> list[str]:
    """Return what was refused although somebody may want it."""
    return [f"{one.status} {one.path}" for one in seen.refused if one.path.partition("?")[0] not in SWITCHED_OFF]


def _refusals(house: House, who: str) -> list[str]:
    """Return the routes refused to an account, as the ledger says."""
    found = house.ledger.read(events=["refusal"], who=who)
    return [str(entry.facts()["resource"]) for entry in found if entry.origin == "127.0.0.1"]


def test_the_link_to_the_own_account_leads_there(signed_in: tuple[str, Chromium]) -> None:
    """And there is the way out."""
    who, browser = signed_in
    browser.visit("/", until="Settings")
    seen = browser.press("Mi cuenta · My account", until="Signed in until")
    assert browser.run("location.pathname") == "/auth/account"
    assert who in seen.text
    assert "Sign out" in seen.text


def test_the_page_a_browser_kept_from_before_is_not_shown_again(house: House) -> None:
    """MLflow would say that its page has not changed; ours has."""
    with house.honest("viewer") as client:
        kept = {"If-Modified-Since": "Mon, 31 Dec 2035 00:00:00 GMT", "If-None-Match": "*", "Accept-Encoding": "gzip"}
        answer = client.get("/", headers=kept)
    assert answer.status_code == 200
    assert answer.text.count('href="/auth/account"') == 1
    assert "etag" not in answer.headers


def test_curves_and_pictures_are_drawn(work: Work, signed_in: tuple[str, Chromium]) -> None:
    """A line with all its points; a drawing among the artifacts has its size."""
    _, browser = signed_in
    browser.visit(work.path("/#/experiments/{experiment}/runs/{run}/model-metrics"), until="loss")
    line = "document.querySelector('.scatterlayer .js-line')?.getAttribute('d') || ''"
    _await(browser, f"({line}).split('L').length > 5")
    browser.visit(work.path("/#/experiments/{experiment}/runs/{run}/artifacts/drawing.svg"), until="drawing.svg")
    _await(browser, "[...document.images].some(one => one.naturalWidth === 90)")


def _await(browser: Chromium, condition: str) -> None:
    for _ in range(300):
        if browser.run(f"Boolean({condition})"):
            return
        browser.rest(seconds=0.2)
    raise AssertionError(f"never true: {condition}")


def test_a_plot_that_evaluates_text_is_refused_and_the_others_of_its_page_are_not(
    work: Work, signed_in: tuple[str, Chromium]
) -> None:
    """MLflow's comparison of runs: parallel coordinates need `unsafe-eval`, which nobody gets; the other tabs work."""
    _, browser = signed_in
    page = "/#/compare-runs?runs={both}&experiments=[%22{experiment}%22]"
    seen = browser.visit(work.path(page), until="WebGL")
    assert "WebGL is not" in seen.text
    assert {violation.split()[0] for violation in seen.violations} == {"script-src"}
    assert not [one for one in seen.violations if "inline" in one or "http" in one.split(" ")[1]]
    for tab in ("Scatter Plot", "Box Plot", "Contour Plot"):
        after = browser.press(tab, until=tab)
        assert after.violations == seen.violations, tab
    assert _missed(seen) == []


@pytest.mark.parametrize("signed_in", ["scientist"], indirect=True)
def test_dialogs_of_aliases_and_promotion_open(work: Work, signed_in: tuple[str, Chromium]) -> None:
    """A version gets an alias by one, is copied to another model by the other; stage control decides what they send."""
    _, browser = signed_in
    for label, shown in (("Promote model", "Copy to model"), ("Add", "alias")):
        browser.visit("/#/models", until=MODEL)
        browser.visit(work.path("/#/models/{model}/versions/1"), until="Promote model")
        seen = browser.press(label, until=shown)
        assert (seen.violations, _missed(seen)) == ([], [])
        assert browser.run("document.querySelectorAll('[role=dialog]').length") >= 1
