"""Two workers behind the real entry, by the ledger on PostgreSQL, with traces: as a server has them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from sirena.acts.shadowing import name_shadow
from sirena.server.parts.connections import PartConnections
from sirena.server.parts.part import HttpHealth
from sirena.server.parts.processes import ChildProcess
from tests.guarded_house import House
from tests.small_release import make_release
from tests.trace_collector import trace_collector
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

ROW = {"ORGANISM": "eco", "AMK_NM": "4"}
TIMES = 8
"""Over as many connections, so that both workers answer."""


@contextmanager
def service_of_two(house: House, traces: str) -> Iterator[None]:
    """Run the service behind the entry for the length of a block."""
    connections = PartConnections(house.settings)
    command = ("serve", "--workers", "2", "--socket", str(connections.socket_of("service")))
    service = ChildProcess(
        "the service",
        (sys.executable, "-m", "sirena.cli", *command),
        health=HttpHealth(connections.of_part("service"), "/readyz"),
        log=house.settings.home / "logs" / "service.log",
        environment=house.environment | {"OTEL_EXPORTER_OTLP_ENDPOINT": traces},
    )
    service.start()
    try:
        yield
    finally:
        service.stop()


def ask(client: httpx.Client) -> httpx.Response:
    """Ask for one isolate over a connection of its own."""
    return client.post("/invocations", json={"dataframe_records": [ROW]}, headers={"Connection": "close"})


def test_two_workers_follow_the_ledger_count_as_one_trace_and_stand_behind_the_limit(house: House) -> None:
    """A release and a shadow reach both; nobody meets the shadow; a flood is answered 429, and the next is served."""
    settings = house.own.model_copy(update={"tracking_uri": house.environment["MLFLOW_TRACKING_URI"]})
    registry, first = make_release(settings)
    with (
        trace_collector() as collector,
        service_of_two(house, collector.url),
        house.honest("clinician") as clinician,
        house.honest("scientist") as scientist,
        house.honest("clinician", "127.3.9.1") as hurried,
    ):

        def releases() -> set[str]:
            answers = [ask(clinician).raise_for_status().json() for _ in range(TIMES)]
            assert {len(answer["predictions"]) for answer in answers} == {1}
            return {answer["provenance"]["release"] for answer in answers}

        assert releases() == {first.name}
        _, second = make_release(settings, susceptible_to=2.0)
        wait_until(lambda: releases() == {second.name}, pause=0.1)
        name_shadow(registry, first)
        wait_until(lambda: scientist.get("/shadow").json()["shadow"] == first.name, pause=0.1)
        # each worker takes it up by itself, and what it was asked before counts nothing
        wait_until(
            lambda: releases() == {second.name} and scientist.get("/shadow").json()["compared"] > TIMES, pause=0.1
        )
        counted = scientist.get("/shadow").json()
        assert (counted["active"], counted["unanswered"]) == (second.name, 0)
        assert [(change["before"], change["after"]) for change in counted["changes"]] == [("R", "S")]
        assert clinician.get("/shadow").status_code == 403
        with house.entry_with(rate=1):
            statuses = [ask(hurried).status_code for _ in range(20)]
        assert set(statuses) == {200, 429}
        assert ask(hurried).status_code == 200
        name_shadow(registry, None)
    spans = [span.name for span in collector.spans]
    assert spans.count("reload") == 4
    assert spans.count("POST /invocations") >= 4 * TIMES
    events = (house.settings.home / "logs" / "service.log").read_text()
    assert events.count('"panel_loaded"') == 4
    assert "child_ended" not in events
