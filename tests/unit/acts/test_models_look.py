"""What is shown of models and releases, from versions as the registry describes them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sirena.acts.models_look import CertificateState, ModelGlance, RulesNow, VersionGlance, shown_and_waiting
from sirena.acts.releases_look import changed_members
from sirena.acts.version_look import former_of
from sirena.guidelines.editions import load_edition
from sirena.registry.versions import ModelVersion
from sirena.settings.catalogue import Settings


def version(number: int, *aliases: str, field: str = "None", ours: bool = True) -> ModelVersion:
    """Return a version of amikacin's model."""
    tags = {"sirena.sha256.truth_table.json": "0" * 64} if ours else {}
    return ModelVersion("modelo_AMK_NM", number, aliases, field, "", datetime(2026, 11, 29, tzinfo=UTC), tags)


def test_a_model_is_shown_by_its_version_in_production_else_by_its_newest() -> None:
    """Whatever was registered since."""
    assert shown_and_waiting([version(1, "production"), version(2)])[0].version == 1
    assert shown_and_waiting([version(1, field="Archived"), version(2)])[0].version == 2


@pytest.mark.parametrize(
    ("later", "waiting"),
    [
        ([], None),
        ([version(2)], 2),
        ([version(2, "staging"), version(3)], 3),
        ([version(2), version(3, field="Archived")], 2),
        ([version(2, ours=False)], None),
    ],
)
def test_a_newer_version_of_ours_waits_until_it_is_archived(later: list[ModelVersion], waiting: int | None) -> None:
    """A stranger's is nobody's to promote by a glance; without one in production nothing waits for its place."""
    assert shown_and_waiting([version(1, "production"), *later])[1] == waiting
    assert shown_and_waiting([version(1), *later])[1] is None


def test_a_certificate_is_valid_when_its_rules_are_those_in_force(tmp_path: Path) -> None:
    """To the letter; an edition that is not in force, or not here, any more is told apart."""
    rules, digest = RulesNow(Settings(home=tmp_path)), load_edition("CLSI 2026").digest
    asked = {
        ("CLSI 2026", digest): CertificateState.VALID,
        ("CLSI 2026", "b" * 64): CertificateState.OUTDATED,
        ("CLSI 2025", load_edition("CLSI 2025").digest): CertificateState.LAPSED,
        ("CLSI 1999", digest): CertificateState.OUTDATED,
        ("", ""): CertificateState.MISSING,
    }
    assert {one: rules.state(*one) for one in asked} == asked


def test_who_asks_for_a_decision_is_told_from_who_does_not() -> None:
    """In production, valid and nothing newer: nothing to decide."""
    answering = VersionGlance(version(1, "production"), CertificateState.VALID)
    assert not ModelGlance(answering).asks_for_a_decision
    assert ModelGlance(answering, 2).asks_for_a_decision
    assert ModelGlance(VersionGlance(version(1), CertificateState.VALID)).asks_for_a_decision
    assert ModelGlance(VersionGlance(version(1, "production"), CertificateState.OUTDATED)).asks_for_a_decision


def test_a_version_is_compared_with_the_one_in_production_else_with_the_one_before() -> None:
    """The first of a model with none."""
    answering, newest = version(1, "production"), version(3)
    assert former_of(newest, [newest, version(2), answering]) == answering
    assert former_of(newest, [newest, version(2), version(1)]) == version(2)
    assert former_of(answering, [newest, version(2), answering]) is None


def test_exchanged_members_are_named_by_column() -> None:
    """Another version, a new column, one that is gone; what stayed is left out."""
    before = {"AMK_NM": "modelo_AMK_NM/1", "AMP_NM": "modelo_AMP_NM/1", "CAZ_NM": "modelo_CAZ_NM/1"}
    after = {"AMK_NM": "modelo_AMK_NM/2", "AMP_NM": "modelo_AMP_NM/1", "CIP_NM": "modelo_CIP_NM/1"}
    told = [(one.column, one.before[-1:], one.after[-1:]) for one in changed_members(before, after)]
    assert told == [("AMK_NM", "1", "2"), ("CAZ_NM", "1", ""), ("CIP_NM", "", "1")]
