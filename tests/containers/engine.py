"""Podman with a storage of its own below a scratch folder, so that a test leaves nothing behind on the machine."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
_LIMITS = ("--ulimit nofile=16384:16384", "--ulimit nproc=4096:4096")
"""Podman's own defaults are higher than what a test machine may grant."""


@dataclass(frozen=True)
class Engine:
    """Where images and containers of one test run lie."""

    folder: Path

    @property
    def program(self) -> Path:
        """A `podman` that knows its storage: nested in other containers only these drivers work."""
        path = self.folder / "podman"
        if not path.exists():
            options = f"--root {self.folder}/root --runroot {self.folder}/run --storage-driver=vfs"
            path.write_text(f'#!/bin/sh\nexec podman {options} --cgroup-manager=cgroupfs --runtime runc "$@"\n')
            path.chmod(0o755)
        return path

    def podman(self, *arguments: object, stdin: str | None = None, check: bool = True, seconds: float = 300) -> str:
        """Run podman and return what it wrote."""
        ended = subprocess.run(
            [str(self.program), *map(str, arguments)],
            input=stdin, capture_output=True, text=True, timeout=seconds, check=False, env=_environment(),
        )  # fmt: skip
        assert not check or ended.returncode == 0, ended.stderr[-3000:] + ended.stdout[-1000:]
        return ended.stdout

    def logs(self, name: str) -> str:
        """Return what a container wrote, errors included."""
        ended = subprocess.run(
            [str(self.program), "logs", name],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=True, env=_environment(),
        )  # fmt: skip
        return ended.stdout

    def describe(self, name: str) -> Any:
        """Return podman's description of a container or image."""
        return json.loads(self.podman("inspect", name))[0]

    def compose(self, *arguments: str, settings: dict[str, str]) -> None:
        """Run podman-compose on the compose file that we ship."""
        command = [
            sys.executable, "-m", "podman_compose", "--podman-path", str(self.program),
            "--podman-run-args", " ".join(_LIMITS), "-f", str(REPOSITORY / "deploy/compose.yaml"), *arguments,
        ]  # fmt: skip
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=600, check=False, env=_environment() | settings
        )
        assert ended.returncode == 0, ended.stderr[-3000:]

    def build(self, base: str, image: str) -> None:
        """Build the image that we ship; one layer, because the vfs driver keeps a whole copy of each."""
        self.podman(
            "build", "--quiet", "--isolation=chroot", "--network=host", "--layers=false", "--format=docker",
            "--build-arg", f"BASE={base}", "-f", REPOSITORY / "deploy/Containerfile", "-t", image, REPOSITORY,
            seconds=1500,
        )  # fmt: skip

    def import_base(self, image: str) -> None:
        """Make the Debian base image from Debian's own archive: no registry is asked."""
        script, folder = REPOSITORY / "deploy/base_image.sh", self.folder / "base"
        ended = subprocess.run(
            f"set -o pipefail; sh '{script}' '{folder}' | '{self.program}' import - '{image}'",
            shell=True, executable="/bin/bash", capture_output=True, text=True, timeout=600, check=False,
            env=_environment(),
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr[-3000:]

    def discard(self) -> None:
        """Remove containers, images and the folder."""
        self.podman("rm", "--all", "--force", "--time", "20", check=False)
        self.podman("volume", "prune", "--force", check=False)
        subprocess.run(["rm", "-rf", str(self.folder)], timeout=600, check=False)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("SIRENA_", "MLFLOW_", "AWS_"))}
