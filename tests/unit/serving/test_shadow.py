"""Each rule of the shadow: it is asked the same, changes nothing, and what it would change is counted."""

from typing import Any
from unittest.mock import Mock

import pyarrow as pa
import pytest

from sirena.domain.errors import SirenaError
from sirena.panel.compiled import Panel
from sirena.serving import shadow as shadowing
from sirena.serving.shadow import Shadow
from tests.panels import small_panel
from tests.serving_client import Given, RunningService, service
from tests.waiting import wait_until

STRICTER = small_panel("release-2", shift=-1)
"""Every cut point is a dilution lower: eco at 4 mg/L is I by it, and at 8 mg/L R."""
ECO = {"ORGANISM": "eco", "SPEC_TYPE": "ur", "AMK_NM": "4", "CAZ_NM": ""}
PAE = {"ORGANISM": "pae", "SPEC_TYPE": "ur", "AMK_NM": "0.5", "CAZ_NM": "1"}


def told(running: RunningService) -> dict[str, Any]:
    """Return what the service tells of the shadow."""
    return dict(running.client.get("/shadow").json())


def ask(running: RunningService, *rows: dict[str, str], route: str = "/invocations") -> dict[str, Any]:
    """Ask, and wait until the shadow was asked too."""
    before = told(running)["compared"]
    answer = running.client.post(route, json={"dataframe_records": rows})
    assert answer.status_code == 200
    wait_until(lambda: told(running)["compared"] == before + 1)
    return dict(answer.json())


def compare_all(shadow: Shadow) -> None:
    """Ask the shadow what waits."""
    while shadow.compare_next():
        pass


def loaded(active: Panel, answers_unseen: Panel | None = STRICTER) -> tuple[Shadow, Given]:
    """Return a shadow that is asked by the test alone."""
    source = Given(active, answers_unseen)
    shadow = Shadow(source)
    shadow.refresh()
    return shadow, source


def offer(shadow: Shadow, panel: Panel, body: bytes = b"ORGANISM,AMK_NM\neco,4\n") -> None:
    """Offer a question that a panel answered."""
    shadow.offer(panel, "panel_SIR", "text/csv", body, is_tensors=False)


def test_no_answer_depends_on_it() -> None:
    """The same bytes with a shadow and without; one row, many, and what is refused."""
    bodies = [{"dataframe_records": rows} for rows in ([ECO], [PAE], [ECO, PAE] * 20, [], [{"AMK_NM": "4"}])]

    def answers(running: RunningService) -> list[bytes]:
        return [running.client.post("/invocations?ground=full", json=body).content for body in bodies[:3]] + [
            str(running.client.post("/invocations", json=body).json()["error"]["message"]).encode()
            for body in bodies[3:]
        ]

    with service() as alone, service(shadow=STRICTER) as accompanied:
        assert answers(alone) == answers(accompanied)


def test_counted_is_what_both_releases_answer() -> None:
    """The gravest first; empty MICs are asked of neither, and columns without a model are left out."""
    with service(shadow=small_panel("release-2", shift=-3)) as running:
        ask(running, ECO, {**PAE, "NIT_NM": "4"})
        ask(running, *[{**ECO, "AMK_NM": "16"}] * 3)
        state = told(running)
        metrics = running.client.get("/metrics").text
    assert (state["shadow"], state["active"], state["failure"]) == ("release-2", "release-1", None)
    assert (state["compared"], state["dropped"], state["answers"], state["changed"]) == (2, 0, 6, 1)
    assert state["changes"] == [{"before": "S", "after": "R", "column": "AMK_NM", "group": "eco", "answers": 1}]
    assert 'sirena_shadow_answers_total{after="R",before="S",column="AMK_NM"} 1.0' in metrics
    assert 'sirena_shadow_answers_total{after="R",before="R",column="AMK_NM"} 3.0' in metrics
    assert 'sirena_shadow_info{release="release-2"} 1.0' in metrics
    assert 'sirena_shadow_questions_total{outcome="compared"} 2.0' in metrics


def test_graver_changes_stand_before_more_frequent_ones() -> None:
    """One S that becomes R before several R that become S, and these before what becomes I."""
    shadow, source = loaded(small_panel(), small_panel("release-2", shift=-2))
    assert source.panel is not None
    offer(shadow, source.panel, b"ORGANISM,AMK_NM,CAZ_NM\neco,2,\neco,2,\neco,4,4\n")
    compare_all(shadow)
    changes = shadow.state.to_json()["changes"]
    assert [(one["before"], one["after"], one["answers"]) for one in changes] == [
        ("S", "R", 1),
        ("S", "R", 1),
        ("S", "I", 2),
    ]


@pytest.mark.parametrize("form", ["records", "one model", "csv", "tensors", "arrow"])
def test_questions_of_every_form_are_asked_again(form: str) -> None:
    """Also those that only one model was asked."""
    with service(shadow=STRICTER) as running:
        client = running.client
        if form == "records":
            client.post("/invocations", json={"dataframe_records": [ECO]})
        elif form == "one model":
            client.post("/models/modelo_AMK_NM/invocations", json={"dataframe_records": [ECO]})
        elif form == "csv":
            client.post("/invocations", content="ORGANISM,AMK_NM\neco,4\n", headers={"Content-Type": "text/csv"})
        elif form == "tensors":
            inputs = [
                {"name": name, "shape": [1], "datatype": "BYTES", "data": [value]}
                for name, value in (("ORGANISM", "eco"), ("AMK_NM", "4"))
            ]
            client.post("/v2/models/panel_SIR/infer", json={"inputs": inputs})
        else:
            sink = pa.BufferOutputStream()
            batch = pa.record_batch({"ORGANISM": ["eco"], "AMK_NM": ["4"]})
            with pa.ipc.new_stream(sink, batch.schema) as writer:
                writer.write_batch(batch)
            headers = {"Content-Type": "application/vnd.apache.arrow.stream"}
            client.post("/invocations", content=sink.getvalue().to_pybytes(), headers=headers)
        wait_until(lambda: told(running)["compared"] == 1)
        assert told(running)["changes"] == [
            {"before": "S", "after": "I", "column": "AMK_NM", "group": "eco", "answers": 1}
        ]


def test_questions_it_cannot_keep_up_with_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """By number and by bytes, so that memory is bounded; what waits is asked all the same."""
    active = small_panel()
    shadow, _ = loaded(active)
    monkeypatch.setattr(shadowing, "_MOST_WAITING", 3)
    monkeypatch.setattr(shadowing, "_MOST_BYTES", 1000)
    for _ in range(5):
        offer(shadow, active)
    assert shadow.state.dropped_requests == 2
    compare_all(shadow)
    offer(shadow, active, b"ORGANISM,AMK_NM\neco,4\n" + b"eco,4\n" * 200)
    offer(shadow, active)
    compare_all(shadow)
    assert (shadow.state.compared_requests, shadow.state.dropped_requests) == (4, 3)


def test_the_counts_begin_anew_when_either_release_becomes_another() -> None:
    """And what an earlier release answered is not counted with the later one."""
    first, second = small_panel(), small_panel("release-3")
    shadow, source = loaded(first)
    offer(shadow, first)
    compare_all(shadow)
    offer(shadow, first)
    offer(shadow, second)
    compare_all(shadow)
    assert (shadow.state.active, shadow.state.compared_requests) == ("release-3", 1)
    source.shadow = small_panel("release-4")
    shadow.refresh()
    offer(shadow, second)
    assert (shadow.state.shadow, shadow.state.compared_requests) == ("release-4", 0)
    offer(shadow, source.shadow)
    compare_all(shadow)
    assert shadow.state.active == "release-3"
    source.shadow = None
    shadow.refresh()
    assert (shadow.is_on, shadow.state.shadow) == (False, None)


def test_a_question_that_the_shadow_cannot_answer_is_counted_as_such() -> None:
    """One model's question may hold twice what only another model answers; the next is asked all the same."""
    active = small_panel()
    shadow, _ = loaded(active)
    body = b"ORGANISM,AMK_NM,CAZ_NM,caz_nm\neco,4,1,1\n"
    shadow.offer(active, "modelo_AMK_NM", "text/csv", body, is_tensors=False)
    offer(shadow, active)
    compare_all(shadow)
    assert (shadow.state.compared_requests, shadow.state.dropped_requests, shadow.state.unanswered_requests) == (
        1,
        0,
        1,
    )


def test_an_error_nobody_foresaw_ends_no_comparing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the file of the shadow holds: it is counted, and the thread goes on."""
    with service(shadow=STRICTER) as running:
        with monkeypatch.context() as broken:
            broken.setattr(shadowing, "interpret", Mock(side_effect=KeyError))
            running.client.post("/invocations", json={"dataframe_records": [ECO]})
            wait_until(lambda: told(running)["unanswered"] == 1)
        ask(running, ECO)


class Broken(Given):
    """A source whose shadow cannot be loaded until the test says so."""

    is_broken = True

    def load_shadow(self) -> Panel:
        """Fail, or return it."""
        if self.is_broken:
            raise SirenaError("release.json of panel_SIR/2 is not what was judged")
        return super().load_shadow()


def test_a_shadow_that_cannot_be_loaded_is_told_and_tried_again() -> None:
    """Once, whatever the number of tries; and no more when it is not meant any longer."""
    source = Broken(small_panel(), STRICTER)
    events: list[str] = []
    shadow = Shadow(source, lambda event, _facts: events.append(event))
    shadow.refresh()
    shadow.refresh()
    assert (shadow.is_on, shadow.state.to_json()["failure"]) == (
        False,
        "release.json of panel_SIR/2 is not what was judged",
    )
    source.shadow = None
    shadow.refresh()
    assert shadow.state.failure == ""
    source.shadow, source.is_broken = STRICTER, False
    shadow.refresh()
    assert shadow.state.shadow == "release-2"
    assert events == ["shadow_failed", "shadow_over", "shadow_loaded"]
