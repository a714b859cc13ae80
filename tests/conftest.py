"""Fixtures and hooks that apply to every test."""

import gc
import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.distribution import import_share, scheduler, sort_by_length
from tests.prepared_interpreter import share_server

with suppress(ModuleNotFoundError):  # the suite of older MLflows has no Hypothesis
    import tests.properties  # noqa: F401 - loads how properties are tried

os.environ["LANGUAGE"] = "en"  # whatever the locale, the command line speaks English in tests that do not say otherwise
_NUMBERS = count()
gc.disable()  # until all is collected: looking for garbage among modules that stay costs a seventh of importing them
REPOSITORY = Path(__file__).resolve().parent.parent
SHARED_DATA = REPOSITORY.parent / "shared" / "data"


def pytest_configure(config: pytest.Config) -> None:
    """Start the fork server that the workers of a run share."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        share_server()


def pytest_collection(session: pytest.Session) -> None:
    """Let a worker rewrite its share of the test files first: each worker finds those of the others rewritten."""
    worker = getattr(session.config, "workerinput", None)
    if worker is not None:
        import_share(session.config.args, int(worker["workerid"].removeprefix("gw")), worker["workercount"])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests so that the longest files begin."""
    sort_by_length(items)


def pytest_collection_finish() -> None:
    """From now on collect garbage, but not among the objects made so far, such as imported modules."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """Collect garbage once: pytest does so ten times at its end, and looks at millions of objects each time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep tests that share a server together on one worker."""
    return scheduler(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with real isolates, facts on breakpoints and oracles, which are not part of this repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data is missing: real isolates and oracles lie beside the checkout")
    return SHARED_DATA


@pytest.fixture(scope="module", autouse=True)
def no_address_left_behind() -> Iterator[None]:
    """Before and after each file, remove MLflow's address and TLS certificates from `os.environ`."""
    forget_connection()
    yield
    forget_connection()


def forget_connection() -> None:
    """Remove the variables that configure MLflow's client from the environment."""
    for name in (
        "MLFLOW_TRACKING_URI",
        "MLFLOW_TRACKING_CLIENT_CERT_PATH",
        "MLFLOW_TRACKING_SERVER_CERT_PATH",
    ):
        os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give every test a separate `SIRENA_HOME`, created on first use, and no other settings."""
    for name in (
        "MLFLOW_TRACKING_URI",
        "MLFLOW_EXPERIMENT_NAME",
        "MLFLOW_REGISTRY_URI",
        "SIRENA_PORT",
        "SIRENA_USER",
        "SIRENA_GATE",
        "SIRENA_DATABASE_URL",
        "SIRENA_DATABASE_OWNER_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SIRENA_HOME", str(tmp_path_factory.getbasetemp() / f"sirena-home-{next(_NUMBERS)}"))
