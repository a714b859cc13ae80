"""Stages through MLflow's own API obey the rule and the gate of `sirena promote`: a real MLflow, a real gate."""

import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sirena.registry.connection import Registry
from sirena.registry.releases import RELEASE_MODEL, create_release
from sirena.registry.versions import ModelVersion, Stage, find_version, list_versions
from sirena.training.asking_apart import NetworkAsker
from tests.integration.registry import house as houses
from tests.integration.registry.house import AJAX, API


@dataclass
class House(houses.House):
    """With a right and a wrong version of one model, both made by ana."""

    right: ModelVersion
    wrong: ModelVersion


@pytest.fixture
def house(registry: Registry, asker: NetworkAsker, tmp_path: Path) -> Iterator[House]:
    """Five accounts before a real MLflow server."""
    with houses.standing(registry, asker, tmp_path / "entry") as stood:
        versions = [houses.log_trained(registry, houses.trained_on(right)) for right in (True, False)]
        yield House(stood.entry, registry, *versions)


def test_only_an_approver_puts_into_production_and_never_the_own_version(house: House) -> None:
    """Clinician and scientist lack the right, the author lacks the independence, the approver succeeds."""
    assert house.alias("dora", house.right).status_code == 403
    assert house.alias("carl", house.right).status_code == 403
    assert house.alias("otto", house.right).status_code == 403
    own = house.alias("ana", house.right)
    assert own.status_code == 409
    assert "ApproverIsNotAuthor" in own.text
    assert house.stage(house.right) is Stage.NONE
    assert house.alias("berta", house.right).status_code == 200
    assert house.stage(house.right) is Stage.PRODUCTION
    assert [(facts["who"], facts["outcome"]) for facts in house.entry.told("promoted")] == [
        ("ana", "intended"),
        ("berta", "intended"),
        ("berta", "done"),
    ]
    assert [facts["who"] for facts in house.entry.told("promotion_refused")] == ["ana"]
    assert "dora" in [facts["who"] for facts in house.entry.told("refusal")]


def test_the_gate_refuses_a_wrong_version_by_alias_and_by_stage(house: House) -> None:
    """By whichever route of MLflow, and in words MLflow's client shows."""
    for answer in (
        house.alias("berta", house.wrong),
        house.alias("berta", house.wrong, "Production"),
        house.transition("berta", house.wrong, "Production"),
        house.transition("berta", house.wrong, "production"),
    ):
        assert answer.status_code == 409
        assert "GridAgreement" in answer.json()["message"]
    assert house.stage(house.wrong) is Stage.NONE


def test_production_is_not_left_by_another_route(house: House) -> None:
    """Archiving, staging, and removing the alias of what is in production are the approver's too."""
    assert house.alias("berta", house.right).status_code == 200
    alias = {"name": house.right.name, "alias": "production"}
    assert house.send("carl", "DELETE", f"{API}/registered-models/alias", alias).status_code == 403
    assert house.transition("carl", house.right, "Archived").status_code == 403
    assert house.transition("carl", house.right, "None").status_code == 403
    assert house.transition("carl", house.right, "Staging").status_code == 403
    body = {"name": house.right.name, "version": str(house.right.version)}
    assert house.send("berta", "DELETE", f"{API}/model-versions/delete", body).status_code == 403
    assert house.stage(house.right) is Stage.PRODUCTION
    assert house.send("berta", "DELETE", f"{API}/registered-models/alias", alias).status_code == 200
    assert house.stage(house.right) is Stage.NONE


def test_author_digests_and_other_peoples_decisions_are_not_rewritten(house: House) -> None:
    """Otherwise the independence of the approver and the integrity of the evidence would be one request away."""
    assert house.tag("ana", house.right, "sirena.author", "carl") == 403
    assert house.tag("carl", house.right, "sirena.sha256.truth_table.json", "0" * 64) == 403
    assert house.tag("carl", house.right, "sirena.history.20260101T000000.000000Z.aaaaaa", '{"by": "berta"}') == 403
    assert house.tag("berta", house.right, "sirena.history.20260101T000000.000000Z.aaaaaa", '{"by": "berta"}') == 403
    assert house.tag("carl", house.right, "note", "seen") == 200
    body = {"name": house.right.name, "version": str(house.right.version), "key": "sirena.author"}
    for who in ("ana", "otto"):
        assert house.send(who, "DELETE", f"{API}/model-versions/delete-tag", body).status_code == 403


def test_a_version_bears_the_name_of_the_account_that_registered_it(house: House) -> None:
    """Whatever the client says."""
    body = {"name": house.right.name, "source": f"models:/{house.right.name}/{house.right.version}"}
    foreign = {**body, "tags": [{"key": "sirena.author", "value": "berta"}]}
    assert house.send("carl", "POST", f"{API}/model-versions/create", foreign).status_code == 403
    made = house.send("carl", "POST", f"{API}/model-versions/create", body)
    assert made.status_code == 200
    number = made.json()["model_version"]["version"]
    assert find_version(house.registry, f"{house.right.name}/{number}").author == "carl"
    assert [
        (told["who"], told["model"], told["version"], told["outcome"]) for told in house.entry.told("registered")
    ] == [
        ("carl", house.right.name, None, "intended"),
        ("carl", house.right.name, int(number), "done"),
    ]


def test_a_removal_is_on_record_and_never_of_what_is_in_production(house: House) -> None:
    """Deleting and renaming, of a version and of a model; an approver takes it out of production first."""
    right, wrong = ({"name": one.name, "version": str(one.version)} for one in (house.right, house.wrong))
    model = {"name": house.right.name}
    removals: list[tuple[str, str, dict[str, str]]] = [
        ("DELETE", "model-versions/delete", right),
        ("DELETE", "registered-models/delete", model),
        ("POST", "registered-models/rename", {**model, "new_name": "modelo_OLD"}),
    ]
    assert house.alias("berta", house.right).status_code == 200
    for method, route, body in removals:
        refused = house.send("otto", method, f"{API}/{route}", body)
        assert refused.status_code == 403
        assert "in production" in refused.json()["message"]
    assert house.stage(house.right) is Stage.PRODUCTION
    assert house.send("otto", "DELETE", f"{API}/model-versions/delete", wrong).status_code == 200
    alias = {**model, "alias": "production"}
    assert house.send("berta", "DELETE", f"{API}/registered-models/alias", alias).status_code == 200
    for method, route, body in (removals[0], removals[2]):
        assert house.send("otto", method, f"{API}/{route}", body).status_code == 200
    again = house.send("otto", "DELETE", f"{API}/model-versions/delete", {**right, "name": "modelo_OLD"})
    assert again.status_code == 404
    assert house.send("otto", "DELETE", f"{API}/registered-models/delete", {"name": "o'clock"}).status_code == 404
    told = [
        (facts["who"], facts["model"], facts["version"], facts["new_name"], facts["outcome"])
        for facts in house.entry.told("removed")
    ]
    name = house.right.name
    assert told == [
        ("otto", *facts, outcome)
        for facts, ended in (
            ((name, house.wrong.version, ""), "done"),
            ((name, house.right.version, ""), "done"),
            ((name, None, "modelo_OLD"), "done"),
            (("modelo_OLD", house.right.version, ""), "failed"),
            (("o'clock", None, ""), "failed"),
        )
        for outcome in ("intended", ended)
    ]


def test_what_cannot_be_put_on_record_does_not_happen(house: House) -> None:
    """Registering, removing and promoting begin with an entry; without it MLflow is not asked at all."""
    house.entry.records = False
    body = {"name": house.right.name, "version": str(house.wrong.version)}
    answers = (
        house.create("carl", f"models:/{house.right}"),
        house.send("otto", "DELETE", f"{API}/model-versions/delete", body),
        house.alias("berta", house.right),
    )
    assert all(answer.status_code >= 400 for answer in answers)
    assert [version.version for version in list_versions(house.registry, house.right.name)] == [
        house.right.version,
        house.wrong.version,
    ]
    assert house.stage(house.right) is Stage.NONE


def spans(trace: int, **tags: str) -> bytes:
    """Return one span as OpenTelemetry's clients send it, with attributes that MLflow makes tags of its trace."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = trace.to_bytes(16, "big"), trace.to_bytes(8, "big"), "asked"
    span.start_time_unix_nano = span.end_time_unix_nano = time.time_ns()
    for name, value in tags.items():
        attribute = span.attributes.add(key=f"mlflow.traceTag.{name}")
        attribute.value.string_value = json.dumps(value)
    return bytes(request.SerializeToString())


@pytest.mark.parametrize("tag", ["mlflow.artifactLocation", "mlflow.trace.archiveLocation"])
def test_spans_cannot_have_the_server_read_a_folder_of_its_own(house: House, tmp_path: Path, tag: str) -> None:
    """MLflow would give out the files of whatever place an attribute names; other tags and plain spans pass."""
    (tmp_path / "traces.json").write_text('{"loot": 1}')
    experiment = house.send("carl", "POST", f"{AJAX}/experiments/create", {"name": f"asked {tag}"}).json()
    sender = {
        "Authorization": house.entry.token("carl"),
        "x-mlflow-experiment-id": experiment["experiment_id"],
        "Content-Type": "application/x-protobuf",
    }
    loot = {tag: str(tmp_path), "mlflow.trace.spansLocation": "ARTIFACT_REPO"}
    for body, headers in (
        (spans(1, **loot), sender),
        (gzip.compress(spans(1, **loot)), sender | {"Content-Encoding": "gzip"}),
        (b"{}", sender | {"Content-Type": "application/json"}),
    ):
        assert house.entry.client.post("/v1/traces", content=body, headers=headers).status_code == 403
    plain = house.entry.client.post("/v1/traces", content=spans(2, team="micro"), headers=sender)
    assert plain.status_code == 200, plain.text
    assert house.registry.client.get_trace(f"tr-{2:032x}").info.tags["team"] == "micro"
    with pytest.raises(MlflowException):
        house.registry.client.get_trace(f"tr-{1:032x}")


def test_an_experiment_cannot_lie_on_the_servers_own_disk(house: House) -> None:
    """MLflow would write what is uploaded there, and read what lies there; through the entry it never learns of it."""
    for number, place in enumerate(("/var/tmp/loot", "file:///var/tmp/loot", "s3://other/loot")):
        body = {"name": f"elsewhere {number}", "artifact_location": place}
        refused = house.send("carl", "POST", f"{API}/experiments/create", body)
        assert refused.status_code == 403
        assert refused.json()["error"]["hint"]
    made = house.send("carl", "POST", f"{AJAX}/experiments/create", {"name": "here"})
    assert made.status_code == 200
    experiment = house.registry.client.get_experiment(made.json()["experiment_id"])
    assert experiment.artifact_location.startswith("mlflow-artifacts:/")


def test_whoever_made_what_is_copied_is_named_however_the_copy_is_asked_for(house: House) -> None:
    """A spelling that names no number is refused; MLflow's own client says the number."""
    create = f"{API}/model-versions/create"
    for source in ("Production", "latest"):
        body = {"name": house.right.name, "source": f"models:/{house.right.name}/{source}"}
        assert house.send("carl", "POST", create, body).status_code == 403
    sent = [{"key": key, "value": value} for key, value in house.right.tags.items()]
    copied = house.create("carl", f"models:/{house.right}", tags=sent)
    assert copied.status_code == 200
    made = find_version(house.registry, f"{house.right.name}/{copied.json()['model_version']['version']}")
    assert (made.author, made.makers) == ("carl", ("ana",))


def test_names_outside_the_policys_patterns_are_not_registered(house: House) -> None:
    """A rule on model names binds what the body says."""
    assert house.send("carl", "POST", f"{API}/registered-models/create", {"name": "prompt_x"}).status_code == 403
    rename = {"name": house.right.name, "new_name": "modelo_X"}
    assert house.send("carl", "POST", f"{API}/registered-models/rename", rename).status_code == 403


def test_bodies_that_can_be_read_in_two_ways_are_refused(house: House) -> None:
    """Twin fields, doubly encoded JSON, other types, queries, other content types."""
    route, token = f"{API}/registered-models/alias", house.entry.token("berta")
    good = f'{{"name": "{house.right.name}", "alias": "production", "version": "{house.right.version}"}}'
    for content, kind in [
        (good[:-1] + ', "alias": "note"}', "application/json"),
        ('"' + good.replace('"', '\\"') + '"', "application/json"),
        (good, "text/plain"),
        (good.replace('"production"', "3"), "application/json"),
        (good.replace(f'"{house.right.version}"', '"1; drop"'), "application/json"),
        ("[]", "application/json"),
        ("", "application/json"),
        ("[" * 100_000, "application/json"),
    ]:
        headers = {"Authorization": token, "Content-Type": kind}
        answer = house.entry.client.post(route, content=content, headers=headers)
        assert answer.status_code == 403, content[:80]
    headers = {"Authorization": token, "Content-Type": "application/json"}
    assert house.entry.client.post(f"{route}?alias=note", content=good, headers=headers).status_code == 403
    assert house.stage(house.right) is Stage.NONE


def test_a_release_is_activated_only_if_every_member_passes(house: House) -> None:
    """The alias of the panel is judged by its members; what was active once may be rolled back to."""
    good = create_release(house.registry, [house.right], author="ana").source
    bad = create_release(house.registry, [house.wrong], author="ana").source
    refused = house.alias("berta", bad)
    assert refused.status_code == 409, refused.text
    assert house.alias("carl", good).status_code == 403
    assert house.alias("berta", good).status_code == 200
    assert find_version(house.registry, f"{RELEASE_MODEL}@production").version == good.version


def test_reading_through_the_same_routes_works_as_ever(house: House) -> None:
    """GET of an alias is reading; a name nobody knows is MLflow's own answer."""
    house.alias("berta", house.right)
    headers = {"Authorization": house.entry.token("carl")}
    query = {"name": house.right.name, "alias": "production"}
    found = house.entry.client.get(f"{API}/registered-models/alias", params=query, headers=headers)
    assert found.json()["model_version"]["version"] == str(house.right.version)
    absent = {"name": "modelo_NONE_NM", "alias": "production", "version": "1"}
    assert house.send("berta", "POST", f"{API}/registered-models/alias", absent).status_code in (404, 422)
