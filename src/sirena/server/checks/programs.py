"""Checking that the operating system's programs that a profile needs are installed and new enough."""

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Final

from sirena.server.checks.finding import Area, CheckReport, CheckVerdict
from sirena.server.entry.nginx import OLDEST as OLDEST_NGINX
from sirena.server.entry.nginx import logrotate_program, nginx_program
from sirena.server.object_store.ceph import PACKAGES as CEPH_PACKAGES
from sirena.server.object_store.ceph import ceph_program
from sirena.server.parts.part import program, require_version, version_of
from sirena.server.parts.postgresql import OLDEST as OLDEST_POSTGRESQL
from sirena.server.parts.postgresql import major_of_cluster, postgresql_program
from sirena.settings.catalogue import CertificateSource, Settings

PYTHON: Final = "3.11"
"""Version of Python for which Sirena's dependencies are locked."""
MLFLOW: Final = "3.17.2"
"""Version of MLflow that Sirena installs, whose routes the entry knows."""
MLFLOW_ALSO: Final = ("2.17.1",)
"""Further versions of MLflow on which Sirena is tested, in the embedded profile only, see ADR 16."""
_POSTGRESQL: Final = ("postgres", "initdb", "pg_ctl", "pg_isready", "pg_dump", "pg_restore")


@dataclass(frozen=True)
class ProgramNeed:
    """Programs of one package that a profile needs."""

    name: str
    paths: tuple[Callable[[], str], ...]
    """Functions that return the path of each program, or raise an error with its package; the first tells the
    version."""
    oldest: tuple[int, ...] = ()
    """Oldest version that is new enough; empty when any is."""
    question: str = "--version"
    """Argument by which the program prints its version."""


def needs(settings: Settings) -> Iterator[ProgramNeed]:
    """Yield the programs that a profile needs; the embedded profile needs none."""
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


def look_at_programs(settings: Settings, check_report: CheckReport) -> None:
    """Check that each program is installed and new enough."""
    _look_at_python(check_report)
    _look_at_mlflow(settings, check_report)
    for need in needs(settings):
        with check_report.looking(Area.PROGRAMS, need.name):
            paths = [find() for find in need.paths]
            present_version = version_of([paths[0], need.question])
            require_version(need.name, present_version, need.oldest)
            check_report.note(Area.PROGRAMS, need.name, CheckVerdict.WELL, f"{present_version}, {paths[0]}")


def _look_at_python(check_report: CheckReport) -> None:
    running_version = platform.python_version()
    if running_version.startswith(f"{PYTHON}."):
        check_report.note(Area.PROGRAMS, "python", CheckVerdict.WELL, running_version)
    else:
        text = f"{running_version}; Sirena's dependencies are locked for {PYTHON}"
        check_report.note(
            Area.PROGRAMS,
            "python",
            CheckVerdict.WRONG,
            text,
            f"make the environment with python{PYTHON}: `make install`",
        )


def _look_at_mlflow(settings: Settings, check_report: CheckReport) -> None:
    installed_version = version("mlflow")
    if installed_version == MLFLOW or (installed_version in MLFLOW_ALSO and settings.profile == "embedded"):
        check_report.note(Area.PROGRAMS, "mlflow", CheckVerdict.WELL, installed_version)
        return
    text = f"{installed_version}; the entry knows the routes of {MLFLOW}, and refuses others"
    verdict = CheckVerdict.WRONG if settings.profile == "production" else CheckVerdict.WARNING
    check_report.note(Area.PROGRAMS, "mlflow", verdict, text, "install the locked dependencies: `make install`")
