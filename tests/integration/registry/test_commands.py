"""`sirena promote` and `sirena release`, judged by the gate that comes with Sirena."""

from dataclasses import replace

import pytest

from sirena.acts.gatekeeping import judge_for
from sirena.acts.missing_models import missing_models
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.editions import load_edition
from sirena.registry.history import read_history
from sirena.registry.releases import find_release
from sirena.registry.versions import Stage, find_version
from tests.integration.registry.registry_models import Log, run, wrong

EDITION = load_edition("CLSI 2025")


def test_promote_release_activate_diff_and_roll_back(
    log: Log,
    amikacin: TruthTable,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The whole way from a registered version to a rollback, by commands alone."""

    def sirena(*arguments: str) -> tuple[int, str, str]:
        return run(monkeypatch, capsys, *arguments)

    registry = log(amikacin)
    assert sirena("promote", "modelo_AMK_NM/1", "--to", "production")[:2] == (
        0,
        "modelo_AMK_NM/1 is in Production\n",
    )
    assert "in Production already" in sirena("promote", "--all", "--to", "production")[1]
    assert sirena("release", "create")[:2] == (0, "panel_SIR/1: 1 models\n")
    assert sirena("release", "activate", "latest")[:2] == (0, "panel_SIR/1 is active\n")

    log(wrong(amikacin))
    code, _, told = sirena("promote", "modelo_AMK_NM", "--to", "production")
    assert code == 3
    assert "modelo_AMK_NM/2 may not go to production" in told
    assert "GridAgreement" in told
    assert find_version(registry, "modelo_AMK_NM@production").version == 1

    assert sirena("release", "create", "modelo_AMK_NM/2")[:2] == (0, "panel_SIR/2: 1 models\n")
    code, _, told = sirena("release", "activate", "2")
    assert code == 3
    assert "modelo_AMK_NM/2" in told
    assert find_release(registry, "active").version == 1

    code, changes, _ = sirena("release", "diff", "1", "2", "--cells")
    changed = int((amikacin.cells != wrong(amikacin).cells).sum())
    assert code == 0
    assert len(changes.splitlines()) == changed + 1
    assert "AMK_NM\teco\t64\tR\tS\t" in changes.splitlines()

    registry.client.create_registered_model("modelo_CIP_NM")
    code, _, told = sirena("release", "create")
    assert (code, "not in the release, 1 models:\n  modelo_CIP_NM: it has no version" in told) == (0, True)
    without = replace(find_release(registry, "1"), members={})
    [reason, _] = missing_models(judge_for(registry, None), without)
    assert reason.startswith("modelo_AMK_NM: the gate refuses version 2: MonotoneInMic failed")
    assert "GridAgreement failed" in reason

    assert sirena("release", "activate", "2", "--override", "drill")[0] == 0
    assert "overriding the gate: drill" in sirena("release", "show", "active")[1]
    assert sirena("release", "rollback")[1] == "panel_SIR/1 is active again, in place of release 2\n"
    assert [line.split("\t")[:2] for line in sirena("release", "list")[1].splitlines()] == [
        ["panel_SIR/1", "active"],
        ["panel_SIR/2", ""],
    ]


def test_an_override_is_named_and_on_record(
    log: Log,
    amikacin: TruthTable,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Promotion against the gate succeeds only with a reason, which stays with the version."""
    registry = log(wrong(amikacin))
    arguments = ("promote", "modelo_AMK_NM/1", "--to", "production")
    assert run(monkeypatch, capsys, *arguments)[0] == 3
    code, out, _ = run(monkeypatch, capsys, *arguments, "--override", "teaching")
    assert (code, "overriding" in out) == (0, True)
    [entry] = read_history(find_version(registry, "modelo_AMK_NM/1").tags)
    assert (entry.by, entry.override) == ("ana", "teaching")


def test_in_production_the_author_is_no_approver(
    log: Log,
    amikacin: TruthTable,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where several people work, nobody promotes the own model; embedded, the waiver is on record."""
    registry = log(amikacin)
    monkeypatch.setenv("SIRENA_PROFILE", "production")
    code, _, told = run(monkeypatch, capsys, "promote", "modelo_AMK_NM/1", "--to", "production")
    assert (code, "ApproverIsNotAuthor" in told) == (3, True)
    monkeypatch.setenv("SIRENA_USER", "eva")
    assert run(monkeypatch, capsys, "promote", "modelo_AMK_NM/1", "--to", "production")[0] == 0
    assert find_version(registry, "modelo_AMK_NM@production").stage is Stage.PRODUCTION


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("promote", "modelo_AMK_NM/1", "--to", "heaven"), 2, "there is no stage"),
        (("promote", "--to", "production"), 2, "name one model version"),
        (("promote", "modelo_XYZ_NM", "--to", "production"), 2, "no registered model"),
        (("release", "activate", "latest"), 2, "there is no release yet"),
        (("release", "show"), 2, "there is no release yet"),
        (("release", "rollback"), 2, "there is no release yet"),
        (("release", "create", "--from", "production"), 2, "no model is in production"),
    ],
)
def test_wrong_use_is_told_with_a_remedy(
    log: Log,
    amikacin: TruthTable,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    """One clear message and a remedy, exit code 2."""
    log(amikacin)
    left, _, message = run(monkeypatch, capsys, *arguments)
    assert left == code
    assert told in message
    assert "remedy:" in message
