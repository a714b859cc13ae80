"""Each rule by which the ledger says which release may answer."""

from dataclasses import replace
from typing import Any

from sirena.ledger.catalogue import Activated, ActivationRefused, Login, Promoted, RolledBack, Shadowed
from sirena.ledger.entry import LedgerEntry
from sirena.ledger.event import ActOutcome, Event
from sirena.ledger.judgements import Judgements, read_judgements

WHO: dict[str, Any] = {"who": "eva", "origin": "test"}


def activated(number: int, outcome: ActOutcome = ActOutcome.DONE, *, content: bool = True, act: str = "") -> Activated:
    """Return an activation of a release."""
    digest = f"{number:064x}"
    event = Activated(**WHO, release=f"panel_SIR/{number}", digest=digest, content=digest if content else "")
    return replace(event, outcome=outcome, act=act or event.act)


def rolled_back(number: int) -> RolledBack:
    """Return a rollback to a release."""
    return RolledBack(**WHO, release=f"panel_SIR/{number}", digest=f"{number:064x}", content=f"{number:064x}")


def judged(*events: Event) -> Judgements:
    """Return what entries of these events say."""
    entries: list[LedgerEntry] = []
    for event in events:
        entries.append(LedgerEntry.after(entries[-1] if entries else None, event))
    return read_judgements(entries)


def active(*events: Event) -> str:
    """Return the release that may answer; empty when none may."""
    found = judged(*events).active
    return found.release if found else ""


def test_the_release_that_was_activated_last_or_rolled_back_to_is_the_active_one() -> None:
    """Other events say nothing, and nothing recorded is nothing judged."""
    assert active() == active(Login(**WHO, method="token")) == ""
    assert active(activated(1), activated(2)) == "panel_SIR/2"
    assert active(activated(1), activated(2), rolled_back(1)) == "panel_SIR/1"
    assert active(activated(1), activated(1, ActOutcome.UNCHANGED)) == "panel_SIR/1"


def test_an_announced_switch_counts_until_its_outcome_is_on_record() -> None:
    """Only with what the gate agreed to, and only while nothing later was decided."""
    announced = activated(2, ActOutcome.INTENDED, act="a")
    assert [one.release for one in judged(activated(1), announced).under_way] == ["panel_SIR/2"]
    assert judged(activated(1), activated(2, ActOutcome.INTENDED, content=False)).under_way == ()
    assert judged(activated(1), announced, activated(2, act="a")).under_way == ()
    assert judged(activated(1), announced, activated(3)).under_way == ()


def test_a_switch_that_was_refused_or_failed_changes_nothing() -> None:
    """Nor does it stay under way."""
    announced = activated(2, ActOutcome.INTENDED, act="a")
    refused = ActivationRefused(**WHO, release="panel_SIR/2", outcome=ActOutcome.REFUSED, act="a")
    for end in (refused, activated(2, ActOutcome.FAILED, act="a")):
        found = judged(activated(1), announced, end)
        assert found.active is not None
        assert (found.active.release, found.under_way) == ("panel_SIR/1", ())


def test_a_rollback_returns_to_the_release_that_the_active_one_replaced() -> None:
    """Like a stack; what MLflow held before is not asked."""
    history: list[Event] = [activated(1), activated(2), activated(3)]
    for back in ("panel_SIR/2", "panel_SIR/1"):
        target = judged(*history).rollback
        assert target is not None
        assert target.release == back
        history.append(rolled_back(int(back[-1])))
    assert judged(*history).rollback is None


def test_a_release_whose_stage_was_taken_away_answers_no_more() -> None:
    """Only its own, and only when it was done."""
    taken = Promoted(**WHO, model="panel_SIR", version=1, stage="None")
    assert active(activated(1), taken) == ""
    assert active(activated(1), replace(taken, outcome=ActOutcome.INTENDED)) == "panel_SIR/1"
    assert active(activated(1), replace(taken, version=2)) == "panel_SIR/1"
    [period] = judged(activated(1), taken).periods
    assert period.until is not None


def test_periods_tell_what_answered_when() -> None:
    """One for each time in which one release answered; judged anew it goes on."""
    found = judged(activated(1), activated(1, ActOutcome.UNCHANGED), activated(2), rolled_back(1))
    assert [one.judgement.release for one in found.periods] == ["panel_SIR/1", "panel_SIR/2", "panel_SIR/1"]
    assert [one.until for one in found.periods] == [*(one.judgement.at for one in found.periods[1:]), None]
    first = found.periods[0]
    assert found.at(first.judgement.at) == first
    assert found.at("2020-01-01") is None


def test_an_entry_that_does_not_name_the_file_by_its_digest_is_no_judgement() -> None:
    """It would let another file of the same members answer."""
    assert active(Activated(**WHO, release="panel_SIR/1", digest="1" * 64)) == ""
    assert active(activated(1), Activated(**WHO, release="panel_SIR/2", digest="2" * 64)) == "panel_SIR/1"


def shadowed(number: int, outcome: ActOutcome = ActOutcome.DONE) -> Shadowed:
    """Return the naming of a release that answers unseen; 0 names none."""
    digest = f"{number:064x}" if number else ""
    release = f"panel_SIR/{number}" if number else ""
    return Shadowed(**WHO, release=release, digest=digest, content=digest, outcome=outcome)


def test_the_release_that_was_named_last_is_the_shadow_until_it_stops_or_is_active() -> None:
    """An intention alone, or a naming that failed, says nothing; what answers is not touched."""

    def shadow(*events: Event) -> str:
        found = judged(activated(1), *events)
        assert found.active is not None
        return found.shadow.release if found.shadow else ""

    assert shadow() == shadow(shadowed(2, ActOutcome.INTENDED)) == shadow(shadowed(2, ActOutcome.FAILED)) == ""
    assert shadow(shadowed(2), shadowed(3)) == "panel_SIR/3"
    assert shadow(shadowed(2), activated(3)) == "panel_SIR/2"
    assert shadow(shadowed(2), shadowed(0)) == ""
    assert shadow(shadowed(2), activated(2)) == ""
    incomplete = Shadowed(**WHO, release="panel_SIR/3", digest="", content="", outcome=ActOutcome.DONE)
    assert shadow(shadowed(2), incomplete) == "panel_SIR/2"
    assert active(activated(1), shadowed(2)) == "panel_SIR/1"
