"""What `sirena status` says of the guideline editions of the release that answers."""

from dataclasses import replace
from pathlib import Path

import pytest

from sirena.acts.guideline_condition import guideline_condition
from sirena.guidelines.editions import Editions
from sirena.panel.compiled import Panel
from sirena.server.checks.finding import CheckVerdict
from sirena.server.supervision.health_report import PartHealth
from sirena.settings.catalogue import Settings
from tests.panels import small_panel
from tests.serving_client import running_service

SERVICE = PartHealth("service", well=True, state="well", version="1", port=5000, memory=0, seconds=1)


def panel_of(edition: str) -> Panel:
    """Return a small panel whose models were certified against an edition."""
    panel = small_panel()
    facts = {column: {**known, "edition": edition} for column, known in panel.provenance.items()}
    return replace(panel, provenance=facts, release="release-2")


@pytest.mark.parametrize("overlay", ["", " + rules.csv"])
@pytest.mark.parametrize("lapsed", [False, True])
def test_a_release_on_an_edition_not_in_force_is_a_warning(tmp_path: Path, lapsed: bool, overlay: str) -> None:
    """Told by the service itself, in /version and /metrics alike."""
    current = Editions().edition_in_force("CLSI")
    others = [name for name in Editions().names if name.startswith("CLSI") and name != current]
    edition = (others[0] if lapsed else current) + overlay
    words = f"{others[0]} is not in force: {current} is, since " if lapsed else f"{edition}: in force"
    with running_service() as running:
        running.source.panel = panel_of(edition)
        running.holder.refresh()
        settings = Settings(home=tmp_path, profile="embedded", port=running.client.base_url.port or 0)
        condition = guideline_condition(settings, [SERVICE])
        metrics = running.client.get("/metrics").text
    assert condition.verdict is (CheckVerdict.WARNING if lapsed else CheckVerdict.WELL)
    assert condition.told.startswith(words)
    assert bool(condition.remedy) is lapsed
    value = 0.0 if lapsed else 1.0
    assert f'sirena_edition_in_force{{edition="{edition}"}} {value}' in metrics


def test_a_service_without_a_release_rests_on_nothing(tmp_path: Path) -> None:
    """A fresh server is well."""
    with running_service(loaded=False) as running:
        settings = Settings(home=tmp_path, profile="embedded", port=running.client.base_url.port or 0)
        condition = guideline_condition(settings, [SERVICE])
    assert (condition.verdict, condition.told) == (CheckVerdict.WELL, "no release answers yet")


def test_a_service_that_cannot_be_asked_is_a_warning(tmp_path: Path) -> None:
    """Neither when it is down, nor when nobody answers at its socket."""
    settings = Settings(home=tmp_path, profile="production")
    for parts in ([], [replace(SERVICE, well=False)], [SERVICE]):
        condition = guideline_condition(settings, parts)
        assert condition.verdict is CheckVerdict.WARNING
        assert condition.told.startswith("not known")
