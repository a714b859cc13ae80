"""Databases and object store of a server, made once in a test run and copied: the first start makes them in 30 s.

Whose subject is the first start itself begins with nothing: the manual of a server, and what is restored onto.
"""

import shutil
import subprocess
import tempfile
from atexit import register
from functools import cache
from pathlib import Path
from typing import Final

from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

from sirena.registry.mlflow_quietly import undisturbed
from sirena.server.production_stack import ProductionStack
from sirena.settings.catalogue import Settings
from tests.production_machine import end_at_once, production_settings

_STORES: Final = ("postgresql", "ceph", "secrets")


def begin_prepared(settings: Settings) -> None:
    """Give a home that is missing or empty its databases and its object store; `up` moves them to the home's ports."""
    settings.home.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not any(settings.home.iterdir()):
        # the file of objects is mostly holes
        copy = ["cp", "-a", "--sparse=always", *(str(_prepared() / name) for name in _STORES), str(settings.home)]
        subprocess.run(copy, check=True)


@cache
def _prepared() -> Path:
    """Bring the stores of a stack up and down; MLflow has its tables, and ours are for `up` to make."""
    folder = Path(tempfile.mkdtemp(prefix="sirena-", dir="/var/tmp"))
    folder.chmod(0o755)
    register(shutil.rmtree, folder, ignore_errors=True)
    stack = ProductionStack(production_settings(folder / "home", tracking_uri=""))
    try:
        stack.bring_up_stores(lambda _: None)
        engine = create_sqlalchemy_engine(
            f"{stack.database().uri('mlflow')}?passfile={stack.database().mlflow_password_file}"
        )
        with undisturbed():
            _initialize_tables(engine)
        engine.dispose()
        stack.take_down()
    finally:
        end_at_once(stack)
    return stack.settings.home
