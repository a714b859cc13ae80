"""systemd, Kubernetes and compose can read what Sirena writes for them and what lies in deploy/."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from sirena import __version__
from sirena.server.object_store.ceph import PACKAGES
from sirena.server.supervision.systemd import schedule_texts, unit_text, write_units
from sirena.settings.catalogue import Settings, variable_of

REPOSITORY = Path(__file__).resolve().parents[3]
DEPLOY = REPOSITORY / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
MANIFESTS: list[dict[str, Any]] = list(yaml.safe_load_all((DEPLOY / "kubernetes/sirena.yaml").read_text("utf-8")))


def test_systemd_reads_the_units_without_complaint(tmp_path: Path) -> None:
    """`systemd-analyze verify`, where there is one; a blank and a percent sign stand in the home."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is missing: apt-get install systemd")
    home = tmp_path / "a b%c"
    units = write_units(Settings(home=home), tmp_path / "units", timers=True)
    assert len(units) == 5
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (told.returncode, told.stderr) == (0, "")


def test_units_give_up_what_they_do_not_need() -> None:
    """No unit can gain rights, and each writes below its home."""
    settings = Settings(home=Path("/var/lib/sirena"))
    services = [unit_text(settings), *(text for name, text in schedule_texts(settings).items() if "service" in name)]
    for text in services:
        for line in ("NoNewPrivileges=true", "ProtectSystem=full", "ReadWritePaths=/var/lib/sirena"):
            assert line in text.splitlines()
    assert f'"{sys.executable}" "-m" "sirena.cli" "backup"' in services[1]


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest["kind"])
def test_kubernetes_knows_every_field(manifest: dict[str, Any]) -> None:
    """Against the schemas of the newest Kubernetes; an unknown field is an error."""
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_manifests_name_this_version_and_real_settings() -> None:
    """An upgrade changes both; a misspelt setting would be passed over in silence."""
    [config] = [found for found in MANIFESTS if found["kind"] == "ConfigMap"]
    [pods] = [found for found in MANIFESTS if found["kind"] == "StatefulSet"]
    [container] = pods["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith(f":{__version__}")
    assert f"ARG VERSION={__version__}\n" in CONTAINERFILE
    known = {variable_of(name) for name in Settings.model_fields}
    assert set(config["data"]) <= known
    example = (DEPLOY / "settings.env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE)) <= known


def test_the_container_runs_without_rights_everywhere() -> None:
    """Image, compose file and manifest agree: no root, nothing writable but the volume, no capability."""
    assert re.search(r"^USER sirena$", CONTAINERFILE, re.MULTILINE)
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]["sirena"]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    [pods] = [found for found in MANIFESTS if found["kind"] == "StatefulSet"]
    pod = pods["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["terminationGracePeriodSeconds"] == 180
    assert service["stop_grace_period"] == "3m"


def test_every_program_is_in_the_image_and_in_the_manual() -> None:
    """A part that needs another Debian package would keep the container from starting."""
    sources = "".join(path.read_text("utf-8") for path in (REPOSITORY / "src/sirena/server").rglob("*.py"))
    needed = {*re.findall(r'\bprogram\((?:name|"[\w-]+"), "([a-z-]+)"', sources), *PACKAGES.values()}
    assert {"nginx", "postgresql", "restic", "radosgw"} <= needed
    manual = (REPOSITORY / "docs/howto/install-debian-ubuntu.md").read_text(encoding="utf-8")
    for text in (CONTAINERFILE, manual):
        assert needed - set(re.findall(r"[a-z][a-z0-9.-]*", text.replace("postgresql-15", "postgresql"))) == set()
