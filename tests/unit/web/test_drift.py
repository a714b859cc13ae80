"""What a quarter of an open file has otherwise than before, on the pages."""

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from sirena.panel.compiled import Panel
from sirena.registry.connection import RegistryUnavailableError
from sirena.stewardship.drift import Drift, measure_drift
from sirena.stewardship.drift_populations import TrainingCounts
from sirena.web import drift_page
from sirena.web.answers import NamedPanel
from sirena.web.application import create_pages
from sirena.web.drift_page import FORMS
from sirena.web.opened_files import OpenedFiles
from sirena.web.training_side import TrainingSide
from tests.command_line import run_command
from tests.unit.web.conftest import KEY, ORIGIN, drop

KEPT = TrainingCounts({"CIP_NM": {"eco": {"blood": {"0.25": 90, "8": 10}}}}, ("AMK_NM",), ("GEN_NM",))


def hospital() -> bytes:
    """Return 60 E. coli of the last quarter, half of them resistant, and 60 susceptible of the year before."""
    quarter = [f"{number},2025-11-03,bl,eco,{'>4' if number < 30 else '0.25'}" for number in range(60)]
    year = [f"{number},2025-05-03,bl,eco,0.25" for number in range(60, 120)]
    return "\n".join(("PATIENT_ID,SPEC_DATE,SPEC_TYPE,ORGANISM,CIP_NM", *quarter, *year, "")).encode()


def modelled(answers: NamedPanel) -> NamedPanel:
    """Return the same answers as those of a release."""
    return replace(answers, by_models=True, panel=replace(answers.panel, release="panel_SIR/3"))


def at_pages(answers: NamedPanel, evidence_of: object) -> TestClient:
    """Return somebody at pages where models answer."""
    application = create_pages(answers, OpenedFiles(), KEY, evidence_of=evidence_of)  # type: ignore[arg-type]
    client = TestClient(application, base_url=ORIGIN, headers={"origin": ORIGIN, "accept-language": "es"})
    assert client.get(f"/enter/{KEY}").status_code == 200
    return client


def test_every_figure_is_the_command_lines(
    person: TestClient, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The document to take away is the one that `sirena drift --json` prints, and the page shows its figures."""
    address = drop(person, hospital())
    path = tmp_path / "hospital.csv"
    path.write_bytes(hospital())
    printed = run_command(capfd, ["drift", path, "--reference", "--json"])
    assert printed.code == 5
    assert person.get(f"{address}/drift/json").json() == json.loads(printed.output)
    page = person.get(f"{address}/drift").text
    assert "Something drifts." in page
    assert '<td class="figure">+50.0</td>' in page
    assert '<td class="figure">50.0% / 60</td>' in page
    assert f'href="{address}/drift"' in person.get(address).text


def test_a_period_that_the_file_does_not_have_is_not_asked(person: TestClient) -> None:
    """The page never fails by its address; a quarter of the file is asked."""
    address = drop(person, hospital())
    for odd in ("1999", "2025-Q9", "<script>", "all"):
        page = person.get(f"{address}/drift", params={"period": odd})
        assert page.status_code == 200
        assert "2025-10-01 – 2025-12-31" in page.text
        assert "<script>" not in page.text.partition("<main")[2]
    assert "2025-04-01 – 2025-06-30" in person.get(f"{address}/drift?period=2025-Q2").text


def test_a_file_without_dates_or_results_says_so(person: TestClient) -> None:
    """In a sentence, not as a failure."""
    undated = drop(person, b"ORGANISM,CIP_NM\neco,1\n")
    assert "there is no year before" in person.get(f"{undated}/drift").text
    empty = drop(person, b"ORGANISM,CIP_NM\neco,\n")
    assert "This period holds no result." in person.get(f"{empty}/drift").text
    assert person.get(f"{empty}/drift/chart").status_code == 404
    assert person.get(f"{empty}/drift/json").status_code == 404


def test_the_chart_is_drawn_on_the_server(person: TestClient) -> None:
    """As a picture the page shows, and in every form to take away."""
    address = drop(person, hospital())
    shown = person.get(f"{address}/drift/chart")
    assert shown.headers["content-type"] == "image/svg+xml"
    assert "drift: S -50.0, R +50.0" in shown.text
    assert all(person.get(f"{address}/drift/{form}").content for form in FORMS)
    assert person.get(f"{address}/drift/docx").status_code == 404


def test_a_period_is_measured_once_for_the_page_its_chart_and_what_is_taken_away(
    person: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another period is measured for itself."""
    measured: list[str] = []

    def noting(*given: Any, **more: Any) -> Drift:
        measured.append(str(more["period"]))
        return measure_drift(*given, **more)

    monkeypatch.setattr(drift_page, "measure_drift", noting)
    address = drop(person, hospital())
    for place in ("/drift", "/drift/chart", "/drift/json", "/drift"):
        assert person.get(address + place).status_code == 200
    assert len(measured) == 1
    person.get(f"{address}/drift?period=2025-Q2")
    assert len(measured) == 2


def test_where_models_answer_their_training_is_the_other_side(answers: NamedPanel) -> None:
    """What was trained without isolates, or before counts were kept, is named."""
    asked: list[str] = []

    def evidence_of(panel: Panel, columns: Collection[str]) -> TrainingCounts:
        asked.append(panel.release)
        return KEPT

    client = at_pages(modelled(answers), evidence_of)
    address = drop(client, hospital())
    page = client.get(f"{address}/drift").text
    assert "Frente al entrenamiento de los modelos" in page
    assert '<td class="figure">10,0 % / 100</td>' in page
    assert "así que no se comparan: AMK_NM" in page
    assert "no guardó recuentos que comparar: GEN_NM" in page
    assert "todo el archivo:" in " ".join(client.get(f"{address}/drift?period=all").text.split())
    assert asked == ["panel_SIR/3"]


def test_a_registry_that_is_away_leaves_the_year_before(answers: NamedPanel) -> None:
    """The page says so, and asks again the next time."""
    asked: list[str] = []

    def away(panel: Panel, columns: Collection[str]) -> TrainingCounts:
        asked.append(panel.release)
        raise RegistryUnavailableError("MLflow does not answer")

    client = at_pages(modelled(answers), away)
    address = drop(client, hospital())
    for _ in range(2):
        page = client.get(f"{address}/drift").text
        assert "solo se compara con el año anterior" in page
        assert "Frente a los doce meses anteriores" in page
    assert len(asked) == 2


def test_editions_have_no_training(answers: NamedPanel) -> None:
    """Nobody is asked."""
    assert TrainingSide(lambda _panel, _columns: KEPT).of(answers) is None
