"""What `sirena doctor` says of programs and their versions."""

import os
import re
import tomllib
from pathlib import Path

import pytest

from sirena.server.checks.finding import CheckReport, CheckVerdict
from sirena.server.checks.programs import MLFLOW, MLFLOW_ALSO, PYTHON, look_at_programs
from sirena.settings.catalogue import CertificateSource, Settings
from tests.conftest import REPOSITORY
from tests.integration.server.checks.findings import named


def test_a_program_that_is_missing_is_told_with_its_package(
    settings: Settings, check_report: CheckReport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Here restic is not in PATH; what lies in the folders of daemons is found all the same."""
    monkeypatch.setenv("PATH", str(tmp_path))
    look_at_programs(settings, check_report)
    (restic,) = named(check_report, "restic")
    assert (restic.verdict, restic.told) == (CheckVerdict.WRONG, "restic is not installed")
    assert restic.remedy == "apt-get install --no-install-recommends restic"
    assert [one.verdict for one in named(check_report, "postgresql")] == [CheckVerdict.WELL]


def test_a_program_that_is_too_old_is_told(
    settings: Settings, check_report: CheckReport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """NGINX of 2018 stands first in PATH."""
    old = tmp_path / "nginx"
    old.write_text("#!/bin/sh\necho 'nginx version: nginx/1.14.2' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    look_at_programs(settings, check_report)
    (nginx,) = named(check_report, "nginx")
    assert (nginx.verdict, nginx.told) == (CheckVerdict.WRONG, "nginx 1.14.2 is too old")
    assert nginx.remedy == "install 1.18 or newer"


def test_only_what_the_profile_needs_is_looked_for(settings: Settings, check_report: CheckReport) -> None:
    """Ceph with a store of our own, certbot with Let's Encrypt, nothing of the system for one person's machine."""
    changes = {"s3_endpoint_url": "https://minio.example", "tls": CertificateSource.LETS_ENCRYPT}
    look_at_programs(settings.model_copy(update=changes), check_report)
    assert named(check_report, "ceph") == []
    assert [one.verdict for one in named(check_report, "certbot")] == [CheckVerdict.WELL]
    embedded = CheckReport()
    look_at_programs(settings.model_copy(update={"profile": "embedded"}), embedded)
    assert {one.name for one in embedded.findings} == {"python", "mlflow"}
    assert {one.verdict for one in embedded.findings} == {CheckVerdict.WELL}


def test_known_versions_are_those_of_the_locks() -> None:
    """Python and MLflow that are shipped, and the MLflow of the compatibility suite."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert f">={PYTHON}," in project["requires-python"]
    assert f"mlflow=={MLFLOW}" in project["dependencies"]
    compatible = (REPOSITORY / "requirements-compat.in").read_text()
    assert re.findall(r"^mlflow==(\S+)", compatible, re.MULTILINE) == list(MLFLOW_ALSO)
