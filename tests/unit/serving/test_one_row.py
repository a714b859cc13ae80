"""The quick way for one isolate is the general way, sooner."""

from itertools import product
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirena.domain.site import Site
from sirena.panel.compiled import Panel
from sirena.serving.answer_bodies import encode_answers
from sirena.serving.answering import Answering, Question
from sirena.serving.core import PANEL_MODEL, Rows, interpret
from sirena.serving.ground_detail import GroundDetail
from sirena.serving.holder import PanelHolder
from sirena.serving.kept_columns import kept_records
from sirena.serving.long_bodies import LongBodies
from sirena.serving.metrics import ServiceMetrics
from sirena.serving.observation import Observed
from sirena.serving.one_row import answer_record
from sirena.serving.prepared import ColumnRole, PreparedRelease
from sirena.serving.shadow import Shadow
from tests.panels import panel_with_sites, small_panel
from tests.serving_client import Given


def answering(panel: Panel) -> Answering:
    """Return what answers requests by a panel."""
    source = Given(panel)
    holder = PanelHolder(source)
    holder.refresh()
    return Answering(holder, ServiceMetrics(), Shadow(source), LongBodies(1, 2**20), 2**20)


RELEASES = [PreparedRelease(small_panel()), PreparedRelease(panel_with_sites())]
CELLS = st.sampled_from(
    ["4", "<=2", ">16", "0,5", "abc", "", " ", None, 8, 0.5, 16.0, True, [4], {"a": 1}, float("nan"), -1, 10**400]
)
ORGANISMS = st.sampled_from(["eco", "Escherichia coli", "pae", "spn", "sau", "zzz", "PSA", "", None, 4, ["eco"]])
SPECIMENS = st.sampled_from(["ur", "LCR", "orina", "bl", "qwxz", "", None, 3])
TESTS = ["AMK_NM", "CAZ_NM", "PEN_NM", "NIT_NM", "AMK_NE", "AMK_ND30", "VAN_NM", "amk_nm", "WARD", "Eti_AMK_NM"]
RECORDS = st.builds(
    lambda *parts: {name: cell for part in parts for name, cell in part.items()},
    st.dictionaries(st.sampled_from(["ORGANISM", "organism ", "LOCAL_ORG"]), ORGANISMS, max_size=2),
    st.dictionaries(st.sampled_from(TESTS), CELLS, max_size=6),
    st.dictionaries(st.sampled_from(["SPEC_TYPE", "spec_type"]), SPECIMENS, max_size=2),
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(RELEASES),
    RECORDS,
    st.sampled_from([None, None, Site.URINE, Site.CEREBROSPINAL_FLUID]),
    st.sampled_from([PANEL_MODEL, PANEL_MODEL, "modelo_AMK_NM"]),
    st.sampled_from(GroundDetail),
)
def test_it_answers_byte_for_byte_what_the_general_way_answers(
    release: PreparedRelease, record: dict[str, Any], site: Site | None, model: str, detail: GroundDetail
) -> None:
    """Body, counts for the metrics, and unread specimens; what it leaves to the general way it does not answer."""
    quick = answer_record(release, record, site, model, detail)
    if quick is None:
        return
    interpretation = interpret(release.panel, Rows(kept_records([record]), 1, site), model=model)
    assert quick.content == encode_answers(release, interpretation, detail)
    assert quick.unknown_specimens == interpretation.unknown_specimens
    assert [code for _, code in quick.counts] == [answered.answers[0] for answered in interpretation.columns]


def test_a_kept_answer_to_one_test_is_that_of_its_organism_site_mic_and_detail() -> None:
    """Each question twice, so that the second is answered by what the others left."""
    release = PreparedRelease(panel_with_sites())
    questions = [
        ({"ORGANISM": organism, test: mic, "SPEC_TYPE": specimen}, detail)
        for organism, mic, specimen in product(("eco", "spn", "zzz"), ("4", ">64", None), ("ur", "LCR", "qwxz", ""))
        for test, detail in product(("NIT_NM", "nit_nm", "PEN_NM"), (GroundDetail.SHORT, GroundDetail.NONE))
    ]
    for record, detail in questions * 2:
        answer = answer_record(release, record, None, PANEL_MODEL, detail)
        assert answer is not None
        interpretation = interpret(release.panel, Rows(kept_records([record]), 1), model=PANEL_MODEL)
        assert answer.content == encode_answers(release, interpretation, detail)
        assert answer.unknown_specimens == interpretation.unknown_specimens
        assert answer.unknown_organisms == interpretation.unknown_organisms


def test_a_kept_answer_as_tensors_is_that_of_its_model_organism_site_mic_and_detail() -> None:
    """A new service answers each question first; one that answered all of them before says the same, and counts it."""
    contents = [
        {"inputs": [{"name": name, "shape": [1], "datatype": "BYTES", "data": [cell]} for name, cell in cells.items()]}
        for organism, mic, specimen in product(("eco", "zzz"), ("4", ">64"), ("ur", "qwxz", ""))
        for cells in (
            {"ORGANISM": organism, "NIT_NM": mic, "SPEC_TYPE": specimen},
            {"ORGANISM": organism, "NIT_NM": mic, "PEN_NM": "1", "SPEC_TYPE": specimen},
        )
    ]
    questions = list(
        product(contents, (PANEL_MODEL, "modelo_NIT_NM"), (b"", b"ground=none", b"ground=full"), (None, "urine"))
    )

    def ask(content: dict[str, Any], model: str, query: bytes, site: str | None, asked: Answering) -> bytes:
        body = orjson.dumps(content | ({"parameters": {"site": site}} if site else {}))
        question = Question("/v2/models/{name}/infer", model, tensors=True)
        return asked.answer_at_once(question, query, "application/json", body, Observed("12345678")).content

    kept = answering(panel_with_sites())
    first = [ask(*question, kept) for question in questions]
    counts = dict(kept.metrics.tallies.answers), kept.metrics.tallies.unknown_specimens
    assert [ask(*question, kept) for question in questions] == first
    assert [ask(*question, answering(panel_with_sites())) for question in questions] == first
    twice = kept.metrics.tallies
    assert dict(twice.answers) == {key: 2 * number for key, number in counts[0].items()}
    assert twice.unknown_specimens == 2 * counts[1]


def test_answers_to_one_test_are_kept_up_to_a_number() -> None:
    """Texts of MICs are callers' to choose; memory does not grow with them."""
    release = PreparedRelease(small_panel())
    for number in range(1, 6_000):
        answer_record(release, {"ORGANISM": "eco", "AMK_NM": f"4.{number}"}, None, PANEL_MODEL)
    assert sum(len(column.whole_answers) for column in release._columns.values()) <= 4_096


def test_plain_records_are_answered_by_it() -> None:
    """The rule above would also hold of a way that answers nothing."""
    quick = answer_record(RELEASES[0], {"ORGANISM": "eco", "AMK_NM": "4", "WARD": "uci"}, None, PANEL_MODEL)
    assert quick is not None
    assert list(quick.counts) == [("AMK_NM", 1)]


@pytest.mark.parametrize(
    ("record", "model"),
    [
        ({"ORGANISM": "eco"}, PANEL_MODEL),
        ({"AMK_NM": "4"}, PANEL_MODEL),
        ({"ORGANISM": "eco", "AMK_NM": "4", "amk_nm": "4"}, PANEL_MODEL),
        ({"ORGANISM": "eco", "organism": "pae", "AMK_NM": "4"}, PANEL_MODEL),
        ({"ORGANISM": "eco", "AMK_NM": "4"}, "modelo_XXX_NM"),
        ({"ORGANISM": "eco", "AMK_NM": "4"}, "modelo_CAZ_NM"),
    ],
)
def test_what_is_not_plain_is_left_to_the_general_way(record: dict[str, Any], model: str) -> None:
    """That one knows the errors."""
    assert answer_record(RELEASES[0], record, None, model) is None


def test_orders_of_names_that_callers_choose_keep_no_columns_beyond_a_number() -> None:
    """A form holds its columns; those that the release does not keep would be kept by it."""
    release = PreparedRelease(small_panel())
    letters = "BCDFGHJKLMNPQRSTVWXZ"
    names = [f"{first}{second}{third}_NM" for first in letters for second in letters for third in letters]
    for start in range(0, 6_000, 500):
        assert release.form(("ORGANISM", *names[start : start + 500])) is not None
    assert sum(len(form.tests) for form in release._forms.values() if form is not None) <= 1_100


def test_one_test_under_two_spellings_is_not_plain_however_many_names_came_before() -> None:
    """One answer would stand twice."""
    release = PreparedRelease(small_panel())
    for number in range(2_000):
        release.role(f"{'BCDFGHJKLM'[number // 200]}{chr(65 + number // 10 % 20)}{number % 10}_NM")
    assert release.form(("ORGANISM", "ZZZ_NM", "zzz_nm")) is None


def test_names_that_callers_choose_are_remembered_up_to_a_number() -> None:
    """Memory does not grow with what is sent; a name that is not remembered means the same."""
    release = PreparedRelease(small_panel())
    names = [f"{first}{second}{third}_NM" for first in "BCDFGHJKLMNP" for second in "ABCDEFGHIJKLM" for third in "0123"]
    names += [f"column {number}" for number in range(4096)]
    assert len(names) > 4096
    roles = [release.role(name) for name in names]
    assert release.role(names[-1]) is ColumnRole.NONE
    assert release.role(names[0]) is roles[0]
    assert release.role("ORGANISM" + " " * 93) is ColumnRole.NONE
