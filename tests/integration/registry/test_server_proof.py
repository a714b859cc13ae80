"""What is uploaded is not believed: the server asks table, network and release, and the gate judges what it finds."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sirena.guidelines.editions import load_edition
from sirena.registry.connection import Registry
from sirena.registry.digests import canonical_json, sha256
from sirena.registry.models import DIGEST_TAG, log_pyfunc, register
from sirena.registry.releases import MEMBERS_TAG, RELEASE_FILE, RELEASE_MODEL, create_release, release_document
from sirena.registry.runs import child_run
from sirena.registry.versions import ModelVersion, Stage, find_version
from sirena.training.asking_apart import NetworkAsker
from tests.integration.registry.house import House, log_trained, standing, trained_on

LOCAL_RULES = """who,when,why,edition,action,drug,rank,group,site,S,R,middle
PROA committee,2026-03-01,local dosing,CLSI 2025,breakpoint,CAZ,organism,eco,,1,4,
"""


@pytest.fixture
def house(registry: Registry, asker: NetworkAsker, tmp_path: Path) -> Iterator[House]:
    """Five accounts before a real MLflow server."""
    with standing(registry, asker, tmp_path / "entry") as stood:
        yield stood


def test_a_forged_certificate_is_found_out(house: House) -> None:
    """It claims total agreement for a table that calls resistant organisms susceptible; nothing may override that."""

    def forge(document: dict[str, Any]) -> dict[str, Any]:
        return document | {"disagreements": [], "agreements": document["compared"]} | {
            "kinds": dict.fromkeys(document["kinds"], 0)
        }  # fmt: skip

    version = log_trained(house.registry, trained_on(False), forge=forge)
    for options in ({}, {"override": "I know better"}):
        for stage in ("staging", "production"):
            answer = house.alias("berta", version, stage, **options)
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_proved")
            assert "kinds" in answer.text
    assert house.stage(version) is Stage.NONE
    assert len(house.entry.told("promotion_refused")) == 4


def test_a_table_that_its_network_does_not_say_is_found_out(house: House) -> None:
    """Table and certificate are right and agree; the network beside them says other things."""
    version = log_trained(house.registry, trained_on(False), table=trained_on(True).table)
    for options in ({}, {"override": "I know better"}):
        answer = house.alias("berta", version, **options)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_proved")
        assert "not what its network says" in answer.text
    assert house.stage(version) is Stage.NONE


def test_a_version_answers_what_its_name_says(house: House) -> None:
    """Ceftazidime's model under another antimicrobial's name would answer for it."""
    honest = log_trained(house.registry, trained_on(True))
    house.registry.models.create_registered_model("modelo_AMK_NM")
    source = house.registry.models.get_model_version(honest.name, str(honest.version)).source
    tags = {key: value for key, value in honest.tags.items() if key.startswith("sirena.")}
    made = house.registry.client.create_model_version(
        "modelo_AMK_NM", source, run_id=honest.run_id, tags=tags, model_id=source.removeprefix("models:/")
    )
    borrowed = find_version(house.registry, f"modelo_AMK_NM/{made.version}")
    assert "CertificateIsCurrent" in house.alias("berta", borrowed).text
    assert "another test column" in house.alias("berta", borrowed, override="I know better").text
    assert house.stage(borrowed) is Stage.NONE


def test_what_was_proved_once_is_remembered_by_content(house: House, tmp_path: Path) -> None:
    """Staging proves; production and the release find the note."""
    version = log_trained(house.registry, trained_on(True))
    assert house.alias("berta", version, "staging").status_code == 200
    proofs = list((tmp_path / "entry" / "proofs").iterdir())
    assert len(proofs) == 1
    assert house.alias("berta", version).status_code == 200
    release = create_release(house.registry, [version], author="ana")
    assert house.alias("berta", release.source).status_code == 200
    assert list((tmp_path / "entry" / "proofs").iterdir()) == proofs


def forged_release(registry: Registry, named: ModelVersion, answering: ModelVersion) -> ModelVersion:
    """Register a release that names one version and holds another's table."""
    document, digest = release_document(registry, [named])
    held, _ = release_document(registry, [answering])
    content = canonical_json(held | {"members": document["members"]})
    tags = {
        DIGEST_TAG: digest,
        MEMBERS_TAG: f'{{"{named.column}": "{named}"}}',
        "sirena.author": "ana",
        f"sirena.sha256.{RELEASE_FILE}": sha256(content),
    }
    scratch = registry.settings.home / "scratch"
    scratch.mkdir(parents=True)
    (scratch / RELEASE_FILE).write_bytes(content)
    with child_run(registry, RELEASE_MODEL, None, {"mlflow.user": "ana"}) as run_id:
        model_id = log_pyfunc(
            registry,
            run_id,
            RELEASE_MODEL,
            artifacts={"release": scratch / RELEASE_FILE},
            columns=(named.column,),
            scratch=scratch,
        )
        made = register(registry, RELEASE_MODEL, model_id, run_id, tags)
    return find_version(registry, f"{RELEASE_MODEL}/{made.version}")


def test_a_release_holds_what_its_members_answer(house: House) -> None:
    """One that names a good version and answers by another's table is refused, and an override changes nothing."""
    good, bad = (log_trained(house.registry, trained_on(right)) for right in (True, False))
    forged = forged_release(house.registry, good, bad)
    for options in ({}, {"override": "I know better"}):
        answer = house.alias("berta", forged, **options)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_proved")
    assert house.stage(forged) is Stage.NONE


def test_the_hospitals_rules_in_force_are_the_servers(registry: Registry, asker: NetworkAsker, tmp_path: Path) -> None:
    """A certificate under an overlay passes where that is in force alone; rules for EUCAST leave CLSI as it is."""
    rules = tmp_path / "hospital.csv"
    rules.write_text(LOCAL_RULES)
    local = load_edition("CLSI 2025", rules)
    model = trained_on(True)
    elsewhere = tmp_path / "eucast.csv"
    elsewhere.write_text(LOCAL_RULES.replace("CLSI", "EUCAST"))
    for number, (overlay, passing) in enumerate(((None, 0), (rules, 1), (elsewhere, 0))):
        with standing(registry, asker, tmp_path / str(number), overlay=overlay) as house:
            # staging asks half of the grid, so a network of the plain edition passes with either certificate
            unlike = replace(model, report=model.report | {"label_source": "file"})
            plain = log_trained(registry, model)
            under = log_trained(registry, unlike, edition=local, report=unlike.report | {"seed": 8})
            statuses = [house.alias("berta", version, "staging") for version in (plain, under)]
            assert "CertificateIsCurrent" in statuses[1 - passing].text
            assert "CertificateIsCurrent" not in statuses[passing].text
