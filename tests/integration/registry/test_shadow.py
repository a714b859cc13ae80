"""A release is named to answer unseen, on record, and the service asks it only while its file is what was named."""

import io
from pathlib import Path

import httpx2 as httpx
import pytest

from sirena.acts.judged_panel import JudgedPanelSource
from sirena.acts.shadowing import name_shadow
from sirena.domain.errors import UsageError
from sirena.ledger.store import open_ledger
from sirena.registry.connection import Registry
from sirena.registry.judged_releases import UnjudgedReleaseError
from sirena.registry.releases import RELEASE_FILE, RELEASE_MODEL, SHADOW_ALIAS, create_release, find_release
from sirena.serving.application import create_app
from sirena.serving.logs import ServiceLog
from sirena.serving.server import bind, serve_beside, url_of
from sirena.training.asking_apart import NetworkAsker
from tests.integration.registry import house as houses
from tests.integration.registry.house import API
from tests.integration.registry.registry_models import run
from tests.recorded_activation import activate_on_record
from tests.waiting import wait_until


@pytest.fixture
def source(store: Registry) -> JudgedPanelSource:
    """What a service asks, where release 1 is active."""
    activate_on_record(store, "1")
    return JudgedPanelSource(store.settings, open_ledger(store.settings))


def test_the_service_learns_of_it_by_the_ledger_and_by_nothing_else(store: Registry, source: JudgedPanelSource) -> None:
    """The alias shows it to people; moving that past Sirena changes nothing."""
    store.models.set_registered_model_alias(RELEASE_MODEL, SHADOW_ALIAS, "3")
    source.fetch(None)
    assert source.shadow_mark is None
    name_shadow(store, find_release(store, "2"))
    assert source.has_news()
    source.fetch(None)
    assert source.load_shadow().release == "panel_SIR/2"
    assert find_release(store, "2").source.aliases == (SHADOW_ALIAS,)
    name_shadow(store, None)
    source.fetch(None)
    assert source.shadow_mark is None
    assert not find_release(store, "2").source.aliases
    with pytest.raises(UsageError, match="compared with itself"):
        name_shadow(store, find_release(store, "1"))
    told = [(entry.outcome, entry.facts().get("release", "")) for entry in open_ledger(store.settings).read()]
    assert told[-6:] == [
        ("intended", "panel_SIR/2"),
        ("done", "panel_SIR/2"),
        ("intended", ""),
        ("done", ""),
        ("intended", "panel_SIR/1"),
        ("failed", "panel_SIR/1"),
    ]


def test_a_release_that_somebody_changed_is_not_asked(store: Registry, source: JudgedPanelSource) -> None:
    """Its file in the artifact store is not the one that was named; what is active answers."""
    name_shadow(store, find_release(store, "2"))
    location = store.models.get_model_version_download_uri(RELEASE_MODEL, "2")
    file = Path(store.settings.artifacts / location.removeprefix("mlflow-artifacts:/") / "artifacts" / RELEASE_FILE)
    file.write_bytes(file.read_bytes().replace(b"panel", b"penal", 1) + b" ")
    fetched = source.fetch(None)
    assert fetched is not None
    assert fetched.panel.release == "panel_SIR/1"
    with pytest.raises(UnjudgedReleaseError, match="is not what was judged"):
        source.load_shadow()


def test_people_see_what_it_would_change(
    store: Registry, source: JudgedPanelSource, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command, of a service that runs: named, asked, counted, told to stop."""
    bound = bind("127.0.0.1", 0)
    monkeypatch.setenv("SIRENA_HOME", str(store.settings.home))
    monkeypatch.setenv("SIRENA_PORT", url_of(bound).rpartition(":")[2])
    app = create_app(source, poll_seconds=3600, log=ServiceLog(io.StringIO()))
    with serve_beside(app, bound), httpx.Client(base_url=url_of(bound), timeout=60) as client:
        wait_until(lambda: app.state.holder.loaded_panel is not None)
        code, _, error = run(monkeypatch, capsys, "release", "diff", "--shadow")
        assert (code, "there is no shadow release" in error) == (2, True)
        code, said, error = run(monkeypatch, capsys, "release", "shadow", "2")
        assert (code, said.partition(";")[0]) == (0, "panel_SIR/2 is the shadow release within seconds"), error
        wait_until(lambda: client.get("/shadow").json()["shadow"] == "panel_SIR/2")
        rows = [{"ORGANISM": "eco", "AMK_NM": mic, "AMP_NM": mic} for mic in ("4", "4", "1")]
        answer = client.post("/invocations", json={"dataframe_records": rows})
        assert [row["Eti_AMK_NM"] for row in answer.json()["predictions"]] == ["R", "R", "S"]
        wait_until(lambda: client.get("/shadow").json()["compared"] == 1)
        code, said, error = run(monkeypatch, capsys, "release", "diff", "--shadow")
        assert code == 0, error
        assert "From panel_SIR/1 to the shadow release panel_SIR/2" in said
        assert ["R", "->", "S", "AMK_NM", "2"] in [line.split() for line in said.splitlines()]
        assert "2 of 6 answers to 1 requests differ" in said
        assert run(monkeypatch, capsys, "release", "shadow", "--off")[:2] == (0, "there is no shadow release\n")
        wait_until(lambda: client.get("/shadow").json()["shadow"] is None)
    assert run(monkeypatch, capsys, "release", "diff", "--shadow")[0] == 1


def test_a_list_of_releases_marks_it_until_it_answers(
    store: Registry, source: JudgedPanelSource, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside the active one; once it is that itself, MLflow's alias is gone too."""
    monkeypatch.setenv("SIRENA_HOME", str(store.settings.home))

    def marks() -> dict[str, str]:
        code, said, error = run(monkeypatch, capsys, "release", "list")
        assert code == 0, error
        return {line.split("\t")[0]: line.split("\t")[1] for line in said.splitlines()}

    source.fetch(None)
    name_shadow(store, find_release(store, "2"))
    assert marks() == {"panel_SIR/1": "active", "panel_SIR/2": "shadow", "panel_SIR/3": ""}
    assert run(monkeypatch, capsys, "release", "show", "2")[1].startswith("panel_SIR/2 (shadow), made by")
    activate_on_record(store, "2")
    assert marks() == {"panel_SIR/1": "", "panel_SIR/2": "active", "panel_SIR/3": ""}
    assert SHADOW_ALIAS not in find_release(store, "2").source.aliases
    name_shadow(store, find_release(store, "1"))
    activate_on_record(store, "3")
    assert marks() == {"panel_SIR/1": "shadow", "panel_SIR/2": "", "panel_SIR/3": "active"}


def test_whoever_may_make_releases_names_it_through_the_entry(
    registry: Registry, asker: NetworkAsker, tmp_path: Path
) -> None:
    """By MLflow's alias, in any spelling; it is on record with the digest of the file, and others are refused."""
    with houses.standing(registry, asker, tmp_path / "entry") as house:
        version = houses.log_trained(registry, houses.trained_on(True))
        release = create_release(registry, [version], author="ana")
        assert house.alias("dora", release.source, "shadow").status_code == 403
        assert house.alias("carl", release.source, "Shadow").status_code == 200
        assert find_release(registry, "1").source.aliases == (SHADOW_ALIAS,)
        body = {"name": RELEASE_MODEL, "alias": "shadow"}
        assert house.send("dora", "DELETE", f"{API}/registered-models/alias", body).status_code == 403
        assert house.send("berta", "DELETE", f"{API}/registered-models/alias", body).status_code == 200
        told = house.entry.told("shadowed")
    assert [(one["who"], one["outcome"], one["release"]) for one in told] == [
        ("carl", "intended", "panel_SIR/1"),
        ("carl", "done", "panel_SIR/1"),
        ("berta", "intended", ""),
        ("berta", "done", ""),
    ]
    assert len(told[1]["content"]) == 64
