"""What answers on the pages at this moment."""

import json
from pathlib import Path

import pytest

from sirena.acts.local_rules import local_rules_of
from sirena.domain.errors import SirenaError
from sirena.guidelines.editions import Editions
from sirena.panel.compiled import Panel
from sirena.serving.holder import PanelHolder
from sirena.serving.source import FilePanelSource
from sirena.settings.catalogue import Settings
from sirena.web.answers_now import AnswersNow, EditionsNow
from tests.panels import cut_table


def test_the_editions_answer_until_a_release_does_and_then_each_that_is_activated(tmp_path: Path) -> None:
    """The pages never wait for the first release, and take up another without a new start."""
    file = tmp_path / "panel.json"
    holder = PanelHolder(FilePanelSource(file))
    now = AnswersNow(holder, EditionsNow(Editions(), local_rules_of(Settings(home=tmp_path))))
    with pytest.raises(SirenaError):
        holder.refresh()
    first = now()
    assert not first.by_models
    assert now() is first
    for release in ("panel_SIR/1", "panel_SIR/12"):
        provenance = {"AMK_NM": {"edition": "CLSI 2026", "model": "modelo_AMK_NM", "version": "1"}}
        panel = Panel({"AMK_NM": cut_table("AMK_NM", {"eco": (2, 4)})}, provenance, release)
        file.write_text(json.dumps(panel.to_json()))
        holder.refresh()
        answers = now()
        assert (answers.by_models, answers.name) == (True, f"release {release.rpartition('/')[2]} · CLSI 2026")
        assert now() is answers
