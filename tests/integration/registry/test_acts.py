"""What commands do is in the audit ledger, refusals included; without a ledger they do nothing."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sirena.domain.truth_table import TruthTable
from sirena.ledger.store import Ledger, open_ledger
from sirena.ledger.verification import verify
from sirena.registry.connection import Registry
from sirena.registry.releases import RELEASE_MODEL, find_release
from sirena.registry.versions import Stage, find_version
from tests.integration.registry.registry_models import Log, run, wrong

Sirena = Callable[..., tuple[int, str, str]]
"""Runs a command and gives exit code, output and messages."""


@pytest.fixture
def sirena(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sirena:
    """Run the command line; give exit code, output and messages."""
    return lambda *arguments: run(monkeypatch, capsys, *arguments)


def ledger_of(registry: Registry) -> Ledger:
    """Return the installation's ledger."""
    return open_ledger(registry.settings)


def told(registry: Registry) -> list[tuple[str, str]]:
    """Return event and outcome of every entry that is no mere intention."""
    entries = ledger_of(registry).read()
    return [(entry.event, entry.outcome) for entry in entries if entry.outcome != "intended"]


def test_promotion_release_activation_and_rollback_are_on_record(
    log: Log, amikacin: TruthTable, sirena: Sirena
) -> None:
    """The whole way by commands alone; repeated commands say that nothing changed; the chain is whole."""
    registry = log(amikacin)
    assert sirena("certify", "modelo_AMK_NM/1")[0] == 0
    assert sirena("promote", "modelo_AMK_NM/1", "--to", "production")[0] == 0
    assert sirena("promote", "modelo_AMK_NM/1", "--to", "production")[0] == 0
    assert sirena("release", "create", "--note", "first")[0] == 0
    assert sirena("release", "activate", "latest")[0] == 0
    assert sirena("release", "rollback")[0] == 2
    assert told(registry) == [
        ("certified", "done"),
        ("promoted", "done"),
        ("promoted", "unchanged"),
        ("release_created", "done"),
        ("activated", "done"),
        ("rolled_back", "failed"),
    ]
    entries = list(ledger_of(registry).read())
    certified = next(entry.facts() for entry in entries if (entry.event, entry.outcome) == ("certified", "done"))
    promoted = next(entry for entry in entries if (entry.event, entry.outcome) == ("promoted", "done"))
    assert (promoted.who, promoted.facts()["evidence"]) == ("ana", certified["certificate"])
    assert promoted.facts()["waived"] == ["ApproverIsNotAuthor"]
    assert verify(ledger_of(registry)).open_acts == ()
    code, output, _ = sirena("audit", "verify")
    assert (code, output.splitlines()[0].split(",")[0]) == (0, f"{len(entries)} entries")


def test_a_refusal_and_an_override_are_on_record(log: Log, amikacin: TruthTable, sirena: Sirena) -> None:
    """Which criteria refused, and who decided otherwise for what reason; what could name a patient is masked."""
    registry = log(wrong(amikacin))
    assert sirena("promote", "modelo_AMK_NM/1", "--to", "production")[0] == 3
    assert sirena("promote", "modelo_AMK_NM/1", "--to", "production", "--override", "record 7654321, teaching")[0] == 0
    assert sirena("release", "create")[0] == 0
    assert sirena("release", "activate", "latest")[0] == 3
    assert sirena("release", "activate", "latest", "--override", "teaching")[0] == 0
    assert told(registry) == [
        ("promotion_refused", "refused"),
        ("overridden", "done"),
        ("promoted", "done"),
        ("release_created", "done"),
        ("activation_refused", "refused"),
        ("overridden", "done"),
        ("activated", "done"),
    ]
    refused, overridden = (
        next(entry.facts() for entry in ledger_of(registry).read(events=(name,)))
        for name in ("promotion_refused", "overridden")
    )
    assert refused["criteria"] == overridden["criteria"] != []
    assert overridden["reason"] == "record [masked], teaching"


def test_without_a_ledger_nothing_is_promoted_or_activated(
    log: Log, amikacin: TruthTable, sirena: Sirena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger that does not answer stops the command before anything changes, with a clear message."""
    registry = log(amikacin)
    assert sirena("promote", "modelo_AMK_NM/1", "--to", "staging")[0] == 0
    assert sirena("release", "create", "modelo_AMK_NM/1")[0] == 0
    monkeypatch.setenv("SIRENA_DATABASE_URL", "postgresql://sirena:secret-word@127.0.0.1:1/hospital")
    for command in (
        ("promote", "modelo_AMK_NM/1", "--to", "production"),
        ("release", "activate", "latest"),
        ("certify", "modelo_AMK_NM/1"),
    ):
        code, _, message = sirena(*command)
        assert (code, "audit ledger" in message, "remedy:" in message, "secret-word" in message) == (
            1,
            True,
            True,
            False,
        )
    assert find_version(registry, "modelo_AMK_NM/1").stage is Stage.STAGING
    assert not find_release(registry, "latest").active


def test_a_ledger_cut_short_stops_activation(log: Log, amikacin: TruthTable, sirena: Sirena) -> None:
    """An older copy of the ledger's database in place of the true one is noticed before the next act."""
    registry = log(amikacin)
    database = registry.settings.home / "ledger" / "ledger.db"
    assert sirena("promote", "modelo_AMK_NM/1", "--to", "staging")[0] == 0
    ledger_of(registry).close()
    shutil.copy(database, database.with_suffix(".old"))
    assert sirena("release", "create", "modelo_AMK_NM/1")[0] == 0
    ledger_of(registry).close()
    shutil.copy(database.with_suffix(".old"), database)
    code, _, message = sirena("release", "activate", "latest", "--override", "x")
    assert (code, "missing or was altered" in message) == (1, True)
    code, _, message = sirena("audit", "verify")
    assert (code, "entries 3 to 4 are missing" in message) == (1, True)
    assert sirena("audit", "resume", "--reason", "copy put back")[0] == 0
    assert sirena("release", "activate", "latest", "--override", "x")[0] == 0
    assert sirena("audit", "verify")[0] == 0


def test_served_names_versions_approvers_and_evidence(
    log: Log, amikacin: TruthTable, sirena: Sirena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a moment: release, version, who approved it, certificate, and the entries of the ledger that say the same."""
    registry = log(amikacin)
    monkeypatch.setenv("SIRENA_USER", "eva")
    for command in (("promote", "modelo_AMK_NM/1", "--to", "production"), ("release", "create")):
        assert sirena(*command)[0] == 0
    monkeypatch.setenv("SIRENA_USER", "ines")
    assert sirena("release", "activate", "latest")[0] == 0
    soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    code, output, _ = sirena("audit", "served", "--on", soon, "--format", "jsonl")
    assert code == 0
    row = json.loads(output)
    assert (row["release"], row["release_activated_by"], row["release_action"]) == ("panel_SIR/1", "ines", "activate")
    assert (row["version"], row["approved_by"], row["edition"]) == ("modelo_AMK_NM/1", "eva", "CLSI 2025")
    assert len(row["evidence"]) == 64
    [promoted] = [entry for entry in ledger_of(registry).read(events=("promoted",)) if entry.outcome == "done"]
    assert (row["ledger_entry"], row["evidence"]) == (promoted.seq, promoted.facts()["evidence"])
    assert "ledger: entry" in sirena("audit", "served", "--on", soon)[1]
    assert sirena("audit", "served", "--on", soon, "--format", "csv")[1].splitlines()[0].startswith("release,")
    assert "no release was active" in sirena("audit", "served", "--on", "2026-03-01T10:00")[1]


def test_served_says_when_registry_and_ledger_differ(log: Log, amikacin: TruthTable, sirena: Sirena) -> None:
    """A history removed in MLflow changes nothing of what is told, and one the ledger lacks is not believed."""
    registry = log(amikacin)
    assert sirena("release", "create", "modelo_AMK_NM/1")[0] == 0
    assert "served" not in sirena("release", "show", "latest")[1]
    shown = json.loads(sirena("release", "show", "latest", "--json")[1])
    assert [member["version"] for member in shown["members"]] == ["modelo_AMK_NM/1"]
    assert [one["release"] for one in json.loads(sirena("release", "list", "--json")[1])] == [shown["release"]]
    assert "no release was active" in sirena("audit", "served", "--on", "2026-03-01")[1]
    assert sirena("release", "activate", "latest")[0] == 0
    soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    assert "with the release" in sirena("audit", "served", "--on", soon)[1]
    ledger_of(registry).close()
    kept = registry.settings.home / "kept"
    shutil.move(registry.settings.home / "ledger", kept)
    (registry.settings.home / "ledger").mkdir()
    code, output, message = sirena("audit", "served", "--on", soon)
    assert (code, output, "audit ledger holds no entry of it" in " ".join(message.split())) == (1, "", True)
    ledger_of(registry).close()
    shutil.rmtree(registry.settings.home / "ledger")
    shutil.move(kept, registry.settings.home / "ledger")
    for key in list(registry.models.get_registered_model(RELEASE_MODEL).tags):
        registry.models.delete_registered_model_tag(RELEASE_MODEL, key)
    code, output, _ = sirena("audit", "served", "--on", soon)
    assert (code, "panel_SIR/1" in output, "with the release" in output) == (0, True, True)


@pytest.mark.parametrize(
    ("arguments", "told_"),
    [
        (("show", "--event", "party"), "no event"),
        (("show", "--format", "xml"), "no format"),
        (("show", "--since", "yesterday"), "no date and time"),
        (("served", "--on", "noon"), "no date and time"),
        (("export", "--format", "table"), "jsonl or csv"),
        (("verify", "--head", "12"), "ENTRIES:HASH"),
        (("prepare", "--writer", "sirena"), "SQLite knows no roles"),
        (("resume", "--reason", "none"), "nothing was lost"),
    ],
)
def test_wrong_use_of_audit_is_told(sirena: Sirena, arguments: tuple[str, ...], told_: str) -> None:
    """Exit code 2, what is wrong and what to write instead."""
    code, _, message = sirena("audit", *arguments)
    assert (code, told_ in message) == (2, True)


def test_export_and_show_write_every_format(log: Log, amikacin: TruthTable, sirena: Sirena) -> None:
    """JSON lines hold the stored content and hashes; CSV has a heading; exporting is itself on record."""
    registry = log(amikacin)
    assert sirena("promote", "modelo_AMK_NM/1", "--to", "staging")[0] == 0
    target = registry.settings.home / "ledger.jsonl"
    assert sirena("audit", "export", "-o", str(target))[0] == 0
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert [row["seq"] for row in rows] == [1, 2, 3]
    assert rows[1]["previous"] == rows[0]["hash"]
    assert rows[1]["details"]["model"] == "modelo_AMK_NM"
    assert told(registry)[-1] == ("downloaded", "done")
    heading, *lines = sirena("audit", "export", "--format", "csv")[1].splitlines()
    assert heading.startswith("seq,at,event")
    assert len(lines) == 5
    assert "modelo_AMK_NM" in sirena("audit", "show", "--event", "promoted", "--who", "ana")[1]
    assert sirena("audit", "show", "--until", "2020-01-01")[1].count("promoted") == 0
