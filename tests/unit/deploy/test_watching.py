"""Prometheus' alerts and Grafana's dashboard ask for what the service exports, and an alert fires when it should."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from sirena.domain.category import Category, Reason
from sirena.serving.alarms import STORES
from sirena.serving.hot_path import INFER, INVOCATIONS, MODEL_INVOCATIONS
from tests.panels import small_panel
from tests.serving_client import service
from tests.waiting import wait_until

REPOSITORY = Path(__file__).resolve().parents[3]
DEPLOY = REPOSITORY / "deploy"
RULES_FILE = DEPLOY / "prometheus/sirena.rules.yaml"
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in yaml.safe_load(RULES_FILE.read_text("utf-8"))["groups"] for rule in group["rules"]
}
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/sirena.json").read_text("utf-8"))
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]
VARIABLES = [item["definition"] for item in DASHBOARD["templating"]["list"] if "definition" in item]

PROMETHEUS_LABELS = {"job", "instance"}
"""Labels that Prometheus itself gives to everything it reads."""
KNOWN_VALUES: Mapping[str, tuple[str, ...]] = {
    "route": (INVOCATIONS, MODEL_INVOCATIONS, INFER),
    "status": tuple(map(str, range(200, 600))),
    "reason": tuple(Reason),
    "category": tuple(Category),
    "store": STORES,
    "job": ("sirena",),
}


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """The names of what a scrape of the service holds, with their labels."""
    row = {"ORGANISM": "eco", "SPEC_TYPE": "no such specimen", "AMK_NM": "4"}
    with service(shadow=small_panel("release-2")) as running:
        assert running.client.post("/invocations", json={"dataframe_records": [row]}).status_code == 200
        assert running.client.post("/invocations", json={}).status_code == 400
        wait_until(lambda: running.client.get("/shadow").json()["compared"] == 1)
        text = running.client.get("/metrics").text
    labels: dict[str, set[str]] = {"up": set()}  # of Prometheus, for each target
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    return labels


def _unfit(expression: str, exported: dict[str, set[str]]) -> Iterator[str]:
    """Tell what an expression asks for and the service does not export: names, labels, values of labels."""
    labels_used = set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", expression))))
    plain = re.sub(r" by \([^)]*\) ?|\[[^]]*\]", "", expression)
    named = set(re.findall(r"\b[a-z_]+\b(?! ?\()", re.sub(r"\{[^}]*\}|\d+", "", plain))) - {"or", "and"}
    yield from (name for name in named if name not in exported)
    known = PROMETHEUS_LABELS.union(*(exported.get(name, set()) for name in named))
    yield from labels_used - known
    for name, matchers in re.findall(r"(\w+)\{([^}]*)\}", plain):
        for label, _, values in re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', matchers):
            if label not in exported.get(name, set()) | PROMETHEUS_LABELS:
                yield f"{name}{{{label}}}"
            elif not values.startswith("$"):
                for value in values.split("|"):
                    if not any(re.fullmatch(value, known_value) for known_value in KNOWN_VALUES[label]):
                        yield f'{label}="{value}"'


def test_a_mistake_in_an_expression_is_seen(exported: dict[str, set[str]]) -> None:
    """Of each kind; the tests below would pass over nothing."""
    mistaken = (
        'sum by (drug) (rate(sirena_answer_total[5m])) / sum(rate(sirena_answers_total{reason=~"censored|cut"}[5m]))'
    )
    assert set(_unfit(mistaken, exported)) == {"drug", "sirena_answer_total", 'reason="cut"'}
    assert list(_unfit('sirena_panel_info{name="a"} == 1', exported)) == ["sirena_panel_info{name}"]


@pytest.mark.parametrize("alert", RULES)
def test_alerts_ask_for_what_the_service_exports(alert: str, exported: dict[str, set[str]]) -> None:
    """Or they would be silent for ever; each says how grave it is, what happened and what to do."""
    rule = RULES[alert]
    assert list(_unfit(rule["expr"], exported)) == []
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert all(rule["annotations"][text].endswith(".") for text in ("summary", "action"))


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_manual_explains_every_alert(language: str) -> None:
    """And none that is no more, each as grave as it is."""
    manual = (REPOSITORY / "docs/manual" / language / "06-maintenance.md").read_text("utf-8")
    told = dict(re.findall(r"^\| `(Sirena\w+)` \| `(\w+)` \|", manual, re.MULTILINE))
    assert told == {alert: rule["labels"]["severity"] for alert, rule in RULES.items()}


@pytest.mark.parametrize("query", QUERIES)
def test_the_dashboard_asks_for_what_the_service_exports(query: str, exported: dict[str, set[str]]) -> None:
    """Or a panel would stay empty."""
    assert list(_unfit(query, exported)) == []


def test_the_choices_of_the_dashboard_are_labels_of_the_service(exported: dict[str, set[str]]) -> None:
    """Job and drug are offered by what the service exports; every variable in a query is one of them."""
    for metric, label in (re.findall(r"\w+", text)[1:] for text in VARIABLES):
        assert label in exported[metric] | PROMETHEUS_LABELS
    offered = {item["name"] for item in DASHBOARD["templating"]["list"]} | {"__rate_interval", "__range"}
    assert {name for query in QUERIES for name in re.findall(r"\$(\w+)", query)} <= offered


def test_every_metric_of_the_service_is_on_the_dashboard(exported: dict[str, set[str]]) -> None:
    """So that a new one is not forgotten; of the histogram its buckets are drawn."""
    shown = set(re.findall(r"\bsirena_\w+", " ".join(QUERIES)))
    assert {name for name in exported if not name.endswith(("_created", "_count", "_sum"))} - {"up"} == shown


def test_panels_lie_beside_each_other() -> None:
    """Two in one place, or of one number, hide one another in Grafana."""
    cells: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in DASHBOARD["panels"]):
        covered = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not covered & cells
        assert place["x"] + place["w"] <= 24
        cells |= covered
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def _promtool(*arguments: str) -> None:
    """Run promtool, and fail by what it says.

    Without it the test is skipped, except where `TESTS_NEED_POSTGRESQL` says that the servers must be there.
    """
    if not shutil.which("promtool"):
        missing = "promtool is missing: apt-get install prometheus"
        if os.environ.get("TESTS_NEED_POSTGRESQL"):
            pytest.fail(missing)
        pytest.skip(missing)
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_reads_configuration_rules_and_queries(tmp_path: Path) -> None:
    """By its own check; the queries of the dashboard as rules, with times for Grafana's."""
    _promtool("check", "rules", str(RULES_FILE))
    _promtool("check", "config", "--syntax-only", str(DEPLOY / "prometheus/prometheus.yaml"))
    rules = [
        {"record": f"query:{number}", "expr": query.replace("$__rate_interval", "2m").replace("$__range", "1d")}
        for number, query in enumerate(QUERIES)
    ]
    queries = tmp_path / "queries.yaml"
    queries.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    _promtool("check", "rules", str(queries))


@dataclass(frozen=True)
class Story:
    """Invented series, a value a minute, under which an alert fires, and others under which it just does not."""

    fires: dict[str, str]
    quiet: dict[str, str]
    brief: dict[str, str]
    """It would fire if this went on; so far it has been too short."""
    labels: dict[str, str] = field(default_factory=dict)
    """Of the alert, beside those of the target."""


_ASKED = 'sirena_requests_total{method="POST", route="/invocations", status="%s"}'
_OTHER = 'sirena_requests_total{method="GET", route="/readyz", status="%s"}'
_ANSWERED = 'sirena_answers_total{column="AMK_NM", category="%s", reason="%s"}'
_BUCKET = 'sirena_request_seconds_bucket{route="/v2/models/{name}/infer", le="%s"}'
_OTHER_BUCKET = 'sirena_request_seconds_bucket{route="/docs", le="%s"}'
_LOADED = "sirena_panel_loaded_timestamp_seconds"
STORIES = {
    "SirenaNotSeen": Story({"up": "1x60 0x59"}, {"up": "0x110 1x9"}, {"up": "1x117 0x2"}),
    "SirenaHasNoRelease": Story({_LOADED: "0x120"}, {_LOADED: "0x110 1796000000x9"}, {_LOADED: "1796000000x117 0x2"}),
    "SirenaReleaseIsNotWhatWasJudged": Story(
        {'sirena_panel_alarms{store="row"}': "0x110 2x9", 'sirena_panel_alarms{store="alias"}': "0x120"},
        {f'sirena_panel_alarms{{store="{store}"}}': "1x110 0x9" for store in STORES},
        {'sirena_panel_alarms{store="row"}': "0x119 1x0"},
        {"store": "row"},
    ),
    "SirenaRequestsFail": Story(
        {_ASKED % 200: "0+980x120", _ASKED % 503: "0+20x120", _OTHER % 200: "0+9000x120"},
        {_ASKED % 200: "0+995x120", _ASKED % 500: "0+5x120", _ASKED % 400: "0+500x120", _OTHER % 503: "0+500x120"},
        {_ASKED % 200: "0+980x120", _ASKED % 500: "0x117 0+900x2"},
    ),
    "SirenaRequestsRefused": Story(
        {_ASKED % 200: "0+70x120", _ASKED % 400: "0+20x120", _ASKED % 415: "0+10x120", _OTHER % 200: "0+900x120"},
        {_ASKED % 200: "0+85x120", _ASKED % 400: "0+15x120", _ASKED % 503: "0+50x120", _OTHER % 404: "0+500x120"},
        {_ASKED % 200: "0+70x120", _ASKED % 400: "0x110 0+900x9"},
    ),
    "SirenaSlow": Story(
        {_BUCKET % "1.0": "0+95x120", _BUCKET % "2.5": "0+100x120", _BUCKET % "+Inf": "0+100x120"},
        {
            _BUCKET % "1.0": "0+995x120",
            _BUCKET % "2.5": "0+1000x120",
            _BUCKET % "+Inf": "0+1000x120",
            _OTHER_BUCKET % "1.0": "0x120",
            _OTHER_BUCKET % "2.5": "0+900x120",
            _OTHER_BUCKET % "+Inf": "0+900x120",
        },
        {_BUCKET % "1.0": "0x120", _BUCKET % "2.5": "0x110 0+100x9", _BUCKET % "+Inf": "0x110 0+100x9"},
    ),
    "SirenaCannotReload": Story(
        {"sirena_panel_source_up": "1x60 0x59"},
        {"sirena_panel_source_up": "0x100 1x19"},
        {"sirena_panel_source_up": "1x111 0x8"},
    ),
    "SirenaEditionNotInForce": Story(
        {
            'sirena_edition_in_force{edition="CLSI 2025"}': "0x120",
            'sirena_edition_in_force{edition="EUCAST 16.1"}': "1x120",
        },
        {'sirena_edition_in_force{edition="CLSI 2026"}': "1x120"},
        {'sirena_edition_in_force{edition="CLSI 2026"}': "1x65 0x54"},
        {"edition": "CLSI 2025"},
    ),
    "SirenaCannotReadIsolates": Story(
        {_ANSWERED % ("S", ""): "0+4x120", _ANSWERED % ("NI", "unknown_organism"): "0+1x120"},
        {
            _ANSWERED % ("S", ""): "0+50x120",
            _ANSWERED % ("NI", "no_breakpoint"): "0+46x120",
            _ANSWERED % ("NI", "unreadable_mic"): "0+4x120",
        },
        {_ANSWERED % ("S", ""): "0+50x120", _ANSWERED % ("NI", "impossible_mic"): "0x110 0+900x9"},
    ),
}


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_fires_when_it_should_and_only_then(alert: str, tmp_path: Path) -> None:
    """By promtool, two hours into invented series; what it says names the release's store or edition."""
    story, rule = STORIES[alert], RULES[alert]
    labels = {**story.labels, "job": "sirena", "instance": "hospital"}
    texts = {name: _filled(text, labels) for name, text in rule["annotations"].items()}
    firing = [{"exp_labels": {**labels, **rule["labels"]}, "exp_annotations": texts}]
    _test_rules(tmp_path, alert, [(story.fires, firing), (story.quiet, []), (story.brief, [])])


def test_a_target_that_is_not_configured_is_told_too(tmp_path: Path) -> None:
    """Nobody would notice a job that was lost from Prometheus' configuration."""
    rule = RULES["SirenaNotSeen"]
    firing = [{"exp_labels": {"job": "sirena", **rule["labels"]}, "exp_annotations": rule["annotations"]}]
    _test_rules(tmp_path, "SirenaNotSeen", [({}, firing)])


def test_few_odd_isolates_of_a_night_wake_nobody(tmp_path: Path) -> None:
    """Some 120 MICs an hour, all of an organism that is not known."""
    _test_rules(
        tmp_path,
        "SirenaCannotReadIsolates",
        [({_ANSWERED % ("NI", "unknown_organism"): "0+2x120"}, [])],
    )


def _filled(text: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: labels[match[1]], text)


def _of_target(series: str) -> str:
    name, _, labels = series.partition("{")
    return f'{name}{{job="sirena", instance="hospital"{", " if labels else "}"}{labels}'


def _test_rules(folder: Path, alert: str, told: list[tuple[dict[str, str], list[dict[str, Any]]]]) -> None:
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": _of_target(name), "values": values} for name, values in series.items()],
            "alert_rule_test": [{"eval_time": "2h", "alertname": alert, "exp_alerts": expected}],
        }
        for series, expected in told
    ]
    # of one rule, since promtool would reckon all of them at each minute of each story
    rules, file = folder / "rules.yaml", folder / "stories.yaml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "sirena", "rules": [RULES[alert]]}]}))
    file.write_text(yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": tests}))
    _promtool("test", "rules", str(file))
