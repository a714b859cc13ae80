"""Releases as versions of `panel_SIR`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sirena.acts.experiment import mend_experiment
from sirena.certification.gate import Verdict
from sirena.domain.errors import GateError, UsageError
from sirena.domain.truth_table import ANSWERS
from sirena.panel.compiled import Panel
from sirena.registry.activation import activate, roll_back, served_periods
from sirena.registry.connection import Registry, RegistryUnavailableError, connect
from sirena.registry.models import log_model_version
from sirena.registry.panel_cache import load_release
from sirena.registry.release_diff import CategoryChange, differences
from sirena.registry.releases import (
    Member,
    Release,
    create_release,
    find_release,
    list_releases,
    members_at,
    read_release_document,
    release_members,
)
from sirena.registry.stages import promote
from sirena.registry.versions import Stage, find_version
from sirena.server.parts.processes import free_port
from sirena.settings.catalogue import Settings
from tests.hanging_up import hanging_up
from tests.integration.registry.registry_models import passes, verdict
from tests.prepared_servers import mlflow_server


@pytest.fixture
def releases(store: Registry) -> list[Release]:
    """The three releases."""
    return list_releases(store)


def test_a_release_names_its_members(store: Registry, releases: list[Release]) -> None:
    """Tags name each member version, and the stored file says what each was."""
    assert dict(releases[1].members) == {"AMK_NM": "modelo_AMK_NM/2", "AMP_NM": "modelo_AMP_NM/1"}
    members = release_members(store, releases[1])
    assert [(member.reference, member.edition, member.label_source) for member in members] == [
        ("modelo_AMK_NM/2", "CLSI 2025", "reference"),
        ("modelo_AMP_NM/1", "CLSI 2025", "reference"),
    ]


def test_making_the_same_release_again_makes_no_second_one(store: Registry, releases: list[Release]) -> None:
    """The same members are the same release."""
    members = [find_version(store, reference) for reference in releases[0].members.values()]
    assert create_release(store, members, author="eva").version == 1
    assert [release.version for release in list_releases(store)] == [1, 2, 3]


def test_what_is_registered_under_the_name_and_is_no_release_disturbs_nobody(
    store: Registry, releases: list[Release]
) -> None:
    """Whoever may train may do so, by a slip or on purpose: the others are listed, found and activated as before."""
    source = f"models:/{releases[0].source}"
    real = dict(releases[0].source.tags)
    for tags in (
        {},
        {"sirena.members": "[1, 2"},
        {"sirena.members": '["modelo_AMK_NM/1"]'},
        {"sirena.members": '{"AMK_NM": 1}'},
        {"sirena.members": "{}", "sirena.digest": "zz"},
    ):
        store.models.create_model_version("panel_SIR", source, tags=tags)
    assert list_releases(store) == releases
    assert find_release(store, "latest") == releases[-1]
    with pytest.raises(UsageError, match="there is no release '4'"):
        find_release(store, "4")
    assert activate(store, releases[0], approver="eva", judge=passes).release.version == 1
    forged = {**real, "sirena.sha256.release.json": "0" * 64}
    members = [find_version(store, reference) for reference in releases[0].members.values()]
    store.models.create_model_version("panel_SIR", f"models:/{releases[1].source}", tags=forged)
    assert create_release(store, members, author="eva").version == 1


def test_members_are_taken_from_a_stage_or_the_newest(store: Registry, releases: list[Release]) -> None:
    """`--from production` takes what stands there, `--from latest` the newest of each."""
    promote(store, find_version(store, "modelo_AMK_NM/1"), Stage.PRODUCTION, approver="e", verdict=verdict(True))
    assert [str(version) for version in members_at(store, "production")] == ["modelo_AMK_NM/1"]
    assert [str(version) for version in members_at(store, "latest")] == ["modelo_AMK_NM/3", "modelo_AMP_NM/1"]
    with pytest.raises(UsageError, match="no model is in staging"):
        members_at(store, "staging")


def test_two_versions_for_one_antimicrobial_are_no_release(store: Registry, releases: list[Release]) -> None:
    """A release answers a column in one way only."""
    versions = [find_version(store, f"modelo_AMK_NM/{number}") for number in (1, 2)]
    with pytest.raises(UsageError, match="one per antimicrobial"):
        create_release(store, versions, author="ana")


def test_activation_switches_and_rollback_goes_back_step_by_step(store: Registry, releases: list[Release]) -> None:
    """Activating 1, 2, 3 and rolling back twice ends at 1; the history tells it all."""
    for release in releases:
        activate(store, release, approver="eva", judge=passes)
    assert roll_back(store, approver="leo").release.version == 2
    assert roll_back(store, approver="leo").release.version == 1
    with pytest.raises(UsageError, match="no release was active before panel_SIR/1"):
        roll_back(store, approver="leo")
    periods = served_periods(store)
    assert [(period.release, period.action, period.by) for period in periods] == [
        (1, "activate", "eva"),
        (2, "activate", "eva"),
        (3, "activate", "eva"),
        (2, "rollback", "leo"),
        (1, "rollback", "leo"),
    ]
    assert [period.until for period in periods] == [period.since for period in periods[1:]] + [None]


def test_a_release_with_a_refused_member_is_not_activated(store: Registry, releases: list[Release]) -> None:
    """All refused members are named, and the active release stays."""
    activate(store, releases[0], approver="eva", judge=passes)

    def judge(member: Member) -> Verdict:
        return verdict(member.column != "AMK_NM")

    with pytest.raises(GateError, match=r"modelo_AMK_NM/2: MonotoneInMic failed: got 3 reversals"):
        activate(store, releases[1], approver="eva", judge=judge)
    assert find_release(store, "active").version == 1
    activate(store, releases[1], approver="eva", judge=judge, override="agreed 2026-11-22")
    assert served_periods(store)[-1].override == "agreed 2026-11-22"


@pytest.mark.parametrize(
    ("write", "active"), [("set_registered_model_alias", 1), ("transition_model_version_stage", 2)]
)
def test_an_activation_interrupted_by_a_crash_is_told_truly(
    store: Registry, releases: list[Release], monkeypatch: pytest.MonkeyPatch, write: str, active: int
) -> None:
    """Before the alias moved the old release answers, after it the new one, and the history agrees."""
    activate(store, releases[0], approver="eva", judge=passes)

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(store.models), write, die)
        with pytest.raises(KeyboardInterrupt):
            activate(store, releases[1], approver="eva", judge=passes)
    assert find_release(store, "active").version == active
    assert [period.release for period in served_periods(store)][-1] == active
    activate(store, releases[1], approver="eva", judge=passes)
    activate(store, releases[2], approver="eva", judge=passes)
    assert roll_back(store, approver="leo").release.version == 2
    assert roll_back(store, approver="leo").release.version == 1


def test_a_diff_names_every_changed_category(store: Registry, releases: list[Release]) -> None:
    """Between S up to 2 and S up to 4, exactly MIC 4 changes, in its three kinds and for each organism."""
    before, after = (Panel.of_release(read_release_document(store, release), release.name) for release in releases[:2])
    changes = list(differences(before, after))
    assert changes == [
        CategoryChange("AMK_NM", organism, mic, "R", "S")
        for organism in ("eco", "kpn", "sau")
        for mic in ("4", "<=4", ">=4")
    ]
    assert list(differences(after, after)) == []


def test_a_diff_tells_added_and_removed_antimicrobials(store: Registry, releases: list[Release]) -> None:
    """A column that one release lacks has no category there."""
    both = Panel.of_release(read_release_document(store, releases[0]), "both")
    only = type(both)({"AMK_NM": both.tables["AMK_NM"]}, {}, release="only")
    assert {(change.column, change.after) for change in differences(both, only)} == {("AMP_NM", "")}


@pytest.mark.parametrize("name", ["active", "production", "2", "v2", "panel_SIR/2", "panel_SIR@production", "Active"])
def test_a_release_is_found_by_its_names(store: Registry, releases: list[Release], name: str) -> None:
    """Number, alias and the words of the command line name a release."""
    activate(store, releases[1], approver="eva", judge=passes)
    assert find_release(store, name).version == 2


@pytest.mark.parametrize("name", ["9", "nightly", "", "panel_SIR/0"])
def test_an_unknown_release_is_refused_with_those_that_exist(
    store: Registry, releases: list[Release], name: str
) -> None:
    """The message helps; the empty name is the newest."""
    if not name:
        assert find_release(store, name).version == 3
        return
    with pytest.raises(UsageError) as refused:
        find_release(store, name)
    assert "1, 2, 3" in refused.value.hint


def test_a_loaded_panel_answers_and_names_its_origin(store: Registry, releases: list[Release]) -> None:
    """Every answer can be followed back to release, model and version."""
    panel = load_release("2", registry=store).panel
    [answer] = (ANSWERS[code] for code in panel.answer_column("AMK_NM", ["eco"], ["4"]))
    assert answer is not None
    assert answer.category == "S"
    assert panel.provenance_of("AMK_NM") == {
        "model": "modelo_AMK_NM",
        "version": "2",
        "release": "panel_SIR/2",
        "edition": "CLSI 2025",
        "basis": "reference",
    }


def test_an_outage_is_named_and_serving_survives_it(
    store: Registry,
    releases: list[Release],
    tmp_path: Path,
    train: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the server dies, writers are told, and readers answer from a copy checked by its hash."""
    port = free_port()
    server = mlflow_server(store.settings, port)
    settings = Settings(home=tmp_path / "client", tracking_uri=f"http://eva:geheim@127.0.0.1:{port}")
    activate(store, releases[1], approver="eva", judge=passes)
    with server:
        registry = connect(settings)
        fresh = load_release("active", settings=settings)
        monkeypatch.setattr("sirena.registry.models.log_report", lambda *_: server.stop())
        with pytest.raises(RegistryUnavailableError, match=f"http://127.0.0.1:{port} does not answer") as told:
            log_model_version(registry, train("CIP_NM"), certificate={}, certificate_html="", author="ana")
    assert "geheim" not in told.value.text
    assert told.value.hint

    with hanging_up(port) as there:
        with pytest.raises(RegistryUnavailableError, match="does not answer any more"):
            list_releases(registry)
        assert there.attempts <= 3, "MLflow's own eight attempts take four minutes"
        with pytest.raises(RegistryUnavailableError, match="does not answer any more"):
            mend_experiment(registry)

    kept = load_release("active", settings=settings)
    assert (fresh.from_cache_only, kept.from_cache_only, kept.name) == (False, True, "panel_SIR/2")
    assert kept.panel.to_json() == fresh.panel.to_json()
    with pytest.raises(RegistryUnavailableError, match="does not answer"):
        load_release("latest", settings=settings)
    [copy] = (settings.home / "panels").glob("*.json")
    copy.write_bytes(copy.read_bytes().replace(b"S", b"R"))
    with pytest.raises(RegistryUnavailableError):
        load_release("active", settings=settings)
