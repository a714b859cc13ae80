"""Models from elsewhere: an ordinary MLflow pyfunc, pickled, under our names, certified and judged like any other."""

import shutil
import warnings
from pathlib import Path

import mlflow.pyfunc
import pandas as pd
import pytest
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, DataType, Schema

from sirena.domain.errors import UsageError
from sirena.registry.connection import Registry, connect
from sirena.registry.mlflow_quietly import mlflow as quiet_mlflow
from sirena.registry.mlflow_quietly import undisturbed
from sirena.registry.releases import members_at
from sirena.registry.versions import Stage, find_version
from sirena.settings.catalogue import Settings
from tests.command_line import Ended, run_command

CAPTURE = pytest.CaptureFixture[str]


class Naive(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Amikacin as somebody once wrote it: comparators and organisms do not count. Tells that it ran."""

    def __init__(self, trace: str) -> None:
        """Leave a file there whenever it answers."""
        self.trace = trace

    def predict(self, context: object, model_input: pd.DataFrame) -> list[str]:  # noqa: ARG002 - MLflow's order
        """Return one category a row."""
        with open(self.trace, "a") as stream:  # noqa: PTH123 - unpickled elsewhere, so it takes little along
            stream.write("ran\n")
        numbers = [float(text.lstrip("<>=")) for text in model_input["AMK_NM"]]
        return ["S" if number <= 4 else "I" if number <= 8 else "R" for number in numbers]


@pytest.fixture
def registry(blank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A database of this test."""
    home = shutil.copytree(blank, tmp_path / "home")
    monkeypatch.setenv("SIRENA_HOME", str(home))
    monkeypatch.setenv("SIRENA_USER", "eva")
    return connect(Settings(home=home, tracking_uri=""))


def stranger(registry: Registry, tmp_path: Path, *columns: str, name: str = "modelo_AMK_NM") -> None:
    """Register the naive model as its author would, with a signature of these text columns or with none."""
    signature = ModelSignature(Schema([ColSpec(DataType.string, column) for column in columns])) if columns else None
    with undisturbed(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with quiet_mlflow.start_run(experiment_id=registry.experiment_id):
            quiet_mlflow.pyfunc.log_model(
                name="model", python_model=Naive(str(tmp_path / "trace")), signature=signature,
                registered_model_name=name, pip_requirements=["mlflow"],
            )  # fmt: skip


def digest_of(refused: Ended) -> str:
    """Return the hash a refusal names."""
    return refused.errors.strip().rpartition(" ")[2]


@pytest.mark.parametrize("columns", [(), ("ORGANISM", "AMK_NM")])
def test_a_stranger_runs_only_when_its_hash_is_given(
    registry: Registry, tmp_path: Path, capfd: CAPTURE, columns: tuple[str, ...]
) -> None:
    """With and without signature: refused by name of its hash, then asked everything, again and again."""
    stranger(registry, tmp_path, *columns)
    trace = tmp_path / "trace"
    trace.unlink(missing_ok=True)
    refused = run_command(capfd, ["certify", "modelo_AMK_NM"])
    assert (refused.code, "was not made by Sirena" in refused.errors) == (2, True)
    assert run_command(capfd, ["certify", "modelo_AMK_NM", "--trust", "0" * 64]).code == 2
    assert not trace.exists()
    for _ in range(2):
        ended = run_command(
            capfd, ["certify", "modelo_AMK_NM", "--trust", digest_of(refused).upper(), "--disagreements", "2"]
        )
        assert ended.code == 0, ended.errors
        assert "VME" in ended.output
        assert "monotone in MIC: yes" in ended.output
    assert trace.exists()


def test_a_stranger_is_promoted_by_the_same_gate(registry: Registry, tmp_path: Path, capfd: CAPTURE) -> None:
    """Exit code 3 before any certificate and with a bad one; its stage does not change."""
    stranger(registry, tmp_path)
    uncertified = run_command(capfd, ["promote", "modelo_AMK_NM/1", "--to", "staging"])
    assert (uncertified.code, "has no certificate" in uncertified.errors) == (3, True)
    digest = digest_of(run_command(capfd, ["certify", "modelo_AMK_NM"]))
    assert run_command(capfd, ["certify", "modelo_AMK_NM", "--trust", digest]).code == 0
    for stage in ("staging", "production"):
        refused = run_command(capfd, ["promote", "modelo_AMK_NM/1", "--to", stage])
        assert (refused.code, "GridAgreement" in refused.errors) == (3, True)
    assert find_version(registry, "modelo_AMK_NM/1").stage is Stage.NONE


def test_a_stranger_of_other_inputs_is_told_so(registry: Registry, tmp_path: Path, capfd: CAPTURE) -> None:
    """Its signature says that it could not be asked; without running an answer."""
    stranger(registry, tmp_path, "organism", "mic")
    digest = digest_of(run_command(capfd, ["certify", "modelo_AMK_NM"]))
    ended = run_command(capfd, ["certify", "modelo_AMK_NM", "--trust", digest])
    assert (ended.code, "it must take the text columns ORGANISM and AMK_NM" in ended.errors) == (2, True)


def test_an_edition_that_states_nothing_certifies_nothing(registry: Registry, tmp_path: Path, capfd: CAPTURE) -> None:
    """EUCAST says nothing of a CLSI column; an empty certificate would only displace the true one."""
    stranger(registry, tmp_path)
    ended = run_command(capfd, ["certify", "modelo_AMK_NM", "--guideline", "EUCAST 2025"])
    assert (ended.code, "EUCAST 2025 states nothing about AMK_NM" in ended.errors) == (2, True)


def test_a_model_named_after_no_mic_column_is_told_so(registry: Registry, tmp_path: Path, capfd: CAPTURE) -> None:
    """Zone diameters are not MICs."""
    stranger(registry, tmp_path, name="modelo_AMK_ND30")
    ended = run_command(capfd, ["certify", "modelo_AMK_ND30"])
    assert (ended.code, "is named after no MIC test column" in ended.errors) == (2, True)


def test_a_certificate_against_an_overlay_names_the_overlay(registry: Registry, tmp_path: Path, capfd: CAPTURE) -> None:
    """The hospital's own rules change what the stranger disagrees with."""
    stranger(registry, tmp_path)
    overlay = tmp_path / "local.csv"
    overlay.write_text(
        "who,when,why,edition,action,drug,rank,group,site,S,R,middle\n"
        "PROA,2025-03-01,trial,CLSI,breakpoint,AMK,species,Escherichia coli,,16,64,I\n"
    )
    digest = digest_of(run_command(capfd, ["certify", "modelo_AMK_NM"]))
    plain = run_command(capfd, ["certify", "modelo_AMK_NM", "--trust", digest])
    local = run_command(capfd, ["certify", "modelo_AMK_NM", "--trust", digest, "--overlay", overlay])
    assert local.code == 0, local.errors
    assert "against CLSI 2026 + " in local.output.splitlines()[0]
    assert local.output.splitlines()[2] != plain.output.splitlines()[2]


def test_a_strangers_version_is_not_taken_as_the_newest(registry: Registry, tmp_path: Path) -> None:
    """`--from latest` takes what Sirena made; a stranger's is taken only where somebody put it."""
    stranger(registry, tmp_path, "ORGANISM", "AMK_NM")
    with pytest.raises(UsageError, match="Sirena has registered no model yet"):
        members_at(registry, "latest")
