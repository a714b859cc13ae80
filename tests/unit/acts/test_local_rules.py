"""A hospital's own rules: versions with a reason, another person's approval, and what is in force on a day."""

import datetime
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sirena.acts.local_rules import LocalRules
from sirena.acts.rule_tables import COLUMNS, lines_of, read_rows
from sirena.acts.rules_in_force import expert_rules_in_force, overlay_in_force
from sirena.domain.errors import GateError, UsageError
from sirena.domain.rule_kind import MOST_RULES, RuleKind
from sirena.guidelines.editions import Editions
from sirena.guidelines.tables import TableError
from sirena.guidelines.written_rules import WrittenRules
from sirena.ledger.errors import LedgerTamperedError
from sirena.ledger.rule_versions import version_in_force
from sirena.ledger.store import Ledger, open_ledger
from sirena.settings.catalogue import Settings, load_settings
from sirena.stewardship.expert_rules import load_expert_rules

ROW = {"who": "PROA", "when": "2026-03-01", "why": "local dosing", "edition": "CLSI 2026", "action": "breakpoint"} | {
    "drug": "TZP", "rank": "order", "group": "Enterobacterales", "S": "4", "R": "16"
}  # fmt: skip
RULE = {"rule": "LOCAL", "action": "report R", "who": "PROA", "when": "2026-03-01", "why": "not on our wards"} | {
    "rank": "organism", "group": "eco", "trigger": "ESBL=+", "drugs": "CIP"
}  # fmt: skip


def actor(name: str) -> dict[str, str]:
    """Return somebody at a browser."""
    return {"who": name, "origin": "10.0.0.7", "request_id": "r1"}


def table(*rows: dict[str, str], kind: RuleKind = RuleKind.OVERLAY) -> WrittenRules:
    """Return rows as a table of rules."""
    return WrittenRules("hospital.csv", "\n".join(lines_of(kind, rows)).encode())


@pytest.fixture
def today() -> datetime.date:
    """The day on which the test runs, which need not be the one on which the suite began."""
    return datetime.date.today()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation that nobody used."""
    monkeypatch.setenv("SIRENA_HOME", str(tmp_path))
    return load_settings()


@pytest.fixture
def ledger(settings: Settings) -> Ledger:
    """Its ledger."""
    return open_ledger(settings)


@pytest.fixture
def rules(ledger: Ledger) -> LocalRules:
    """Its rules, behind an entry."""
    return LocalRules(ledger, Editions())


def test_the_author_of_a_version_does_not_approve_it(rules: LocalRules, ledger: Ledger, today: datetime.date) -> None:
    """The refusal is on record; another person's approval puts it in force."""
    saved = rules.save(RuleKind.OVERLAY, table(ROW), "dosing of 2026", actor("ana"))
    assert (saved.number, saved.author, saved.reason, saved.approval) == (1, "ana", "dosing of 2026", None)
    with pytest.raises(GateError, match="of their own making"):
        rules.approve(RuleKind.OVERLAY, 1, actor("ana"))
    assert rules.in_force(RuleKind.OVERLAY).source is None
    approved = rules.approve(RuleKind.OVERLAY, 1, actor("berta"), digest=saved.digest)
    assert approved.approval is not None
    assert (approved.approval.who, approved.approval.since, approved.approval.alone) == ("berta", today, False)
    in_force = rules.in_force(RuleKind.OVERLAY)
    assert in_force.source == WrittenRules("overlay-1.csv", saved.content)
    assert rules.in_force(RuleKind.EXPERT).source is None
    assert [(one.who, one.outcome) for one in ledger.read(events=("rules_approved",))] == [
        ("ana", "refused"),
        ("berta", "done"),
    ]


def test_on_a_machine_of_one_person_the_author_approves_and_the_ledger_says_so(ledger: Ledger) -> None:
    """As the gate does."""
    rules = LocalRules(ledger, Editions(), alone=True)
    rules.save(RuleKind.OVERLAY, table(ROW), "alone", actor("ana"))
    approval = rules.approve(RuleKind.OVERLAY, 1, actor("ana")).approval
    assert approval is not None
    assert approval.alone
    assert [one.facts()["waived"] for one in ledger.read(events=("rules_approved",))] == [["approver_is_not_author"]]


def test_of_approved_versions_the_newest_whose_day_has_come_is_in_force(
    rules: LocalRules, today: datetime.date
) -> None:
    """A later day waits; nothing older comes back, and a version without rules takes all out of force."""
    tomorrow = today + datetime.timedelta(days=1)
    for figure in ("4", "2", "1"):
        rules.save(RuleKind.OVERLAY, table(ROW | {"S": figure}), "stricter", actor("ana"))
    rules.approve(RuleKind.OVERLAY, 1, actor("berta"))
    rules.approve(RuleKind.OVERLAY, 3, actor("berta"), since=tomorrow)
    with pytest.raises(GateError, match="newer version"):
        rules.approve(RuleKind.OVERLAY, 2, actor("berta"))
    versions = rules.versions(RuleKind.OVERLAY)
    numbers = [one.number if (one := version_in_force(versions, day)) else 0 for day in (today, tomorrow)]
    assert numbers == [1, 3]
    rules.save(RuleKind.OVERLAY, table(), "back to the editions", actor("ana"), base=3)
    rules.approve(RuleKind.OVERLAY, 4, actor("berta"))
    in_force = rules.in_force(RuleKind.OVERLAY, tomorrow)
    assert in_force.version is not None
    assert (in_force.version.number, in_force.source) == (4, None)


@pytest.mark.parametrize(
    ("reason", "rows", "said"),
    [
        (" ", [ROW], "needs a reason"),
        ("why", [], "nothing differs"),
        ("why", [ROW | {"drug": f"A{n}"} for n in range(2)], "row 2, column drug"),
        ("why", [ROW, ROW], "row 3: the rule of row 2 is stated again"),
        ("why", [ROW | {"edition": "CLSI 1899"}], "row 2, column edition"),
        ("why", [ROW | {"why": "paciente 771204"}], "row 2, column why: the cell holds figures"),
        ("why", [ROW | {"why": "=cmd|x"}], "row 2, column why: the cell begins like a formula"),
        ("why", [ROW | {"who": "a\u202eb"}], "row 2: the row is too long, or holds signs"),
        ("why", [ROW | {"why": "x" * 1_000}], "row 2: the row is too long"),
        ("why", [ROW | {"action": "remove", "S": "", "R": "", "drug": "AMX"}], "row 2, column action"),
    ],
)
def test_what_could_not_be_in_force_is_refused_by_row_and_column(
    rules: LocalRules, reason: str, rows: list[dict[str, str]], said: str
) -> None:
    """With a remedy and without the contents of the cell; nothing is saved."""
    with pytest.raises((TableError, UsageError), match=said) as refused:
        rules.save(RuleKind.OVERLAY, table(*rows), reason, actor("ana"))
    assert refused.value.hint or "; write" in refused.value.text
    assert "771204" not in refused.value.text
    assert rules.versions(RuleKind.OVERLAY) == ()


def test_there_are_not_more_rules_than_a_person_reads(rules: LocalRules) -> None:
    """So the ledger cannot be filled by one table."""
    many = [RULE | {"rule": f"R{number}"} for number in range(MOST_RULES + 1)]
    with pytest.raises(UsageError, match="more than"):
        rules.save(RuleKind.EXPERT, table(*many, kind=RuleKind.EXPERT), "many", actor("ana"))


def test_what_is_saved_is_read_back_as_the_same_rules(rules: LocalRules) -> None:
    """From semicolons, in any order of columns, with columns nobody asked for, and with empty rows."""
    given = WrittenRules(
        "propio.csv",
        "group;rule;action;who;when;why;guideline;from;until;rank;trigger;drugs;except;source;note\n"
        ";;;;;;;;;;;;;;\n"
        'eco;local;report R;PROA;2026-03-01;"no en planta";;;;organism;ESBL=+;"CIP; LVX";;;x\n'.encode("cp1252"),
    )
    saved = rules.save(RuleKind.EXPERT, given, "por qué", actor("ana"))
    assert saved.lines[1] == "local,report R,PROA,2026-03-01,no en planta,,,,organism,eco,ESBL=+,CIP; LVX,,"
    read = [rule for rule in load_expert_rules(WrittenRules("x", saved.content)) if rule.is_local]
    assert read == [rule for rule in load_expert_rules(given) if rule.is_local] != []
    assert [list(row) for row in read_rows(RuleKind.EXPERT, saved.content)] == [list(COLUMNS[RuleKind.EXPERT])]


def test_two_who_save_at_once_get_two_numbers(rules: LocalRules, ledger: Ledger) -> None:
    """And what was sent twice is one version."""
    with ThreadPoolExecutor(8) as people:
        saved = list(
            people.map(
                lambda n: LocalRules(ledger, Editions()).save(
                    RuleKind.OVERLAY, table(ROW | {"S": str(n)}), "at once", actor(f"person{n}")
                ),
                range(1, 9),
            )
        )
    assert sorted(one.number for one in saved) == list(range(1, 9))
    assert {one.author: one.lines for one in saved} == {
        one.author: one.lines for one in rules.versions(RuleKind.OVERLAY)
    }
    last = rules.versions(RuleKind.OVERLAY)[-1]
    again = rules.save(RuleKind.OVERLAY, WrittenRules("x", last.content), "again", actor(last.author))
    assert again.number == 8
    with pytest.raises(UsageError, match="nothing differs"):
        rules.save(RuleKind.OVERLAY, WrittenRules("x", last.content), "mine", actor("zoe"))


def test_an_approval_is_of_what_was_looked_at(rules: LocalRules, today: datetime.date) -> None:
    """Not of what stands in its place after a backup was put back; nor twice, nor for a day that is past."""
    rules.save(RuleKind.OVERLAY, table(ROW), "dosing", actor("ana"))
    with pytest.raises(GateError, match="not the rules that were looked at"):
        rules.approve(RuleKind.OVERLAY, 1, actor("berta"), digest="0" * 64)
    with pytest.raises(UsageError, match="today or later"):
        rules.approve(RuleKind.OVERLAY, 1, actor("berta"), since=today - datetime.timedelta(days=1))
    rules.approve(RuleKind.OVERLAY, 1, actor("berta"))
    with pytest.raises(UsageError, match="already"):
        rules.approve(RuleKind.OVERLAY, 1, actor("carl"))
    for number in (0, 2, -1):
        with pytest.raises(UsageError, match="there is no version"):
            rules.approve(RuleKind.OVERLAY, number, actor("berta"))


def test_where_the_ledger_cannot_be_believed_no_rules_are_given(rules: LocalRules, settings: Settings) -> None:
    """A figure altered in the database, triggers lifted, is found by the chain and never answers."""
    rules.save(RuleKind.OVERLAY, table(ROW), "dosing", actor("ana"))
    rules.approve(RuleKind.OVERLAY, 1, actor("berta"))
    with sqlite3.connect(settings.home / "ledger" / "ledger.db") as database:
        guard = "SELECT sql FROM sqlite_master WHERE name = 'ledger_keeps_update'"
        (sql,) = database.execute(guard).fetchone()
        database.execute("DROP TRIGGER ledger_keeps_update")
        database.execute("UPDATE ledger_entries SET details = replace(details, ',4,16', ',9,16') WHERE seq = 1")
        database.execute(sql)
    with pytest.raises(LedgerTamperedError):
        rules.in_force(RuleKind.OVERLAY)
    with pytest.raises(LedgerTamperedError):
        overlay_in_force(settings)


def test_until_a_version_was_approved_the_settings_own_file_is_in_force(
    settings: Settings, rules: LocalRules, tmp_path: Path
) -> None:
    """Then the version is, and the file is read no more; where there is no ledger none is made."""
    named = settings.model_copy(update={"overlay": tmp_path / "hospital.csv", "home": tmp_path / "elsewhere"})
    assert overlay_in_force(named) == named.overlay
    assert expert_rules_in_force(named) is None
    assert not (tmp_path / "elsewhere").exists()
    here = settings.model_copy(update={"overlay": named.overlay})
    rules.save(RuleKind.OVERLAY, table(ROW), "dosing", actor("ana"))
    assert overlay_in_force(here) == named.overlay
    rules.approve(RuleKind.OVERLAY, 1, actor("berta"))
    in_force = overlay_in_force(here)
    assert isinstance(in_force, WrittenRules)
    assert Editions().load("CLSI 2026", in_force=in_force).name == "CLSI 2026 + overlay-1.csv"
