"""One command promotes many models at once: each decision has its entries, and a refused one holds up no other."""

from dataclasses import replace

import pytest

from sirena.acts.gatekeeping import judge_for
from sirena.acts.promoting import promote_each
from sirena.domain.errors import GateError, SirenaError
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.editions import Edition
from sirena.ledger.store import open_ledger
from sirena.ledger.verification import verify
from sirena.registry.connection import Registry
from sirena.registry.versions import REPORT, IntegrityError, ModelVersion, Stage, find_version, read_file
from tests.integration.registry.house import log_trained, trained_on
from tests.integration.registry.registry_models import Log


def log_five(registry: Registry) -> list[ModelVersion]:
    """Log four models that say what the guideline says, and one in their midst that does not."""
    right = [log_trained(registry, trained_on(True, drug)) for drug in ("CXM", "IPM", "LVX", "TOB")]
    return [*right[:2], log_trained(registry, trained_on(False)), *right[2:]]


def test_of_many_models_each_has_its_decision_and_its_entries(registry: Registry) -> None:
    """What came of each is told in their order; the refused one stays where it is, and the ledger's chain is whole."""
    versions = log_five(registry)
    outcomes = list(promote_each(judge_for(registry, None), versions, Stage.PRODUCTION))
    assert [version for version, _ in outcomes] == versions
    assert [isinstance(outcome, GateError) for _, outcome in outcomes] == [False, False, True, False, False]
    stages = [find_version(registry, str(version)).stage for version in versions]
    assert stages == [Stage.PRODUCTION, Stage.PRODUCTION, Stage.NONE, Stage.PRODUCTION, Stage.PRODUCTION]
    ledger = open_ledger(registry.settings)
    told: dict[str, list[str]] = {}
    for entry in ledger.read(events=("promoted", "promotion_refused")):
        told.setdefault(f"{entry.facts()['model']}/{entry.facts()['version']}", []).append(entry.outcome)
    expected = [["intended", "refused" if stage is Stage.NONE else "done"] for stage in stages]
    assert told == {str(version): outcomes for version, outcomes in zip(versions, expected, strict=True)}
    verification = verify(ledger)
    assert (verification.finding, verification.open_acts) == (None, ())


def test_when_the_registry_fails_what_is_under_way_is_ended_and_nothing_promoted(registry: Registry) -> None:
    """The error goes on to whoever asked; no intention is left without an outcome."""

    def gone(_: str) -> Edition:
        raise SirenaError("MLflow does not answer any more")

    judge = replace(judge_for(registry, None), edition=gone)
    versions = [log_trained(registry, trained_on(True, drug)) for drug in ("MEM", "MNO", "TZP")]
    with pytest.raises(SirenaError, match="does not answer any more"):
        list(promote_each(judge, versions, Stage.STAGING))
    assert {find_version(registry, str(version)).stage for version in versions} == {Stage.NONE}
    assert verify(open_ledger(registry.settings)).open_acts == ()


def test_an_act_judges_what_it_compared_and_the_next_one_looks_anew(log: Log, amikacin: TruthTable) -> None:
    """A file that is changed during an act does not change what the act sees."""
    registry = log(amikacin)
    version = find_version(registry, "modelo_AMK_NM/1")
    [stored] = registry.settings.artifacts.rglob(REPORT)
    act = registry.reading_once()
    compared = read_file(act, version, REPORT)
    stored.write_text("{}")
    assert read_file(act, version, REPORT) == compared
    for anew in (registry, registry.reading_once()):
        with pytest.raises(IntegrityError, match="was changed after it was logged"):
            read_file(anew, version, REPORT)
