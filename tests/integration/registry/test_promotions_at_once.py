"""One command promotes many models at once: each decision has its entries, and a refused one holds up no other."""

import threading
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace

import pytest

from sirena.acts.gatekeeping import judge_for
from sirena.acts.promoting import promote_each
from sirena.certification.gate import Verdict
from sirena.domain.errors import GateError, SirenaError
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.editions import Edition
from sirena.ledger.store import open_ledger
from sirena.ledger.verification import verify
from sirena.registry.connection import Registry
from sirena.registry.judging import RegisteredJudge
from sirena.registry.model_files import files_of
from sirena.registry.versions import REPORT, IntegrityError, ModelVersion, Stage, find_version, read_file
from tests.integration.registry.house import log_trained, trained_on
from tests.integration.registry.registry_models import Log

_LONGEST = 120.0
"""Seconds after which what should come is taken never to."""

_GIVEN = ("done", "unchanged")
"""Outcomes of promotions that gave a stage, or found it given by a test before."""


@dataclass(frozen=True)
class OneGoesFirst(RegisteredJudge):
    """The gate, which judges one version at once and the others when the asker has left off."""

    first: str = ""
    left: threading.Event = field(default_factory=threading.Event)

    def judge(self, version: ModelVersion, stage: Stage, *, overriding: bool = False) -> Verdict:
        """Judge, perhaps later."""
        if str(version) != self.first:
            self.left.wait(_LONGEST)
        return super().judge(version, stage, overriding=overriding)


def recorded(registry: Registry, *outcomes: str) -> list[str]:
    """Return the versions whose promotion has an entry with one of these outcomes in the ledger."""
    acts = open_ledger(registry.settings).read(events=("promoted",))
    return sorted(f"{act.facts()['model']}/{act.facts()['version']}" for act in acts if act.outcome in outcomes)


def one_goes_first(registry: Registry, versions: list[ModelVersion]) -> OneGoesFirst:
    """Return a gate that judges the first of the versions at once."""
    usual = judge_for(registry, None)
    return OneGoesFirst(registry, usual.gate, usual.approver, usual.edition, first=str(versions[0]))


def named(versions: Iterable[ModelVersion]) -> list[str]:
    """Return the names of versions, in their order."""
    return sorted(map(str, versions))


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
    assert len({entry.request_id for entry in ledger.read()}) == 1
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


def test_what_was_promoted_beside_a_failure_is_told_before_the_failure(registry: Registry) -> None:
    """Nobody has to guess which models have the stage: those told, and no other."""
    judge, calls = judge_for(registry, None), iter(range(100))

    def gone_once(name: str) -> Edition:
        if next(calls) == 0:
            raise SirenaError("MLflow does not answer any more")
        return judge.edition(name)

    versions = [log_trained(registry, trained_on(True, drug)) for drug in ("CXM", "IPM", "LVX", "TOB")]
    told: list[ModelVersion] = []
    with pytest.raises(SirenaError, match="does not answer any more"):
        told.extend(version for version, _ in promote_each(replace(judge, edition=gone_once), versions, Stage.STAGING))
    assert told
    assert named(told) == recorded(registry, *_GIVEN)
    assert verify(open_ledger(registry.settings)).open_acts == ()


def test_whoever_leaves_off_has_no_further_model_promoted(registry: Registry) -> None:
    """After an error of whoever asked, what is under way is ended, and what waited is not begun."""
    versions = [*log_five(registry), *(log_trained(registry, trained_on(True, drug)) for drug in ("MNO", "TZP"))]
    judge = one_goes_first(registry, versions)

    def leave_off() -> None:
        with closing(promote_each(judge, versions, Stage.STAGING)) as outcomes:
            next(outcomes)
            judge.left.set()
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        leave_off()
    assert str(versions[0]) in recorded(registry, *_GIVEN)
    assert str(versions[-1]) not in recorded(registry, "intended")
    assert verify(open_ledger(registry.settings)).open_acts == ()


def test_an_act_keeps_what_is_judged_and_nothing_else(log: Log, amikacin: TruthTable) -> None:
    """A stranger's documents beside it, however many, are hashed one after another and do not fill the memory."""
    registry = log(amikacin).reading_once()
    [stored] = registry.settings.artifacts.rglob(REPORT)
    (stored.parent / "further.json").write_text("{}")
    files = files_of(registry, find_version(registry, "modelo_AMK_NM/1"))
    assert any(file.endswith(" artifacts/further.json") for file in files)
    assert registry.read_once is not None
    kept = sorted(path for _, path in registry.read_once.documents)
    assert kept == [f"artifacts/{name}.json" for name in ("certificate", "report", "truth_table")]


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
