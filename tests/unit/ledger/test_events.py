"""The catalogue: what an event may say, and that nothing hides in it."""

import dataclasses
import json
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.ledger.catalogue import (
    CATALOGUE,
    AccessRefused,
    Activated,
    ActivationRefused,
    LoginFailed,
    Overridden,
    Promoted,
    PromotionRefused,
)
from sirena.ledger.entry import LedgerEntry
from sirena.ledger.event import ActOutcome, Event, rules
from sirena.ledger.plain_text import Address, Free, Limited, one_line

FORBIDDEN_FIELDS = ("mic", "isolate", "patient", "specimen", "birth", "sex", "ward", "value", "password", "secret")


def test_every_event_is_in_the_catalogue_under_its_own_name() -> None:
    """No event exists beside it, and no two share a name."""
    kinds = {kind for kind in Event.__subclasses__() if kind.__module__.startswith("sirena.")}
    assert set(CATALOGUE.values()) == kinds
    assert len(CATALOGUE) == len(kinds)


@pytest.mark.parametrize("kind", CATALOGUE.values())
def test_every_text_has_a_rule_and_no_field_takes_a_patient(kind: type[Event]) -> None:
    """A field is a number, a time, or a text whose type says what may stand in it."""
    ruled = rules(kind)  # type: ignore[arg-type]
    for field in dataclasses.fields(kind):
        assert field.name in ruled or field.type in (int, bool, int | None, datetime, ActOutcome)
        assert not any(word in field.name.split("_") for word in FORBIDDEN_FIELDS)


def test_an_event_with_free_text_without_a_rule_cannot_be_made() -> None:
    """Whoever adds a bare string to the catalogue is stopped by the first test that makes one."""

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Careless(Event):
        event = "careless"
        anything: str

    with pytest.raises(TypeError, match="anything has no rule"):
        Careless(who="ana", origin="cli", anything="text")


@given(st.text(max_size=600))
def test_no_text_breaks_the_line_or_hides_anything(text: str) -> None:
    """Line ends, escape sequences, direction marks and invisible characters become visible."""
    failed = LoginFailed(who=text, origin=text, method=text, cause=text, request_id=text)
    refused = AccessRefused(who=text, origin="x", action=text, resource=text)
    told = Overridden(who="eva", origin="cli", subject=text, stage="Production", reason=text, criteria=(text,))
    for event in (failed, refused, told):
        for name in rules(type(event)):  # type: ignore[arg-type]
            value = getattr(event, name)
            for one in value if isinstance(value, tuple) else (value,):
                assert len(one) <= 500
                assert all(each == " " or unicodedata.category(each)[0] not in "CZ" for each in one)
        assert "\n" not in LedgerEntry.after(None, event).details


@given(st.text(max_size=600), st.sampled_from([Limited(20), Address(20), Limited(500)]))
def test_a_rule_applied_again_changes_nothing(text: str, rule: Limited | Address) -> None:
    """So an event that is written twice, as intention and as outcome, says the same."""
    once = rule.apply(text)
    assert rule.apply(once) == once


def test_a_forged_line_stays_one_name() -> None:
    """The classic log injection: a line end and an entry that looks true."""
    name = "ana\n2026-03-01 login done admin"
    assert one_line(name, 200) == "ana\\u000a2026-03-01 login done admin"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("record 1234567, MIC >=16", "record [masked], MIC [masked]"),
        ("born 12.03.1961", "born [masked]"),
        ("born 1961-03-12, 0,5 mg/L", "born [masked], [masked]"),
        ("≤ 0.25 in ticket 4711", "[masked] in ticket 4711"),
        ("CLSI 2025 against EUCAST 15", "CLSI 2025 against EUCAST 15"),
    ],
)
def test_a_reason_holds_no_record_number_with_a_measurement(written: str, kept: str) -> None:
    """Numbers of six digits and more, dates and concentrations are masked in what people write."""
    assert Free(500).apply(written) == kept


def test_an_address_loses_its_query() -> None:
    """What clients put behind the question mark is nobody's business."""
    event = AccessRefused(who="ana", origin="::1", action="GET", resource="/invocations?patient=77#x")
    assert event.resource == "/invocations"


def test_a_digest_that_is_none_is_a_fault_of_ours() -> None:
    """Digests come from our own code."""
    with pytest.raises(ValueError, match="digest"):
        Promoted(who="a", origin="cli", model="m", version=1, stage="Production", evidence="MIC <= 2")


def test_times_become_utc_and_need_a_zone() -> None:
    """A time without zone could be any hour."""
    noon = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert Promoted(who="a", origin="b", model="m", version=1, stage="s", at=noon).at == datetime(
        2026, 7, 1, 10, tzinfo=UTC
    )
    with pytest.raises(ValueError, match="zone"):
        Promoted(who="a", origin="b", model="m", version=1, stage="s", at=datetime(2026, 7, 1))


def test_a_refusal_keeps_what_the_intention_said() -> None:
    """Same act, same subject, same criteria; another name and outcome."""
    intended = Promoted(who="eva", origin="cli", model="m", version=2, stage="Production", criteria=("MonotoneInMic",))
    refused = intended.refused()
    assert isinstance(refused, PromotionRefused)
    assert (refused.act, refused.model, refused.version, refused.criteria, refused.outcome) == (
        intended.act, "m", 2, ("MonotoneInMic",), ActOutcome.REFUSED,
    )  # fmt: skip
    assert isinstance(Activated(who="e", origin="c", release="panel_SIR/1").refused(), ActivationRefused)


def test_an_entry_is_plain_json_whatever_the_alphabet() -> None:
    """Spanish names survive; details are sorted ASCII."""
    entry = LedgerEntry.after(None, Promoted(who="Íñigo", origin="cli", model="ñ", version=1, stage="Production"))
    assert entry.who == "Íñigo"
    assert entry.details.isascii()
    assert json.loads(entry.details)["model"] == "ñ"
    assert entry.computed_hash == entry.hash
