"""The form of the pages that gives stages behind the entry: the rule and the gate of MLflow's own routes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest

from sirena.access.credentials import SESSION_COOKIE
from sirena.access.sessions import Sessions
from sirena.ledger.store import open_ledger
from sirena.registry.connection import Registry
from sirena.registry.releases import RELEASE_MODEL, create_release, list_releases
from sirena.registry.versions import ModelVersion, Stage, find_version
from sirena.settings.catalogue import Settings
from sirena.training.asking_apart import NetworkAsker
from tests.access_client import HOST
from tests.integration.registry import house as houses


@dataclass
class House(houses.House):
    """With a right and a wrong version of one model, both made by ana."""

    right: ModelVersion
    wrong: ModelVersion

    def make_release(self, who: str, **headers: str) -> httpx.Response:
        """Send the form that makes a release, as somebody at a browser."""
        cookie, _ = Sessions(self.entry.engine, hours=1).begin(who)
        given = {"Cookie": f"{SESSION_COOKIE}={cookie}", "Origin": f"https://{HOST}", "X-Forwarded-Host": HOST}
        fields = {"note": " for  the ward\n", "author": "eva", "who": "eva"}
        return self.entry.client.post("/auth/release", data=fields, headers=given | headers, follow_redirects=False)

    def send_form(self, who: str, model: str, version: int, stage: str, **more: str) -> httpx.Response:
        """Send the form as somebody at a browser, from a page of this site."""
        cookie, _ = Sessions(self.entry.engine, hours=1).begin(who)
        fields = {"model": model, "version": str(version), "stage": stage, "back": f"/app/models/{model}/{version}"}
        headers = {"Cookie": f"{SESSION_COOKIE}={cookie}", "Origin": f"https://{HOST}", "X-Forwarded-Host": HOST}
        given = {name.replace("_", "-"): text for name, text in more.items() if name in ("Origin", "Sec_Fetch_Mode")}
        fields |= {name: text for name, text in more.items() if name in ("override", "back")}
        return self.entry.client.post("/auth/stage", data=fields, headers=headers | given, follow_redirects=False)

    def give(self, who: str, version: ModelVersion, stage: str = "Production", **more: str) -> tuple[int, str]:
        """Send the form for a version; return status and where it leads."""
        answer = self.send_form(who, version.name, version.version, stage, **more)
        return answer.status_code, answer.headers.get("location", "").rpartition("?")[2]


@pytest.fixture
def house(registry: Registry, asker: NetworkAsker, tmp_path: Path) -> Iterator[House]:
    """Five accounts before a real MLflow server."""
    with houses.standing(registry, asker, tmp_path / "entry") as stood:
        versions = [houses.log_trained(registry, houses.trained_on(right)) for right in (True, False)]
        yield House(stood.entry, registry, *versions)


def test_a_stage_is_given_by_who_may_and_never_to_the_own_version(house: House) -> None:
    """Right and author's exclusion, gate, override and ledger are those of the commands."""
    assert house.give("dora", house.right)[0] == 403
    assert house.give("carl", house.right)[0] == 403
    assert house.give("otto", house.right)[0] == 403
    refused = (303, "refused=1&stage=Production")
    assert house.give("ana", house.right) == refused
    assert house.give("berta", house.wrong) == refused
    assert house.give("ana", house.wrong, override="mine") == refused
    assert {house.stage(house.right), house.stage(house.wrong)} == {Stage.NONE}

    assert house.give("carl", house.right, "Staging") == (303, "done=1")
    assert house.give("berta", house.right) == (303, "done=1")
    now = find_version(house.registry, str(house.right))
    assert (now.aliases, now.stage_field) == (("production",), "Production")
    assert house.give("berta", house.wrong, override="a trial, by the committee") == (303, "done=1")
    former = find_version(house.registry, str(house.right))
    assert (former.aliases, former.stage) == ((), Stage.ARCHIVED)
    assert house.give("carl", house.wrong, "Archived")[0] == 403
    assert house.give("berta", house.wrong, "Archived") == (303, "done=1")
    gone = find_version(house.registry, str(house.wrong))
    assert (gone.aliases, gone.stage) == ((), Stage.ARCHIVED)

    done = [(one["who"], one["stage"]) for one in house.entry.told("promoted") if one["outcome"] == "done"]
    assert done == [("carl", "Staging"), ("berta", "Production"), ("berta", "Production"), ("berta", "Archived")]
    assert [one["who"] for one in house.entry.told("promotion_refused")] == ["ana", "berta", "ana"]
    assert [(one["who"], one["reason"]) for one in house.entry.told("overridden")] == [
        ("berta", "a trial, by the committee")
    ]
    assert {one["who"] for one in house.entry.told("refusal")} >= {"dora", "carl", "otto"}


def test_another_sites_form_gives_nothing(house: House) -> None:
    """Nor one that does not say where it comes from, nor one without a session; it leads nowhere but to the pages."""
    assert house.give("berta", house.right, Origin="https://evil.example")[0] == 403
    bare = {"model": house.right.name, "version": "1", "stage": "Production"}
    assert house.entry.client.post("/auth/stage", data=bare).status_code == 401
    assert house.stage(house.right) is Stage.NONE
    for back in ("https://evil.example/", "//evil.example/", "/app/../auth/logout", "/auth/logout", "/app/x?done=1"):
        answer = house.send_form("ana", house.right.name, house.right.version, "Production", back=back)
        assert answer.headers["location"] == "/app/?refused=1&stage=Production"
    for model, stage in (("", "Production"), (house.right.name, "None"), (house.right.name, "production")):
        assert house.send_form("berta", model, house.right.version, stage).status_code == 403


def test_a_release_is_activated_and_rolled_back_to_by_the_form(house: House) -> None:
    """As `sirena release` does it through the entry."""
    assert house.give("berta", house.right) == (303, "done=1")
    other = houses.log_trained(house.registry, houses.trained_on(True, "AMK"))
    members = [find_version(house.registry, str(house.right)), other]
    for chosen in (members[:1], members):
        create_release(house.registry, chosen, author="ana")
    answers = [house.send_form("berta", RELEASE_MODEL, number, "Production") for number in (1, 2, 1)]
    assert [one.headers["location"].rpartition("?")[2] for one in answers] == ["done=1"] * 3
    assert house.send_form("carl", RELEASE_MODEL, 2, "Production").status_code == 403
    activated = [(one["release"].rpartition("/")[2], one["outcome"]) for one in house.entry.told("activated")]
    assert activated == [("1", "intended"), ("1", "done"), ("2", "intended"), ("2", "done")]
    assert [one["outcome"] for one in house.entry.told("rolled_back")] == ["intended", "done"]


def test_a_release_is_made_by_who_may_in_their_own_name_and_answers_nothing_yet(house: House, tmp_path: Path) -> None:
    """Of what is in production, once; refusals and the act are on record, with every file for who activates it."""
    navigates = {"Sec-Fetch-Mode": "navigate", "Accept-Language": "es"}
    empty = house.make_release("carl", **navigates)
    assert (empty.status_code, "Esto no se pudo hacer" in empty.text) == (422, True)
    assert house.give("berta", house.right) == (303, "done=1")
    for who in ("dora", "otto"):
        assert house.make_release(who).status_code == 403
    assert house.make_release("carl", Origin="https://evil.example").status_code == 403
    assert house.entry.client.post("/auth/release", data={}).status_code == 401
    assert list_releases(house.registry) == []

    made = house.make_release("carl")
    assert (made.status_code, made.headers["location"]) == (303, "/app/releases/1")
    [release] = list_releases(house.registry)
    assert (release.author, release.note, release.active) == ("carl", "for the ward", False)
    assert house.make_release("berta").headers["location"] == "/app/releases/1"
    ledger = open_ledger(Settings(home=tmp_path / "entry", profile="production"))
    created = [one for one in ledger.read(events=("release_created",)) if one.outcome == "done"]
    ledger.close()
    assert [one.who for one in created] == ["carl", "berta"]
    assert created[0].facts()["members"] == [str(house.right)]
    assert any(text.endswith("release.json") for text in created[0].facts()["files"])
    assert house.send_form("berta", RELEASE_MODEL, 1, "Production").headers["location"].endswith("done=1")
    assert {one["who"] for one in house.entry.told("refusal")} >= {"dora", "otto"}
