"""The programs of the operating system that a profile needs: there, and new enough."""

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Final

from sirena.server.checks.finding import Area, CheckVerdict, Notebook
from sirena.server.entry.nginx import OLDEST as OLDEST_NGINX
from sirena.server.entry.nginx import logrotate_program, nginx_program
from sirena.server.object_store.ceph import PACKAGES as CEPH_PACKAGES
from sirena.server.object_store.ceph import ceph_program
from sirena.server.parts.part import program, require_version, version_of
from sirena.server.parts.postgresql import OLDEST as OLDEST_POSTGRESQL
from sirena.server.parts.postgresql import major_of_cluster, postgresql_program
from sirena.settings.catalogue import CertificateSource, Settings

PYTHON: Final = "3.11"
"""The Python of our locked dependencies."""
MLFLOW: Final = "3.17.2"
"""The MLflow we ship; the routes that the entry knows are its routes."""
MLFLOW_ALSO: Final = ("2.17.1",)
"""Versions on which the chain is proved beside it; they have no production profile, see ADR 16."""
_POSTGRESQL: Final = ("postgres", "initdb", "pg_ctl", "pg_isready", "pg_dump", "pg_restore")


@dataclass(frozen=True)
class ProgramNeed:
    """Programs that come together."""

    name: str
    paths: tuple[Callable[[], str], ...]
    """Find each, or raise and name its package; the first tells the version."""
    oldest: tuple[int, ...] = ()
    """The oldest version that will do; empty when any does."""
    question: str = "--version"
    """What it is asked for its version."""


def needs(settings: Settings) -> Iterator[ProgramNeed]:
    """Name what a profile needs; the embedded one needs nothing of the system."""
    if settings.profile != "production":
        return
    yield ProgramNeed("setpriv", (partial(program, "setpriv", "util-linux"),))
    major = major_of_cluster(settings)
    paths = tuple(partial(postgresql_program, name, major) for name in _POSTGRESQL)
    yield ProgramNeed("postgresql", paths, OLDEST_POSTGRESQL)
    yield ProgramNeed("nginx", (nginx_program,), OLDEST_NGINX, "-v")
    yield ProgramNeed("logrotate", (logrotate_program,))
    yield ProgramNeed("restic", (partial(program, "restic", "restic"),), question="version")
    if settings.tls is CertificateSource.LETS_ENCRYPT:
        yield ProgramNeed("certbot", (partial(program, "certbot", "certbot"),))
    if not settings.s3_endpoint_url:
        # the gateway first: it is the one whose version `sirena status` shows
        names = sorted(CEPH_PACKAGES, key=lambda name: name != "radosgw")
        yield ProgramNeed("ceph", tuple(partial(ceph_program, name) for name in names))


def look_at_programs(settings: Settings, notebook: Notebook) -> None:
    """Look whether each program is there and new enough."""
    _look_at_python(notebook)
    _look_at_mlflow(settings, notebook)
    for need in needs(settings):
        with notebook.looking(Area.PROGRAMS, need.name):
            paths = [find() for find in need.paths]
            found = version_of([paths[0], need.question])
            require_version(need.name, found, need.oldest)
            notebook.note(Area.PROGRAMS, need.name, CheckVerdict.WELL, f"{found}, {paths[0]}")


def _look_at_python(notebook: Notebook) -> None:
    found = platform.python_version()
    if found.startswith(f"{PYTHON}."):
        notebook.note(Area.PROGRAMS, "python", CheckVerdict.WELL, found)
    else:
        told = f"{found}; Sirena's dependencies are locked for {PYTHON}"
        notebook.note(
            Area.PROGRAMS,
            "python",
            CheckVerdict.WRONG,
            told,
            f"make the environment with python{PYTHON}: `make install`",
        )


def _look_at_mlflow(settings: Settings, notebook: Notebook) -> None:
    found = version("mlflow")
    if found == MLFLOW or (found in MLFLOW_ALSO and settings.profile == "embedded"):
        notebook.note(Area.PROGRAMS, "mlflow", CheckVerdict.WELL, found)
        return
    told = f"{found}; the entry knows the routes of {MLFLOW}, and refuses others"
    verdict = CheckVerdict.WRONG if settings.profile == "production" else CheckVerdict.WARNING
    notebook.note(Area.PROGRAMS, "mlflow", verdict, told, "install the locked dependencies: `make install`")
