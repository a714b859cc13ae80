"""Nobody approves what they made, whichever way they take; and who overrides the gate says why, on record."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sirena.acts.entry_records import record_events
from sirena.ledger.catalogue import Uploaded
from sirena.ledger.store import open_ledger
from sirena.ledger.verification import verify
from sirena.registry.activation import served_periods
from sirena.registry.connection import Registry
from sirena.registry.releases import RELEASE_MODEL, create_release
from sirena.registry.stages import promotions
from sirena.registry.versions import ModelVersion, Stage, find_version
from sirena.settings.catalogue import Settings
from sirena.training.asking_apart import NetworkAsker
from tests.integration.registry.house import API, MODEL, House, log_trained, standing, trained_on


@pytest.fixture
def house(registry: Registry, asker: NetworkAsker, tmp_path: Path) -> Iterator[House]:
    """Five accounts before a real MLflow server."""
    with standing(registry, asker, tmp_path / "entry") as stood:
        yield stood


@pytest.fixture
def own(house: House) -> ModelVersion:
    """A right version, made by ana, who is scientist and approver."""
    return log_trained(house.registry, trained_on(True))


def test_the_author_promotes_by_no_route(house: House, own: ModelVersion) -> None:
    """Alias, stage, the release around it, deleting, renaming, another author's name, an override."""
    release = create_release(house.registry, [own], author="carl").source
    for answer in (
        house.alias("ana", own),
        house.alias("ana", own, "PRODUCTION"),
        house.transition("ana", own, "Production"),
        house.alias("ana", release),
        house.alias("ana", own, override="I am sure"),
        house.alias("ana", release, override="I am sure"),
    ):
        assert answer.status_code == 409, answer.text
    version: dict[str, Any] = {"name": own.name, "version": str(own.version)}
    for method, route, body in [
        ("DELETE", "model-versions/delete", version),
        ("DELETE", "registered-models/delete", {"name": own.name}),
        ("POST", "registered-models/rename", {"name": own.name, "new_name": "modelo_CTX_NM"}),
        ("POST", "model-versions/set-tag", version | {"key": "sirena.author", "value": "carl"}),
        ("POST", "model-versions/set-tag", version | {"key": "sirena.made_by", "value": "[]"}),
        ("DELETE", "model-versions/delete-tag", version | {"key": "sirena.author"}),
    ]:
        assert house.send("ana", method, f"{API}/{route}", body).status_code == 403, route
    assert house.stage(own) is Stage.NONE
    assert house.stage(release) is Stage.NONE
    assert house.entry.told("overridden") == []


def test_a_stage_field_another_set_is_no_way_to_the_alias(house: House, own: ModelVersion) -> None:
    """Berta's decision in MLflow's pages is not ana's to complete."""
    assert house.transition("berta", own, "Production").status_code == 200
    assert house.alias("ana", own).status_code == 409
    assert house.stage(own) is Stage.NONE


@pytest.mark.parametrize("source", ["models:/{name}/{version}", "models:/{model}"])
def test_a_copy_registered_by_another_stays_its_makers(house: House, own: ModelVersion, source: str) -> None:
    """Carl registers what ana made: ana is no second person, berta is."""
    logged = house.registry.models.get_model_version(own.name, str(own.version)).source.removeprefix("models:/")
    tags = [
        {"key": key, "value": value}
        for key, value in own.tags.items()
        if key.startswith("sirena.") and key != "sirena.author"
    ]
    uri = source.format(name=own.name, version=own.version, model=logged)
    more = {"model_id": logged} if uri.endswith(logged) else {}
    made = house.create("carl", uri, tags=tags, **more)
    assert made.status_code == 200, made.text
    copy = find_version(house.registry, f"{MODEL}/{made.json()['model_version']['version']}")
    assert (copy.author, copy.makers) == ("carl", ("ana",))
    refused = house.alias("ana", copy)
    assert refused.status_code == 409
    assert "ApproverIsNotAuthor" in refused.text
    assert house.alias("ana", copy, override="I am sure").status_code == 409
    assert house.alias("berta", copy).status_code == 200


@pytest.mark.parametrize("of", ["run", "model"])
def test_whoever_wrote_the_files_is_a_maker_whatever_the_tags_say(
    house: House, own: ModelVersion, of: str, tmp_path: Path
) -> None:
    """Ana logs with MLflow's own client, which names the user of her machine; carl registers: ana is no second one."""
    found = house.registry.models.get_model_version(own.name, str(own.version))
    model = found.source.removeprefix("models:/")
    for version in house.registry.models.search_model_versions(f"run_id = '{found.run_id}'"):
        house.registry.models.delete_model_version(version.name, version.version)
    house.registry.client.set_tag(found.run_id, "mlflow.user", "somebody")
    house.registry.client.set_tag(found.run_id, "sirena.author", "somebody")
    for key in ("mlflow.user", "sirena.author"):
        house.registry.client.set_logged_model_tags(model, {key: "somebody"})
    written = found.run_id if of == "run" else model
    record_events(Settings(home=tmp_path / "entry"))(Uploaded(who="ana", origin="x", resource=written, act=written))
    tags = [
        {"key": key, "value": own.tags[key]} for key in own.tags if key.startswith("sirena.") and "author" not in key
    ]
    made = house.create("carl", found.source, tags=tags, model_id=model)
    assert made.status_code == 200, made.text
    copy = find_version(house.registry, f"{MODEL}/{made.json()['model_version']['version']}")
    assert copy.author == "carl"
    assert "ana" in copy.makers
    refused = house.alias("ana", copy)
    assert (refused.status_code, "ApproverIsNotAuthor" in refused.text) == (409, True)
    assert house.alias("berta", copy).status_code == 200


def test_graphql_changes_nothing(house: House) -> None:
    """What MLflow calls mutations there search, or are its own test, which echoes."""
    asked = {"query": "{__schema{mutationType{fields{name}}}}", "operationName": None}
    answer = house.entry.client.post(f"{house.registry.uri}/graphql", json=asked).json()
    fields = (answer.get("data") or {}).get("__schema", {}).get("mutationType", {}).get("fields", [])
    assert {field["name"] for field in fields} <= {"testMutation", "mlflowSearchDatasets", "mlflowSearchRuns"}


def ledger_of(house: House, home: Path) -> list[tuple[str, str]]:
    """Put what the entry told into a real ledger; return event and outcome of each entry, no act left open."""
    settings = Settings(home=home / "ledger")
    record = record_events(settings)
    for event in house.entry.events:
        record(event)
    ledger = open_ledger(settings)
    checked = verify(ledger)
    assert checked.intact
    assert checked.open_acts == ()
    return [(one.event, str(one.outcome)) for one in ledger.read()]


def test_an_approver_overrides_with_a_reason_on_record(house: House, tmp_path: Path) -> None:
    """By alias, in registry and ledger; the failures stand beside it; a scientist may not, nor for staging."""
    wrong = log_trained(house.registry, trained_on(False))
    assert house.alias("carl", wrong, "staging", override="urgent").status_code == 403
    assert house.alias("berta", wrong).status_code == 409
    assert house.alias("berta", wrong, override="  ").status_code == 403
    assert house.alias("berta", wrong, override="accepted by the PROA committee").status_code == 200
    assert house.stage(wrong) is Stage.PRODUCTION
    [told] = house.entry.told("overridden")
    assert (told["who"], told["subject"], told["reason"]) == ("berta", str(wrong), "accepted by the PROA committee")
    done = house.entry.told("promoted")[-1]
    assert (done["outcome"], done["act"], done["criteria"]) == ("done", told["act"], told["criteria"])
    assert "GridAgreement" in done["criteria"]
    assert (len(done["evidence"]), len(done["gate"])) == (64, 64)
    assert told["evidence"] == done["evidence"]
    assert ledger_of(house, tmp_path)[-3:] == [("promoted", "intended"), ("overridden", "done"), ("promoted", "done")]
    [decision] = promotions(find_version(house.registry, str(wrong)))
    assert (decision.by, decision.override) == ("berta", "accepted by the PROA committee")
    assert not decision.verdict["passed"]


def test_the_entry_keeps_the_history_of_stages(house: House, own: ModelVersion) -> None:
    """Each step once, with who decided, given by alias or field, taken away by either."""
    assert house.alias("carl", own, "staging").status_code == 200
    assert house.transition("carl", own, "Staging").status_code == 200
    assert house.alias("berta", own).status_code == 200
    stale = {"name": own.name, "alias": "staging"}
    assert house.send("berta", "DELETE", f"{API}/registered-models/alias", stale).status_code == 200
    assert house.transition("berta", own, "Archived").status_code == 200
    alias = {"name": own.name, "alias": "production"}
    assert house.send("berta", "DELETE", f"{API}/registered-models/alias", alias).status_code == 200
    decided = promotions(find_version(house.registry, str(own)))
    assert [(one.stage, one.by) for one in decided] == [
        ("Staging", "carl"),
        ("Production", "berta"),
        ("Archived", "berta"),
    ]
    assert [facts["stage"] for facts in house.entry.told("promoted") if facts["outcome"] == "done"] == [
        "Staging",
        "Production",
        "Archived",
    ]


def test_the_entry_keeps_the_history_of_releases(house: House, own: ModelVersion, tmp_path: Path) -> None:
    """Activation and rollback by alias; a rollback asks no gate and stands as one; overriding says why."""
    wrong = log_trained(house.registry, trained_on(False))
    first, second = (create_release(house.registry, [version], author="carl").source for version in (own, wrong))
    history = {"name": RELEASE_MODEL, "key": "sirena.history.1", "value": "{}"}
    assert house.send("berta", "POST", f"{API}/registered-models/set-tag", history).status_code == 403
    assert house.alias("berta", first).status_code == 200
    assert house.alias("berta", second).status_code == 409
    assert house.alias("berta", second, override="accepted by name").status_code == 200
    assert house.alias("carl", first).status_code == 403
    assert house.alias("ana", first).status_code == 200
    periods = served_periods(house.registry)
    assert [(one.release, one.by, one.action, one.override) for one in periods] == [
        (first.version, "berta", "activate", ""),
        (second.version, "berta", "activate", "accepted by name"),
        (first.version, "ana", "rollback", ""),
    ]
    assert [facts["outcome"] for facts in house.entry.told("rolled_back")] == ["intended", "done"]
    assert [facts["subject"] for facts in house.entry.told("overridden")] == [str(second)]
    for event in ("activated", "rolled_back"):
        assert all(len(facts["digest"]) == 64 for facts in house.entry.told(event) if facts["outcome"] == "done")
    assert ledger_of(house, tmp_path)[-2:] == [("rolled_back", "intended"), ("rolled_back", "done")]


def test_a_release_is_not_activated_by_the_stage_field_alone(house: House, own: ModelVersion) -> None:
    """The ledger would say that it answers, and the alias that another does."""
    release = create_release(house.registry, [own], author="carl").source
    refused = house.transition("berta", release, "Production")
    assert refused.status_code == 403
    assert "sirena release activate 1" in refused.text
    assert house.alias("berta", release).status_code == 200
    assert house.transition("berta", release, "Production").status_code == 200
    assert [facts["outcome"] for facts in house.entry.told("activated")] == ["intended", "done"]


def test_an_alias_moved_past_the_entry_is_judged_by_nobody(house: House, own: ModelVersion) -> None:
    """Whoever confirms it through the entry is asked by the gate; and a rollback goes where the ledger says."""
    wrong = log_trained(house.registry, trained_on(False))
    first, second = (create_release(house.registry, [version], author="carl").source for version in (own, wrong))
    assert house.alias("berta", first).status_code == 200
    house.registry.models.set_registered_model_alias(RELEASE_MODEL, "production", str(second.version))
    assert house.alias("berta", second).status_code == 409
    assert house.alias("berta", first).status_code == 200
    assert house.stage(first) is Stage.PRODUCTION
    assert house.entry.told("rolled_back") == []
