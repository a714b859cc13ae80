"""Releases are taken up one after another while callers ask."""

import gc
import threading
import weakref
from http import HTTPStatus
from typing import Any

from sirena.panel.compiled import Panel
from tests.panels import small_panel
from tests.serving_client import running_service

RELOADS = 30
NAMED = {"odd": 0, "even": 3}
"""Dilutions by which the cut points of each release are moved."""


def category(panel: Panel, mic: str) -> str:
    """Return how a panel answers an MIC for E. coli."""
    answer = panel.answer_one("AMK_NM", "eco", mic)
    assert answer is not None
    return answer.category.value


def test_no_request_fails_or_sees_a_mixture_and_memory_stays() -> None:
    """Small and long requests: an answer is of the release it names, and a release that was replaced goes away."""
    panels = {name: small_panel(name, shift=shift) for name, shift in NAMED.items()}
    expected = {name: category(panel, "16") for name, panel in panels.items()}
    assert len(set(expected.values())) == len(NAMED)
    bodies = [{"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": "16"}] * rows} for rows in (1, 40)]
    statuses: list[int] = []
    seen: list[tuple[str, set[str], set[str]]] = []
    is_over = threading.Event()

    def ask(running: Any, body: dict[str, Any]) -> None:
        while not is_over.is_set():
            answer = running.client.post("/invocations", json=body)
            statuses.append(answer.status_code)
            if answer.status_code != HTTPStatus.OK:
                continue
            document = answer.json()
            release = document["provenance"]["release"]
            columns = {document["provenance"]["Eti_AMK_NM"]["release"]}
            categories = {record["Eti_AMK_NM"] for record in document["predictions"]}
            seen.append((release, columns, categories))

    with running_service() as running:
        callers = [threading.Thread(target=ask, args=(running, body)) for body in bodies * 2]
        replaced = []
        running.source.panel = panels["even"]
        running.holder.refresh()
        for caller in callers:
            caller.start()
        for turn in range(RELOADS):
            name = list(NAMED)[turn % 2]
            running.source.panel = small_panel(name, shift=NAMED[name])
            replaced.append(weakref.ref(running.source.panel))
            before = len(statuses)
            assert running.holder.refresh()
            while len(statuses) < before + len(callers):
                is_over.wait(0.001)
        is_over.set()
        for caller in callers:
            caller.join()
        metrics = running.client.get("/metrics").text
        gc.collect()
        kept = [panel for reference in replaced if (panel := reference()) is not None]
    assert set(statuses) == {HTTPStatus.OK}
    assert {release for release, *_ in seen} == set(NAMED)
    assert all(columns == {release} for release, columns, _ in seen)
    assert all(categories == {expected[release]} for release, _, categories in seen)
    assert f"sirena_panel_loads_total {RELOADS + 2}.0" in metrics
    assert len(kept) == 1
