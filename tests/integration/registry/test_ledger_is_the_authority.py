"""Only what the ledger holds as judged and activated answers: all else is told, and is not believed."""

import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sirena.acts import releasing
from sirena.acts.answering_release import load_for_answers
from sirena.acts.judged_panel import JudgedPanelSource
from sirena.acts.judged_watch import JudgedWatch, WatchThread
from sirena.acts.recording import actor
from sirena.acts.release_condition import release_condition
from sirena.acts.served_release import served_at
from sirena.certification.gate import Verdict
from sirena.domain.errors import GateError, SirenaError, UsageError
from sirena.host.kept_panels import PANELS
from sirena.ledger.catalogue import Activated, Logout, Promoted, Uploaded
from sirena.ledger.event import ActOutcome
from sirena.ledger.store import Ledger, moment, open_ledger
from sirena.registry.activation import activate, active_version
from sirena.registry.certificates import certificate_digest, certificate_path
from sirena.registry.connection import Registry, connect
from sirena.registry.digests import canonical_json, sha256
from sirena.registry.judged_releases import UnjudgedReleaseError
from sirena.registry.model_files import ChangedFilesError, files_of
from sirena.registry.panel_cache import load_release
from sirena.registry.releases import (
    MEMBERS_TAG,
    RELEASE_FILE,
    RELEASE_MODEL,
    Member,
    find_release,
    release_members,
)
from sirena.registry.versions import IntegrityError, find_version
from sirena.server.checks.finding import CheckVerdict
from sirena.serving.source import MarkedPanel
from tests.integration.registry.registry_models import passes, verdict
from tests.recorded_activation import activate_on_record

QUESTION = ("AMK_NM", "eco", "4")
"""S by release 2 and 3, R by release 1."""


class Service:
    """A service's source, and the panel that it answers with."""

    def __init__(self, store: Registry) -> None:
        """Load what there is to answer with."""
        self.store = store
        self.ledger = open_ledger(store.settings)
        self.source = JudgedPanelSource(store.settings, self.ledger)
        self.loaded: MarkedPanel | None = None
        self.look()

    def look(self) -> "Service":
        """Ask the source, as the service does at every poll."""
        try:
            self.loaded = self.source.fetch(self.loaded.mark if self.loaded else None) or self.loaded
        except SirenaError as error:
            self.failure: SirenaError | None = error
        else:
            self.failure = None
        return self

    @property
    def release(self) -> str:
        """What answers."""
        assert self.loaded is not None, self.failure
        return self.loaded.panel.release

    @property
    def category(self) -> str:
        """What is answered to the question."""
        assert self.loaded is not None, self.failure
        answer = self.loaded.panel.answer_one(*QUESTION)
        assert answer is not None
        return answer.category.value

    @property
    def alarms(self) -> list[str]:
        """Where the last look found something."""
        return [alarm.store for alarm in self.source.alarms]

    @property
    def on_record(self) -> list[str]:
        """Where something was found, by the ledger."""
        return [str(entry.facts()["store"]) for entry in self.ledger.read(events=("alarm",))]


@pytest.fixture
def active(store: Registry) -> Registry:
    """A store in which release 1 was activated on record."""
    activate_on_record(store, "1")
    return store


@pytest.fixture
def service(active: Registry) -> Service:
    """A service that answers with release 1."""
    started = Service(active)
    assert (started.release, started.category, started.alarms) == ("panel_SIR/1", "R", [])
    return started


def forge_copy(store: Registry) -> int:
    """Register, past the entry, a copy of release 1 that calls everything S, with tags that fit; return its number."""
    release = find_release(store, "1")
    folder = Path(file_of(store, "1")).parent.parent
    forged = folder.with_name(folder.name + "-forged")
    shutil.copytree(folder, forged)
    document = json.loads((folder / "artifacts" / RELEASE_FILE).read_bytes())
    other = json.loads(Path(file_of(store, "3")).read_bytes())
    document["tables"] = other["tables"]
    content = canonical_json(document)
    (forged / "artifacts" / RELEASE_FILE).write_bytes(content)
    tags = {**release.source.tags, f"sirena.sha256.{RELEASE_FILE}": sha256(content)}
    made = store.models.create_model_version(RELEASE_MODEL, str(forged), tags=tags)
    return int(made.version)


def file_of(store: Registry, number: str) -> str:
    """Return where a release's file lies."""
    location = store.models.get_model_version_download_uri(RELEASE_MODEL, number)
    return str(store.settings.artifacts / location.removeprefix("mlflow-artifacts:/") / "artifacts" / RELEASE_FILE)


def in_database(store: Registry, statement: str, *values: str) -> None:
    """Change MLflow's database past MLflow."""
    with closing(sqlite3.connect(store.settings.home / "mlflow.db")) as connection, connection:
        assert connection.execute(statement, values).rowcount


def in_ledger(store: Registry, *statements: str) -> None:
    """Change the ledger's database past the ledger, triggers lifted and put back."""
    ledger = open_ledger(store.settings)
    ledger.close()
    with closing(sqlite3.connect(store.settings.home / "ledger" / "ledger.db")) as connection, connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert connection.execute(statement).rowcount
        for _, sql in triggers:
            connection.execute(sql)


def test_a_forged_alias_is_found_and_what_was_judged_goes_on_answering(service: Service) -> None:
    """Another release under the alias: told, on record once, seen by status; over when the alias is put back."""
    store = service.store
    store.models.set_registered_model_alias(RELEASE_MODEL, "production", "2")
    for _ in range(3):
        service.look()
        assert (service.release, service.category, service.alarms) == ("panel_SIR/1", "R", ["alias"])
    assert service.on_record == ["alias"]
    condition = release_condition(store.settings, [])
    assert condition.verdict is CheckVerdict.WRONG
    assert "panel_SIR/2 has the alias production; the ledger's release is panel_SIR/1" in condition.told
    assert Service(store).category == "R"
    activate_on_record(store, "1")
    assert service.look().alarms == []
    assert release_condition(store.settings, []).verdict is CheckVerdict.WELL


def test_a_copied_release_with_another_table_never_answers(service: Service) -> None:
    """The attack as it was made: R turned to S, tags that fit, the alias moved; a rollback does not bring it back."""
    store = service.store
    number = forge_copy(store)
    store.models.set_registered_model_alias(RELEASE_MODEL, "production", str(number))
    assert service.look().category == "R"
    assert service.alarms == ["alias"]
    activate_on_record(store, "2")
    assert service.look().release == "panel_SIR/2"
    assert releasing.roll_back(store).release.name == "panel_SIR/1"
    assert (service.look().category, service.alarms) == ("R", [])


def test_a_forged_release_is_not_activated_on_one_persons_machine_either(active: Registry) -> None:
    """Without a server to prove it, a release still has to answer with its members' tables."""
    number = forge_copy(active)
    with pytest.raises(SirenaError, match="does not hold what its members answer"):
        activate_on_record(active, str(number))
    assert active_version(active) == 1


def test_a_release_under_the_alias_that_was_never_judged_does_not_answer(store: Registry) -> None:
    """An activation that the ledger does not know is none, and says what to do."""
    activate(store, find_release(store, "2"), approver="eva", judge=passes)
    service = Service(store)
    assert service.loaded is None
    assert isinstance(service.failure, UnjudgedReleaseError)
    assert "knows no release as judged" in service.failure.text
    assert service.on_record == ["alias"]
    assert release_condition(store.settings, []).verdict is CheckVerdict.WRONG


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("UPDATE model_version_tags SET value = ? WHERE name = 'panel_SIR' AND version = 1 AND key = ?", key)
        for key in ("sirena.digest", f"sirena.sha256.{RELEASE_FILE}", MEMBERS_TAG)
    ],
)
def test_a_forged_row_of_mlflows_database_is_found(service: Service, statement: str, value: str) -> None:
    """Digest, hash or members of the row say otherwise than was judged."""
    in_database(service.store, statement, "0" * 64, value)
    assert (service.look().category, service.alarms, service.on_record) == ("R", ["row"], ["row"])
    assert Service(service.store).category == "R"
    assert release_condition(service.store.settings, []).verdict is CheckVerdict.WRONG


def test_a_row_that_leads_elsewhere_or_is_gone_is_found(service: Service) -> None:
    """The row names another release's folder as its own; then it is deleted."""
    store = service.store
    elsewhere = Path(file_of(store, "3")).parent.parent
    change = "UPDATE model_versions SET source = ?, storage_location = ? WHERE name = 'panel_SIR' AND version = 1"
    in_database(store, change, str(elsewhere), str(elsewhere))
    assert (service.look().category, service.alarms) == ("R", ["artifact"])
    in_database(store, "DELETE FROM model_versions WHERE name = ? AND version = 1", "panel_SIR")
    assert (service.look().category, service.alarms) == ("R", ["row"])
    assert Service(store).category == "R"


@pytest.mark.parametrize("forge", [lambda file: file.write_bytes(file.read_bytes().replace(b"S", b"R")), Path.unlink])
def test_a_changed_file_of_the_artifact_store_is_found(service: Service, forge: Callable[[Path], Any]) -> None:
    """Changed or gone: told while the copy answers, also after a restart; without a copy nothing unjudged answers."""
    store = service.store
    forge(Path(file_of(store, "1")))
    assert (service.look().category, service.alarms, service.on_record) == ("R", ["artifact"], ["artifact"])
    assert Service(store).category == "R"
    shutil.rmtree(store.settings.home / "panels")
    restarted = Service(store)
    assert restarted.loaded is None
    assert isinstance(restarted.failure, UnjudgedReleaseError)


@pytest.mark.parametrize("what", ["copy", "note", "removed"])
def test_a_changed_copy_on_this_machine_is_found_and_written_anew(service: Service, what: str) -> None:
    """The kept copy or its note changed by whoever may write there: told, and mended from the artifact store."""
    folder = service.store.settings.home / "panels"
    [copy] = (file for file in folder.glob("*.json") if len(file.stem) == 64)
    true = copy.read_bytes()
    if what == "copy":
        copy.write_bytes(true.replace(b'"S"', b'"R"') + b" ")
    elif what == "note":
        (folder / "judged.json").write_text('{"release": "panel_SIR/3", "digest": "", "content": ""}')
    else:
        copy.unlink()
    assert (service.look().category, service.alarms, service.on_record) == ("R", ["cache"], ["cache"])
    assert service.look().alarms == []
    assert copy.read_bytes() == true


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET details = replace(details, 'panel_SIR/1', 'panel_SIR/3') WHERE event = 'activated'",
        "DELETE FROM ledger_entries WHERE seq = (SELECT max(seq) FROM ledger_entries)",
        "UPDATE ledger_entries SET hash = previous WHERE seq = (SELECT max(seq) FROM ledger_entries)",
    ],
)
def test_a_forged_row_of_the_ledger_is_found(service: Service, statement: str) -> None:
    """What was judged before it goes on answering, also after a restart, and nothing can be activated."""
    store = service.store
    in_ledger(store, statement)
    for one in (service.look(), Service(store)):
        assert (one.release, one.category, one.alarms) == ("panel_SIR/1", "R", ["ledger"])
    # or every second would bring a look at all of MLflow, for as long as nobody mends it
    assert not service.source.has_news()
    with pytest.raises(SirenaError, match="ledger"):
        activate_on_record(store, "3")
    assert release_condition(store.settings, []).verdict is not CheckVerdict.WELL


def test_a_chain_written_anew_is_found_by_whoever_has_read_it(service: Service) -> None:
    """Every hash computed anew, and the noted end with it: a service that runs remembers what it read."""
    store, home = service.store, service.store.settings.home / "ledger"
    service.ledger.close()
    for file in home.iterdir():
        file.unlink()
    other = open_ledger(store.settings)
    other.create()
    facts = actor(store.settings)
    release = find_release(store, "3")
    for _ in range(2):
        other.append(Activated(**facts, release=release.name, digest=release.digest, content="0" * 64))
    assert (service.look().category, service.alarms) == ("R", ["ledger"])


def test_the_ledger_away_leaves_the_last_judged_release_answering(service: Service, tmp_path: Path) -> None:
    """A ledger that cannot be opened: the loaded panel stays, and after a restart the copy that was noted answers."""
    store = service.store
    service.ledger.close()
    folder = store.settings.home / "ledger"
    folder.rename(tmp_path / "away")
    folder.mkdir()
    (folder / "ledger.db").mkdir()
    shutil.copy(next((tmp_path / "away").glob("head-*.json")), folder)
    for one in (service.look(), Service(store)):
        assert (one.release, one.category) == ("panel_SIR/1", "R")


def test_a_switch_under_way_is_no_forgery(service: Service) -> None:
    """Announced with what the gate judged, then the alias moved, then the process died: the alias bears it out."""
    store = service.store
    release = find_release(store, "2")
    content = Path(file_of(store, "2")).read_bytes()
    intention = Activated(
        **actor(store.settings),
        outcome=ActOutcome.INTENDED,
        release=release.name,
        digest=release.digest,
        content=sha256(content),
    )
    service.ledger.append(intention)
    assert (service.look().release, service.alarms) == ("panel_SIR/1", [])
    store.models.set_registered_model_alias(RELEASE_MODEL, "production", "2")
    assert (service.look().release, service.alarms) == ("panel_SIR/2", [])


def test_a_decision_on_record_is_news_until_the_next_look(service: Service) -> None:
    """What else the ledger takes in is none."""
    assert not service.source.has_news()
    service.ledger.append(Logout(**actor(service.store.settings)))
    assert not service.source.has_news()
    activate_on_record(service.store, "2")
    assert service.source.has_news()
    assert service.look().release == "panel_SIR/2"
    assert not service.source.has_news()


def test_rollback_goes_where_the_ledger_says_and_only_if_it_is_what_was_judged(active: Registry) -> None:
    """MLflow's own history names a forgery as the release before; and a changed file stops the rollback."""
    activate_on_record(active, "2")
    for key, value in active.models.get_registered_model(RELEASE_MODEL).tags.items():
        forged = value.replace('"previous": 1', '"previous": 3')
        active.models.set_registered_model_tag(RELEASE_MODEL, key, forged)
    file = Path(file_of(active, "1"))
    true = file.read_bytes()
    file.write_bytes(true + b" ")
    with pytest.raises(UnjudgedReleaseError, match="is not what was judged"):
        releasing.roll_back(active)
    assert active_version(active) == 2
    file.write_bytes(true)
    assert releasing.roll_back(active).release.name == "panel_SIR/1"
    with pytest.raises(UsageError, match="no release was active before panel_SIR/1"):
        releasing.roll_back(active)


def test_audit_served_reports_what_was_judged(active: Registry) -> None:
    """Whatever MLflow's alias and history say; what differs now stands beside it."""
    ledger: Ledger = open_ledger(active.settings)
    [entry] = [one for one in ledger.read(events=("activated",)) if one.outcome == "done"]
    number = forge_copy(active)
    active.models.set_registered_model_alias(RELEASE_MODEL, "production", str(number))
    served = served_at(active, ledger, datetime.now(UTC))
    assert served is not None
    assert (served.release, served.ledger_entry, served.since) == ("panel_SIR/1", entry.seq, entry.at)
    assert served.remarks == (f"panel_SIR/{number} has the alias production; the ledger's release is panel_SIR/1",)
    assert [version.edition for version in served.versions] == ["CLSI 2025", "CLSI 2025"]
    file = Path(file_of(active, "1"))
    file.write_bytes(file.read_bytes() + b" ")
    changed = served_at(active, ledger, datetime.now(UTC))
    assert changed is not None
    assert changed == replace(served, remarks=changed.remarks, versions=())
    assert "release.json of panel_SIR/1 is not what was judged" in changed.remarks
    assert moment(datetime.now(UTC)) > entry.at


def test_a_file_is_answered_by_what_was_judged(active: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sirena interpret` believes the alias no more than the service does."""
    monkeypatch.setenv("SIRENA_HOME", str(active.settings.home))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    active.models.set_registered_model_alias(RELEASE_MODEL, "production", "3")
    loaded = load_for_answers("active")
    assert (loaded.name, loaded.from_cache_only) == ("panel_SIR/1", False)
    assert loaded.alarms == ("panel_SIR/3 has the alias production; the ledger's release is panel_SIR/1",)


def test_a_judged_copy_answers_a_file_without_mlflow(active: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is kept, a database of MLflow that is gone changes nothing; a changed copy is not answered from."""
    monkeypatch.setenv("SIRENA_HOME", str(active.settings.home))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert load_for_answers("active").name == "panel_SIR/1"
    database = active.settings.home / "mlflow.db"
    database.rename(database.with_suffix(".away"))
    loaded = load_for_answers("active")
    assert (loaded.name, loaded.from_cache_only, loaded.alarms) == ("panel_SIR/1", False, ())
    assert not database.exists()
    database.with_suffix(".away").rename(database)
    for copy in (active.settings.home / PANELS).glob("*[0-9a-f].json"):
        copy.write_bytes(copy.read_bytes() + b" ")
    assert "the kept copy of panel_SIR/1 was changed" in load_for_answers("active").alarms


def test_a_copy_that_cannot_be_written_stops_no_answer_and_is_no_alarm(active: Registry) -> None:
    """The folder is in the way of a file, as where its rights or the disk forbid it."""
    panels = active.settings.home / PANELS
    shutil.rmtree(panels, ignore_errors=True)
    panels.write_text("in the way")
    started = Service(active)
    for _ in range(2):
        assert (started.look().release, started.alarms, started.failure) == ("panel_SIR/1", [], None)


def test_other_entries_cost_no_alarm(service: Service) -> None:
    """A ledger that grows is read on from where it was read before."""
    for _ in range(5):
        service.ledger.append(Logout(**actor(service.store.settings)))
        assert service.look().alarms == []


def test_a_deleted_experiment_stops_nothing(service: Service, train: Callable[..., Any]) -> None:
    """Releases are listed, activated and rolled back, what answered is told; what makes runs restores it, on record."""
    store = service.store
    store.client.delete_experiment(store.experiment_id)
    registry = connect(store.settings)
    assert registry.experiment_is_deleted
    activate_on_record(registry, "2")
    assert (service.look().release, service.alarms) == ("panel_SIR/2", [])
    assert releasing.roll_back(registry).release.name == "panel_SIR/1"
    served = served_at(registry, service.ledger, datetime.now(UTC))
    assert served is not None
    assert (served.release, served.remarks) == ("panel_SIR/1", ())
    assert "was deleted" in release_condition(store.settings, []).told
    members = [find_version(registry, name) for name in ("modelo_AMK_NM/3",)]
    assert releasing.create_release(registry, members, author="ana").version == 4
    assert not registry.experiment_is_deleted
    [mended] = [one.facts() for one in service.ledger.read(events=("administered",)) if one.outcome == "done"]
    assert mended == {"action": "restore", "resource": f"experiment {store.settings.experiment_name}"}


def test_a_tag_of_a_version_tells_no_other_edition(active: Registry) -> None:
    """Edition and labels of a release come from the certificate and the report that its versions' hashes prove."""
    for key, value in (("sirena.edition", "EUCAST 2031"), ("sirena.label_source", "file")):
        active.models.set_model_version_tag("modelo_AMK_NM", "3", key, value)
    release = releasing.create_release(active, [find_version(active, "modelo_AMK_NM/3")], author="ana")
    [member] = release_members(active, release)
    assert (member.edition, member.label_source) == ("CLSI 2025", "reference")
    activate_on_record(active, str(release.version))
    provenance = load_release(release.name, registry=active).panel.provenance_of("AMK_NM")
    assert (provenance["edition"], provenance["basis"]) == ("CLSI 2025", "reference")


@pytest.mark.parametrize("pointer", ["evil", "certificates/evil.json", ""])
def test_a_pointer_to_no_certificate_blocks_nothing(active: Registry, pointer: str) -> None:
    """The certificate logged with the version stays in force, and its releases can be made."""
    active.models.set_model_version_tag("modelo_AMK_NM", "3", "sirena.certificate", pointer)
    version = find_version(active, "modelo_AMK_NM/3")
    assert certificate_path(version) == "certificate.json"
    assert len(certificate_digest(version)) == 64
    release = releasing.create_release(active, [version], author="ana")
    assert activate_on_record(active, str(release.version)).changed


def test_a_damaged_version_blocks_itself_alone_and_is_named(active: Registry) -> None:
    """All that cannot be judged are named at once; releases without them are activated all the same."""
    active.models.set_registered_model_tag(RELEASE_MODEL, "sirena.history.20200101T000000.000000Z.x", "{")
    active.models.set_model_version_tag("modelo_AMK_NM", "3", "sirena.made_by", "{")
    assert find_version(active, "modelo_AMK_NM/3").makers == ("{",)

    def judge(member: Member) -> Verdict:
        if member.reference in ("modelo_AMK_NM/3", "modelo_AMP_NM/1"):
            raise IntegrityError(f"{member.reference} was changed")
        return verdict(True)

    with pytest.raises(GateError, match=r"modelo_AMK_NM/3 was changed\n.*modelo_AMP_NM/1 was changed"):
        activate(active, find_release(active, "3"), approver="eva", judge=judge, override="because")
    only = releasing.create_release(active, [find_version(active, "modelo_AMK_NM/2")], author="ana")
    assert activate(active, only, approver="eva", judge=judge).changed


@pytest.mark.parametrize("change", ["changed", "added", "removed"])
def test_a_file_changed_after_it_was_judged_is_named_and_refused(active: Registry, change: str) -> None:
    """The code that MLflow's stock server would run is a file like any other: no rollback, no activation with it."""
    activate_on_record(active, "2")
    folder = Path(file_of(active, "1")).parent.parent
    code = next(folder.glob("code/*.zip"))
    file = code.with_name("more.py") if change == "added" else code
    if change == "removed":
        file.unlink()
    else:
        file.write_text("import os", encoding="utf-8")
    told = rf"{file.relative_to(folder)} \({change}\)"
    with pytest.raises(ChangedFilesError, match=told):
        releasing.roll_back(active)
    with pytest.raises(ChangedFilesError, match=told):
        activate_on_record(active, "1")
    assert active_version(active) == 2


def test_a_member_whose_files_were_changed_is_named_and_refused(active: Registry) -> None:
    """As the ledger noted them when the version was approved, and by whom they were written through the entry."""
    member = find_version(active, "modelo_AMK_NM/2")
    ledger, facts = open_ledger(active.settings), actor(active.settings)
    noted = files_of(active, member)
    assert all(len(line.partition(" ")[0]) == 64 for line in noted)
    assert {"MLmodel", "artifacts/truth_table.json"} <= {line.partition(" ")[2] for line in noted}
    ledger.append(Promoted(**facts, model=member.name, version=2, stage="Production", files=noted))
    [writer] = ledger.append(Uploaded(**{**facts, "who": "carl"}, resource=member.run_id, act=member.run_id))
    location = active.models.get_model_version_download_uri(member.name, "2")
    folder = active.settings.artifacts / location.removeprefix("mlflow-artifacts:/")
    (folder / "MLmodel").write_text("flavors: {}", encoding="utf-8")
    (folder / "certificates").mkdir()
    (folder / "certificates" / "later.json").write_text("{}", encoding="utf-8")
    told = rf"modelo_AMK_NM/2: files .*: MLmodel \(changed\); .* written by carl \(entry {writer.seq}\)"
    with pytest.raises(GateError, match=told):
        activate_on_record(active, "2")
    assert active_version(active) == 1


def test_what_a_release_is_made_of_is_noted_once(active: Registry) -> None:
    """Making it again does not note a changed file as if it had been so."""
    members = [find_version(active, "modelo_AMK_NM/2")]
    release = releasing.create_release(active, members, author="ana")
    folder = Path(file_of(active, str(release.version))).parent.parent
    (folder / "MLmodel").write_text("flavors: {}", encoding="utf-8")
    with pytest.raises(ChangedFilesError, match=r"MLmodel \(changed\)"):
        releasing.create_release(active, members, author="ana")


def test_whoever_may_write_the_ledger_watches_and_records(active: Registry) -> None:
    """What answers may only read the ledger on a server; the access service looks as often, and records."""
    settings = active.settings.model_copy(update={"poll_seconds": 0.05})
    ledger = open_ledger(settings)
    end = time.monotonic() + 60
    with WatchThread(JudgedWatch(settings, ledger)):
        active.models.set_registered_model_alias(RELEASE_MODEL, "production", "2")
        while not (found := list(ledger.read(events=("alarm",)))):
            assert time.monotonic() < end, "nothing was recorded"
            time.sleep(0.05)
    [alarm] = found
    assert (alarm.who, alarm.facts()["store"], alarm.facts()["release"]) == ("", "alias", "panel_SIR/1")


BESIDE = {
    "description": ("MLmodel", "changed"),
    "environment": ("requirements.txt", "changed"),
    "code": ("code/*.zip", "changed"),
    "removed": ("code/*.zip", "removed"),
    "added": ("code/more.py", "added"),
}
"""By kind of file that lies beside the one that is answered from: where it lies, and what happens to it."""


def change(folder: Path, pattern: str, what: str) -> tuple[str, Callable[[], object]]:
    """Change, add or remove a file of a folder; return its path there, and what mends it."""
    if what == "added":
        file = next(folder.glob(pattern.rpartition("/")[0])) / "more.py"
        file.write_text("import os", encoding="utf-8")
        return file.relative_to(folder).as_posix(), file.unlink
    file = next(folder.glob(pattern))
    true = file.read_bytes()
    if what == "removed":
        file.unlink()
    else:
        file.write_bytes(true + b" ")
    return file.relative_to(folder).as_posix(), lambda: file.write_bytes(true)


@pytest.mark.parametrize("kind", BESIDE)
def test_the_first_look_compares_every_file_beside_the_release(active: Registry, kind: str) -> None:
    """A service that starts tells of it and answers by what was judged, until it is mended; status tells it too."""
    path, mend = change(Path(file_of(active, "1")).parent.parent, *BESIDE[kind])
    service = Service(active)
    assert (service.release, service.category, service.alarms) == ("panel_SIR/1", "R", ["artifact"])
    assert f"panel_SIR/1: files are not what they were when the ledger noted them: {path} ({BESIDE[kind][1]})" in [
        alarm.text for alarm in service.source.alarms
    ]
    for _ in range(3):
        assert service.look().alarms == ["artifact"]
    assert service.on_record == ["artifact"]
    if kind == "code":
        assert release_condition(active.settings, []).verdict is CheckVerdict.WRONG
    mend()
    assert service.look().alarms == []


@pytest.mark.parametrize("name", ["truth_table.json", "certificate.json", "report.json"])
def test_files_by_which_a_member_was_judged_are_compared_at_the_first_look_and_in_turn(
    active: Registry, name: str
) -> None:
    """The table by the release's own file, certificate and report by what the ledger noted of the version."""
    member = find_version(active, release_members(active, find_release(active, "1"))[0].reference)
    noted = Promoted(
        **actor(active.settings),
        model=member.name,
        version=member.version,
        stage="Production",
        files=files_of(active, member),
    )
    open_ledger(active.settings).append(noted)
    running = Service(active)
    assert running.alarms == []
    location = active.models.get_model_version_download_uri(member.name, str(member.version))
    folder = active.settings.artifacts / location.removeprefix("mlflow-artifacts:/")
    path, mend = change(folder, f"artifacts/{name}", "changed" if name == "truth_table.json" else "removed")
    assert Service(active).alarms == ["artifact"]
    turns = len(release_members(active, find_release(active, "1"))) + 1
    assert ["artifact"] in [running.look().alarms for _ in range(turns)]
    assert (running.release, running.category, running.alarms) == ("panel_SIR/1", "R", ["artifact"])
    assert [alarm.text.partition(" (")[0] for alarm in running.source.alarms] == [
        f"{member}: files are not what they were when the ledger noted them: {path}"
    ]
    mend()
    assert running.look().alarms == []


def test_a_member_that_was_removed_on_record_is_no_alarm(active: Registry) -> None:
    """Its table is in the release's own file, and who removed it is in the ledger."""
    member = find_version(active, release_members(active, find_release(active, "1"))[0].reference)
    active.models.delete_model_version(member.name, str(member.version))
    assert Service(active).alarms == []


def test_a_switch_compares_the_files_of_the_new_release(service: Service) -> None:
    """What was changed after its activation and before it is taken up is told, and its own file answers."""
    activate_on_record(service.store, "2")
    change(Path(file_of(service.store, "2")).parent.parent, "MLmodel", "changed")
    assert (service.look().release, service.category, service.alarms) == ("panel_SIR/2", "S", ["artifact"])


def test_an_alarm_of_the_ledger_is_over_at_the_next_look_after_a_person_let_it_go_on(service: Service) -> None:
    """An older copy of the ledger put back: the loss is told, and `audit resume` ends it without a restart."""
    store = service.store
    activate_on_record(store, "2")
    assert service.look().release == "panel_SIR/2"
    in_ledger(store, "DELETE FROM ledger_entries WHERE details LIKE '%panel_SIR/2%'")
    assert (service.look().release, service.alarms) == ("panel_SIR/2", ["ledger"])
    service.ledger.resume(who="eva", origin="cli", reason="backup put back")
    # by the ledger that is there now nobody ever activated release 2, which has the alias
    assert (service.look().release, service.alarms) == ("panel_SIR/1", ["alias"])
    activate_on_record(store, "2")
    assert (service.look().release, service.alarms) == ("panel_SIR/2", [])


def test_an_entry_appended_with_the_ledgers_own_right_is_believed(service: Service) -> None:
    """The limit of what the ledger covers: it answers by the file that it names and by no other, with an alarm."""
    store, release = service.store, find_release(service.store, "3")
    for content, answering in (
        ("0" * 64, "panel_SIR/1"),
        (sha256(Path(file_of(store, "3")).read_bytes()), "panel_SIR/3"),
    ):
        entry = Activated(**actor(store.settings), release=release.name, digest=release.digest, content=content)
        service.ledger.append(entry)
        assert service.look().release == answering
        assert "alias" in service.alarms


def test_what_loading_a_model_leaves_on_one_persons_machine_is_no_change(active: Registry) -> None:
    """MLflow and Python write into the folder of a model that they load where it lies."""
    folder = Path(file_of(active, "1")).parent.parent
    (folder / "registered_model_meta").write_text("model_name: panel_SIR", encoding="utf-8")
    # the second is of a model whose code was logged as a folder
    for compiled in ("__pycache__/served.cpython-311.pyc", "code/sirena_x/panel/__pycache__/compiled.cpython-311.pyc"):
        (folder / compiled).parent.mkdir(parents=True)
        (folder / compiled).write_bytes(b"compiled")
    assert Service(active).alarms == []
    activate_on_record(active, "2")
    assert releasing.roll_back(active).release.name == "panel_SIR/1"
    on_a_server = replace(active, settings=active.settings.model_copy(update={"profile": "production"}))
    added = {line.partition(" ")[2] for line in files_of(on_a_server, find_release(active, "1").source)}
    assert "registered_model_meta" in added
