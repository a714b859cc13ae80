"""Promotion through alias, tags and MLflow's stage field."""

from collections.abc import Callable
from typing import Any

import pytest

from sirena.domain.errors import GateError, UsageError
from sirena.registry.certificates import certificate_digest
from sirena.registry.connection import Registry
from sirena.registry.models import log_model_version
from sirena.registry.stages import promote, promotions
from sirena.registry.versions import ModelVersion, Stage, find_version, list_versions
from tests.integration.registry.registry_models import verdict


@pytest.fixture
def two_versions(registry: Registry, train: Callable[..., Any], request: pytest.FixtureRequest) -> list[ModelVersion]:
    """Two versions of a model that no other test uses."""
    columns = ["DAP_NM", "ERY_NM", "ETP_NM", "FEP_NM", "FLU_NM", "FOS_NM", "FOX_NM", "GEN_NM"]
    column = columns[len(_used)]
    _used.append(request.node.name)
    for limit in (2.0, 4.0):
        log_model_version(
            registry,
            train(column, susceptible_to=limit),
            certificate={"edition": "CLSI 2025"},
            certificate_html="",
            author="ana",
        )
    return list_versions(registry, f"modelo_{column}")


_used: list[str] = []


def test_promotion_sets_alias_stage_field_and_record(registry: Registry, two_versions: list[ModelVersion]) -> None:
    """Who, when, on what evidence and what the gate said stay with the version."""
    first, _ = two_versions
    promote(registry, first, Stage.PRODUCTION, approver="eva", verdict=verdict(True))
    done = find_version(registry, str(first))
    assert (done.stage, done.stage_field, done.aliases) == (Stage.PRODUCTION, "Production", ("production",))
    [entry] = promotions(done)
    assert (entry.by, entry.evidence, entry.override) == ("eva", certificate_digest(done), "")
    assert (entry.verdict["passed"], entry.verdict["findings"][0]["got"]) == (True, "0 reversals")


def test_promoting_another_version_archives_the_one_before(
    registry: Registry, two_versions: list[ModelVersion]
) -> None:
    """One version is in production; the one it replaces is archived and remembered."""
    first, second = two_versions
    promote(registry, first, Stage.PRODUCTION, approver="eva", verdict=verdict(True))
    moved = promote(registry, second, Stage.PRODUCTION, approver="eva", verdict=verdict(True))
    stages = [version.stage for version in list_versions(registry, first.name)]
    assert (moved.previous, stages) == (1, [Stage.ARCHIVED, Stage.PRODUCTION])


def test_a_version_that_moves_on_leaves_its_old_stage(registry: Registry, two_versions: list[ModelVersion]) -> None:
    """From staging to production means no longer staging; archiving takes it out of production."""
    first, _ = two_versions
    promote(registry, first, Stage.STAGING, approver="eva", verdict=verdict(True))
    promote(registry, first, Stage.PRODUCTION, approver="eva", verdict=verdict(True))
    assert find_version(registry, str(first)).aliases == ("production",)
    promote(registry, first, Stage.ARCHIVED, approver="eva")
    gone = find_version(registry, str(first))
    assert (gone.stage, gone.stage_field, gone.aliases) == (Stage.ARCHIVED, "Archived", ())


def test_a_refused_version_is_not_promoted(registry: Registry, two_versions: list[ModelVersion]) -> None:
    """The refusal leaves with exit code 3, says what was expected and got, and changes nothing."""
    first, _ = two_versions
    with pytest.raises(GateError, match="got 3 reversals; expected no reversals") as refused:
        promote(registry, first, Stage.PRODUCTION, approver="eva", verdict=verdict(False))
    assert refused.value.exit_code == 3
    untouched = find_version(registry, str(first))
    assert (untouched.stage, promotions(untouched)) == (Stage.NONE, [])


def test_overriding_a_refusal_is_named_and_on_record(registry: Registry, two_versions: list[ModelVersion]) -> None:
    """The reason and the refused verdict stay with the version."""
    first, _ = two_versions
    overridden = verdict(False).override("eva", "outbreak, see 12/11")
    promote(registry, first, Stage.PRODUCTION, approver="eva", verdict=overridden)
    [entry] = promotions(find_version(registry, str(first)))
    assert (entry.override, entry.verdict["passed"]) == ("outbreak, see 12/11", False)


def test_a_promotion_interrupted_after_any_write_is_completed_by_repeating_it(
    registry: Registry, two_versions: list[ModelVersion], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dying between the writes leaves a state in which the alias is true and promoting again mends the rest."""
    first, second = two_versions
    promote(registry, first, Stage.PRODUCTION, approver="eva", verdict=verdict(True))

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    for write in ("set_model_version_tag", "set_registered_model_alias", "transition_model_version_stage"):
        with monkeypatch.context() as patched:
            patched.setattr(type(registry.models), write, die)
            with pytest.raises(KeyboardInterrupt):
                promote(registry, second, Stage.PRODUCTION, approver="eva", verdict=verdict(True))
        versions = list_versions(registry, first.name)
        assert [version.stage for version in versions].count(Stage.PRODUCTION) == 1
    promote(registry, second, Stage.PRODUCTION, approver="eva", verdict=verdict(True))
    mended = find_version(registry, str(second))
    assert (mended.stage, mended.stage_field) == (Stage.PRODUCTION, "Production")
    assert find_version(registry, str(first)).stage is Stage.ARCHIVED
    assert promotions(mended)[-1].evidence == certificate_digest(second)


def test_promoting_what_stands_there_already_changes_nothing(
    registry: Registry, two_versions: list[ModelVersion]
) -> None:
    """A repeated command adds no second record."""
    first, _ = two_versions
    for _ in range(2):
        again = promote(registry, first, Stage.PRODUCTION, approver="eva", verdict=verdict(True))
    assert not again.changed
    assert len(promotions(find_version(registry, str(first)))) == 1


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("modelo_XYZ_NM", "there is no registered model"),
        ("modelo_NIT_NM/7", "has no version 7"),
        ("modelo_NIT_NM@staging", "has no version @staging"),
        ("modelo_NIT_NM/", "names no model version"),
        ("", "names no model version"),
    ],
)
def test_a_name_of_nothing_is_refused_with_a_remedy(
    registry: Registry, train: Callable[..., Any], reference: str, told: str
) -> None:
    """An unknown model, version or alias is wrong use, and the message tells what exists."""
    log_model_version(registry, train("NIT_NM"), certificate={}, certificate_html="", author="ana")
    with pytest.raises(UsageError, match=told) as refused:
        find_version(registry, reference)
    assert refused.value.hint


def test_versions_are_found_by_number_alias_and_newest(registry: Registry, two_versions: list[ModelVersion]) -> None:
    """The three ways of naming a version, with and without MLflow's scheme."""
    first, _ = two_versions
    promote(registry, first, Stage.STAGING, approver="eva", verdict=verdict(True))
    named = {
        text: find_version(registry, text).version
        for text in (f"{first.name}/1", f"models:/{first.name}@staging", first.name, f"{first.name}@latest")
    }
    assert list(named.values()) == [1, 1, 2, 2]
