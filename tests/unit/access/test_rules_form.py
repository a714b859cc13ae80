"""The forms by which the pages save and approve the hospital's own rules behind the entry."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest

from sirena.access.accounts import Accounts
from sirena.access.actions import Role
from sirena.access.credentials import SESSION_COOKIE
from sirena.access.rules_form import APPROVE, SAVE
from sirena.access.sessions import Sessions
from sirena.access.store import open_store
from sirena.acts.local_rules import LocalRules
from sirena.acts.rules_forms import RulesForms
from sirena.domain.rule_kind import RuleKind
from sirena.guidelines.editions import Editions
from sirena.ledger.store import open_ledger
from sirena.settings.catalogue import Settings
from tests.access_client import HOST, Entry, answering_entry

TABLE = (
    "who,when,why,edition,action,drug,rank,group,site,S,R,middle\n"
    "PROA,2026-03-01,local dosing,CLSI 2026,breakpoint,TZP,order,Enterobacterales,,4,8,\n"
)
PEOPLE = {
    "clara": Role.CLINICIAN, "vera": Role.VIEWER, "ada": Role.ADMIN, "ana": Role.APPROVER, "berta": Role.APPROVER
}  # fmt: skip


@dataclass
class House:
    """An entry, and the rules it keeps."""

    entry: Entry
    rules: LocalRules

    def send(self, who: str, address: str, /, **fields: str) -> httpx.Response:
        """Send a form as somebody at a browser, from a page of this site."""
        cookie, _ = Sessions(self.entry.engine, hours=1).begin(who)
        origin = fields.pop("origin", f"https://{HOST}")
        headers = {"Cookie": f"{SESSION_COOKIE}={cookie}", "Origin": origin, "X-Forwarded-Host": HOST}
        return self.entry.client.post(address, data=fields, headers=headers, follow_redirects=False)

    def save(self, who: str, /, **more: str) -> httpx.Response:
        """Save the table."""
        return self.send(who, SAVE, **({"kind": "overlay", "table": TABLE, "reason": "dosing"} | more))

    def approve(self, who: str, /, **more: str) -> httpx.Response:
        """Approve the first version."""
        digest = self.rules.version(RuleKind.OVERLAY, 1).digest
        return self.send(who, APPROVE, **({"kind": "overlay", "version": "1", "digest": digest} | more))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A service with five accounts."""
    engine = open_store(f"sqlite:///{tmp_path / 'sirena.db'}")
    for name, role in PEOPLE.items():
        Accounts(engine).add(name, frozenset({role}), None)
    rules = LocalRules(open_ledger(Settings(home=tmp_path)), Editions())
    with answering_entry(engine, rules=RulesForms(rules)) as entry:
        yield House(entry, rules)
    engine.dispose()


def test_who_may_write_saves_and_another_who_may_approves(house: House) -> None:
    """Roles and the author's exclusion; the name on record is that of who signed in, whatever the form says."""
    assert [house.save(who).status_code for who in ("vera", "ada")] == [403, 403]
    assert house.rules.versions(RuleKind.OVERLAY) == ()
    saved = house.save("ana", who="mallory")
    assert (saved.status_code, saved.headers["location"]) == (303, "/app/rules/overlay/1?done=1")
    assert house.rules.version(RuleKind.OVERLAY, 1).author == "ana"
    assert [house.approve(who).status_code for who in ("clara", "vera", "ada")] == [403, 403, 403]
    assert house.approve("ana").headers["location"] == "/app/rules/overlay/1?refused=1"
    assert house.rules.in_force(RuleKind.OVERLAY).source is None
    assert house.approve("berta").headers["location"] == "/app/rules/overlay/1?done=1"
    approval = house.rules.version(RuleKind.OVERLAY, 1).approval
    assert approval is not None
    assert (approval.who, approval.alone) == ("berta", False)
    assert house.save("clara", table=TABLE.replace(",4,", ",2,"), base="1").status_code == 303
    assert house.rules.version(RuleKind.OVERLAY, 2).base == 1


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"origin": "https://elsewhere.example"}, 403),
        ({"table": "who,when\n"}, 400),
        ({"kind": "../x"}, 422),
        ({"reason": ""}, 422),
        ({"table": TABLE + "x" * 600_000}, 403),
    ],
)
def test_what_is_no_form_of_ours_saves_nothing(house: House, fields: dict[str, str], status: int) -> None:
    """From another site, of no rules, without a reason, or as long as a book."""
    assert house.save("ana", **fields).status_code == status
    assert house.rules.versions(RuleKind.OVERLAY) == ()


def test_a_form_of_approval_names_what_was_looked_at(house: House) -> None:
    """Another digest leads back, none is refused."""
    house.save("ana")
    assert house.approve("berta", digest="0" * 64).headers["location"] == "/app/rules/overlay/1?refused=1"
    assert house.approve("berta", digest="").status_code == 422
    assert house.approve("berta", version="7").status_code == 422
    assert house.approve("berta", since="soon").status_code == 422
    assert house.rules.in_force(RuleKind.OVERLAY).source is None
