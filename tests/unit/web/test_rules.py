"""The hospital's own rules on the pages of one's own machine: written, previewed, saved, approved, in force."""

import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from starlette.testclient import TestClient

from sirena.acts.local_rules import LocalRules
from sirena.acts.rules_forms import RulesForms
from sirena.domain.rule_kind import RuleKind
from sirena.guidelines.editions import Editions
from sirena.ledger.errors import LedgerUnavailableError
from sirena.ledger.store import open_ledger
from sirena.settings.catalogue import Settings
from sirena.web.answers import NamedPanel
from sirena.web.answers_now import EditionsNow
from sirena.web.application import create_entry_pages, create_pages
from sirena.web.opened_files import OpenedFiles
from sirena.web.other_editions import OtherEditions
from sirena.web.records import keep_no_record
from tests.unit.web.conftest import KEY, ORIGIN, drop

FILE = b"SPEC_NUM,ORGANISM,TZP_NM,CIP_NM,ESBL\nM1,eco,8,0.25,+\nM2,eco,4,0.25,-\nM3,kpn,8,0.25,\n"
STRICTER = {
    "edition-0": "CLSI 2026", "drug-0": "TZP", "rank-0": "order", "group-0": "Enterobacterales",
    "action-0": "breakpoint", "S-0": "4", "R-0": "8", "why-0": "local dosing",
}  # fmt: skip
REPORTED = {
    "rule-0": "LOCAL", "action-0": "report R", "rank-0": "organism", "group-0": "eco", "trigger-0": "ESBL=+",
    "drugs-0": "CIP", "why-0": "not in our wards",
}  # fmt: skip


@pytest.fixture
def rules(tmp_path: Path) -> LocalRules:
    """Of an installation that nobody used."""
    return LocalRules(open_ledger(Settings(home=tmp_path)), Editions(), alone=True)


@contextmanager
def at_the_pages(answering: NamedPanel | Callable[[], NamedPanel], rules: LocalRules) -> Iterator[TestClient]:
    """Give somebody who is called ana the pages of their own machine."""
    who = {"who": "ana", "origin": "cli ana@here", "request_id": "r1"}
    pages = create_pages(answering, OpenedFiles(), KEY, rules=rules, actor=lambda: who)
    with TestClient(pages, base_url=ORIGIN, headers={"origin": ORIGIN, "accept-language": "en"}) as client:
        assert client.get(f"/enter/{KEY}").status_code == 200
        yield client


@pytest.fixture
def person(rules: LocalRules, answers: NamedPanel) -> Iterator[TestClient]:
    """Somebody at the pages, whom the editions as they are answer."""
    with at_the_pages(answers, rules) as client:
        yield client


@pytest.fixture
def later(rules: LocalRules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Somebody at the pages, whom the editions with the rules in force answer."""
    monkeypatch.setattr("sirena.web.answers_now._SECONDS", 0.0)
    with at_the_pages(EditionsNow(Editions(), rules), rules) as client:
        yield client


def hidden(page: str, name: str) -> str:
    """Return what a form sends unseen."""
    match = re.search(rf'name="{name}" (?:value="([^"]*)"|hidden>\n([^<]*)<)', page)
    assert match is not None, name
    return html.unescape(match[1] if match[1] is not None else match[2])


def save(person: TestClient, kind: str, page: str, reason: str = "asked by the committee") -> str:
    """Save what a page offers; return the page of the version."""
    sent = {name: hidden(page, name) for name in ("base", "table")} | {"kind": kind, "reason": reason}
    saved = person.post("/rules/save", data=sent)
    assert saved.status_code == 200, saved.text
    return saved.text


def approve(person: TestClient, page: str) -> str:
    """Approve the version a page shows; return the page afterwards."""
    return person.post("/rules/approve", data={name: hidden(page, name) for name in ("kind", "version", "digest")}).text


def test_a_rule_is_written_previewed_saved_approved_and_answers_the_next_file(
    later: TestClient, rules: LocalRules
) -> None:
    """S that becomes R is counted first; who signs is filled in; a file opened before stays as it was answered."""
    opened = drop(later, FILE)
    assert "No rules are in force." in later.get("/rules").text
    page = later.post("/rules/overlay/edit", data=STRICTER).text
    assert "2 results are S now and would be R." in page
    assert "Counted by CLSI 2026" in page
    version = save(later, "overlay", page)
    assert "waits for approval" in version
    assert "2 results are S now and would be R." in version
    assert "On this machine you are alone" in version
    assert rules.in_force(RuleKind.OVERLAY).source is None
    approved = approve(later, version)
    assert "in force" in approved
    assert "every file that is opened, here and by command" in approved
    assert "The same person wrote it" in approved
    assert "Answers by the guideline editions CLSI 2026 + overlay-1.csv" in later.get("/").text
    assert "overlay-1.csv" not in later.get(opened).text
    why = later.get(f"{drop(later, FILE)}/rows/0/TZP_NM").text
    assert "local rule of ana" in why
    assert "local dosing" in why
    assert later.get("/rules/overlay/1/file").content == rules.versions(RuleKind.OVERLAY)[0].content


def test_an_expert_rule_moves_what_the_next_antibiogram_counts(person: TestClient, rules: LocalRules) -> None:
    """The preview counts what is reported; the antibiogram of an open file counts it from the approval on."""
    opened = drop(person, FILE)
    page = person.post("/rules/expert/edit", data=REPORTED).text
    assert "1 result is S now and would be R." in page
    version = save(person, "expert", page)
    before = person.get(f"{opened}/antibiogram/json").json()
    assert "in force" in approve(person, version)
    after = person.get(f"{opened}/antibiogram/json").json()
    assert before["moved_by_expert_rules"] == {}
    assert after["moved_by_expert_rules"] == {"LOCAL": 1}
    assert "expert-1.csv" in str(after)


def test_a_table_that_could_not_be_in_force_is_not_offered_to_be_saved(person: TestClient) -> None:
    """Row and column are named in the reader's language, and what was typed is there again."""
    wrong = STRICTER | {"drug-0": "nothing<script>"}
    page = person.post("/rules/overlay/edit", data=wrong, headers={"accept-language": "es"})
    assert page.status_code == 422
    assert "fila 2, columna drug" in page.text
    assert 'value="nothing&lt;script&gt;"' in page.text
    assert 'name="reason"' not in page.text
    direct = person.post("/rules/save", data={"kind": "overlay", "reason": "x", "table": "who,when\n"})
    assert direct.status_code == 422
    assert "column" in direct.text


def test_reload_and_back_lose_nothing_that_was_written(person: TestClient) -> None:
    """Nor does the choice of language; beginning again drops it."""
    person.post("/rules/overlay/edit", data=STRICTER | {"more": "1"})
    for _ in range(2):
        assert 'value="local dosing"' in person.get("/rules/overlay/edit").text
    assert 'value="local dosing"' not in person.post("/rules/overlay/begin").text


def test_a_rule_not_touched_keeps_its_signature_and_one_can_be_taken_away(
    person: TestClient, rules: LocalRules
) -> None:
    """A version without rules takes all out of force."""
    two = STRICTER | {name.replace("-0", "-1"): text for name, text in STRICTER.items()} | {"drug-1": "CIP"}
    save(person, "overlay", person.post("/rules/overlay/edit", data=two).text)
    approve(person, person.get("/rules/overlay/1").text)
    form = {
        f"{column}-{place}": text
        for place, row in enumerate(rules.rows_in_force(RuleKind.OVERLAY))
        for column, text in (row | {"who": "mallory"}).items()
    }
    page = person.post("/rules/overlay/edit", data=form | {"base": "1", "remove-1": "1"}).text
    table = hidden(page, "table")
    assert "ana" in table
    assert "mallory" not in table
    assert "CIP" not in table
    version = save(person, "overlay", page)
    assert "1 rule in force is not in it" in version
    assert "begun from version 1" in version
    gone = person.post("/rules/overlay/edit", data={"base": "1", "remove-0": "1"} | STRICTER).text
    last = save(person, "overlay", gone)
    assert "It states no rules" in last
    approve(person, last)
    assert rules.in_force(RuleKind.OVERLAY).source is None
    assert "not approved" in person.get("/rules").text
    assert "cannot be approved any more" in person.get("/rules/overlay/2").text


def test_where_others_are_the_author_is_told_that_another_has_to_approve(person: TestClient, rules: LocalRules) -> None:
    """And who tries all the same is led back to the page, which says so."""
    rules.alone = False
    version = save(person, "overlay", person.post("/rules/overlay/edit", data=STRICTER).text)
    assert "another person has to approve it" in version
    digest = rules.versions(RuleKind.OVERLAY)[0].digest
    refused = person.post("/rules/approve", data={"kind": "overlay", "version": "1", "digest": digest})
    assert "Nothing was changed." in refused.text
    assert rules.in_force(RuleKind.OVERLAY).source is None


def test_behind_the_entry_the_forms_lead_to_the_access_service_and_only_who_may_sees_them(
    rules: LocalRules, answers: NamedPanel
) -> None:
    """Who signs is who signed in; what one writes nobody else sees; the pages themselves decide nothing."""
    rules.alone = False
    files = OpenedFiles()
    pages = create_entry_pages(lambda: answers, files, keep_no_record, set, OtherEditions(), rules=rules)

    def visit(name: str, places: str) -> TestClient:
        headers = {"x-sirena-user": name, "x-sirena-session": name, "x-sirena-places": f"pages,files,{places}"}
        return TestClient(pages, base_url="https://sirena.example", headers=headers | {"accept-language": "en"})

    clara, berta = visit("clara", "edit_rules"), visit("berta", "edit_rules,approve_rules")
    page = clara.post("/app/rules/overlay/edit", data=STRICTER).text
    assert 'action="/auth/rules/save"' in page
    assert "clara" in hidden(page, "table")
    assert "local dosing" not in berta.get("/app/rules/overlay/edit").text
    fields = {name: hidden(page, name) for name in ("base", "table")} | {"kind": "overlay", "reason": "committee"}
    for address in ("/app/rules/save", "/app/rules/approve"):
        assert berta.post(address, data=fields).status_code in (404, 405)
    RulesForms(rules).save(fields, {"who": "clara", "origin": "10.0.0.7", "request_id": "r1"})
    own = clara.get("/app/rules/overlay/1?done=1").text
    assert "another person has to approve it" in own
    assert 'action="/auth/rules/approve"' in berta.get("/app/rules/overlay/1").text
    vera = visit("vera", "").get("/app/rules/overlay/1").text
    assert "An approver has to approve it." in vera
    assert "/begin" not in vera
    assert "local dosing" not in clara.get("/app/rules/overlay/edit").text


@pytest.mark.parametrize("address", ["/rules/other/1", "/rules/overlay/1", "/rules/overlay/x", "/rules/expert/9/file"])
def test_what_is_not_there_is_not_found(person: TestClient, address: str) -> None:
    """404, with a page that says what to do."""
    assert person.get(address).status_code == 404


def test_the_preview_names_only_files_of_whoever_looks(person: TestClient) -> None:
    """Another identifier is not found."""
    person.post("/rules/overlay/edit", data=STRICTER)
    assert person.get("/rules/overlay/edit?file=another").status_code == 404


def test_one_isolate_is_answered_while_the_record_of_rules_does_not_answer(
    rules: LocalRules, answers: NamedPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the guideline alone, and the page says that no expert rule was applied."""

    def refuse(*_: object) -> NoReturn:
        raise LedgerUnavailableError("the database does not answer")

    monkeypatch.setattr(rules, "in_force", refuse)
    with at_the_pages(answers, rules) as person:
        answer = person.post("/isolate", data={"organism": "eco", "CIP": "0.5"})
    assert answer.status_code == 200
    assert '<span class="c I">I</span>' in answer.text
    assert "Expert rules are not applied" in answer.text
