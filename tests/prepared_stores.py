"""Databases and object store of a stack, made once per test run and copied, since the first start takes 25 s.

Tests of the first start itself begin with an empty home: the manual of a server, and the target of a restore.
"""

import fcntl
import os
import shutil
import subprocess
import uuid
from atexit import register
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

from sirena.registry.mlflow_quietly import undisturbed
from sirena.server.production_stack import ProductionStack
from sirena.settings.catalogue import Settings
from tests.production_machine import end_at_once, production_settings

_STORES: Final = ("postgresql", "ceph", "secrets")
_HOME: Final = Path(f"/var/tmp/sirena-{os.environ.get('PYTEST_XDIST_TESTRUNUID') or uuid.uuid4().hex}")
"""Their own home, by the name of the run."""


def begin_prepared(settings: Settings) -> None:
    """Copy databases and object store into a home that is missing or empty; `up` adapts them to the home's ports."""
    settings.home.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not any(settings.home.iterdir()):
        with _one_at_a_time():
            if not _HOME.exists():
                _make()
            # the file of objects is mostly holes
            copy = ["cp", "-a", "--sparse=always", *(str(_HOME / name) for name in _STORES), str(settings.home)]
            subprocess.run(copy, check=True)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with Path(__file__).open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _make() -> None:
    """Start and stop a stack, which makes its stores; MLflow's tables are made, and `up` makes ours later."""
    register(_remove)
    stack = ProductionStack(production_settings(_HOME, tracking_uri=""))
    try:
        stack.bring_up_stores(lambda _: None)
        engine = create_sqlalchemy_engine(
            f"{stack.database().uri('mlflow')}?passfile={stack.database().mlflow_password_file}"
        )
        with undisturbed():
            _initialize_tables(engine)
        engine.dispose()
        stack.take_down()
    except BaseException:
        end_at_once(stack)
        shutil.rmtree(_HOME)
        raise


def _remove() -> None:
    """Remove the stores when the worker that made them ends; a worker that still needs them makes them again."""
    with _one_at_a_time():
        shutil.rmtree(_HOME, ignore_errors=True)
