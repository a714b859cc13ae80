"""The one connection to MLflow: reached within seconds, or said plainly why not."""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, ParamSpec, TypeVar
from urllib.parse import urlsplit

import requests
from mlflow.exceptions import MlflowException
from mlflow.utils.rest_utils import http_request
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from sirena.domain.errors import GateError, SirenaError
from sirena.operations.settings import Settings
from sirena.registry.mlflow_quietly import mlflow, undisturbed

_PROBE_SECONDS: Final = 5.0
_UNREACHABLE: Final = re.compile(
    r"Max retries|Connection(Error| refused| aborted| reset)|RemoteDisconnected|timed out|Failed to establish|"
    r"failed with (error code 50[234]|exception)|unable to open database",
    re.IGNORECASE,
)
_REMEDY: Final = "start it (`sirena up`), or set MLFLOW_TRACKING_URI to one that runs; repeating the command is safe"


class RegistryError(SirenaError):
    """MLflow refused or failed."""

    code = "registry_failed"
    status = 502


class RegistryUnavailableError(RegistryError):
    """MLflow does not answer."""

    code = "registry_unavailable"
    status = 503


@dataclass(frozen=True)
class Registry:
    """An MLflow tracking server or store with its model registry."""

    settings: Settings
    client: Any
    """`mlflow.MlflowClient`; safe to share between threads."""
    experiment_id: str
    """Experiment that receives every run."""
    signed_in_as: str = ""
    """Account at the entry, where the server keeps history and gate itself; empty for MLflow without one before it."""

    @property
    def models(self) -> Any:
        """The client's own registry client; safe to share between threads.

        `MlflowClient` asks the server before each of its registry calls whether the model is a prompt, which
        doubles the time of a promotion; ours never are.
        """
        return self.client._get_registry_client()

    @property
    def uri(self) -> str:
        """Tracking URI without credentials, for messages."""
        return without_credentials(self.settings.effective_tracking_uri)

    @property
    def is_server(self) -> bool:
        """True for an HTTP server, False for a database opened directly."""
        return _is_http(self.settings.effective_tracking_uri)


def without_credentials(uri: str) -> str:
    """Return a URI in which user and password are left out."""
    return re.sub(r"//[^/@]*@", "//", uri)


def connect(settings: Settings) -> Registry:
    """Reach MLflow and find or make the experiment.

    A database opened directly keeps its artifacts below `SIRENA_HOME`, not in the working folder.

    Raises:
        RegistryUnavailableError: nothing answers at the tracking URI.
        RegistryError: MLflow answers with a refusal.
    """
    uri = settings.effective_tracking_uri
    if _is_http(uri):
        _probe(uri)
    else:
        settings.home.mkdir(parents=True, exist_ok=True)
    try:
        # a database opened directly migrates its tables now, and SQLAlchemy has something to say about MLflow's
        with undisturbed():
            mlflow.set_tracking_uri(uri)
            client = mlflow.MlflowClient(tracking_uri=uri)
            account = _account_at_entry(client) if _is_http(uri) else ""
            return Registry(settings, client, _experiment(client, settings), account)
    except _FOREIGN as error:
        raise _translate(error, uri) from error


def _probe(uri: str) -> None:
    try:
        requests.get(uri.rstrip("/") + "/health", timeout=_PROBE_SECONDS)
    except requests.RequestException as error:
        raise RegistryUnavailableError(
            f"the MLflow server at {without_credentials(uri)} does not answer", hint=_REMEDY
        ) from error


def _account_at_entry(client: Any) -> str:
    """Return who the entry says we are; empty when MLflow itself answers, which knows no such route."""
    answer = http_request(
        client._get_registry_client().store.get_host_creds(),
        "/auth/me",
        "GET",
        max_retries=0,
        timeout=_PROBE_SECONDS,
        raise_on_status=False,
    )
    if answer.status_code != requests.codes.ok or "json" not in answer.headers.get("content-type", ""):
        return ""
    return str(answer.json().get("name", ""))


def _experiment(client: Any, settings: Settings) -> str:
    name = settings.experiment_name
    found = client.get_experiment_by_name(name)
    if found is None:
        location = None if _is_http(settings.effective_tracking_uri) else (settings.artifacts / name).as_uri()
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException:
            # another process made it between our question and our order
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise RegistryError(
            f"the MLflow experiment {name!r} is deleted",
            hint="restore it in MLflow, or name another with MLFLOW_EXPERIMENT_NAME",
        )
    return str(found.experiment_id)


P = ParamSpec("P")
T = TypeVar("T")


def speaks_to_mlflow(function: Callable[P, T]) -> Callable[P, T]:
    """Turn every failure of MLflow inside a function into a `RegistryError` that names the URI.

    The function's first argument is the `Registry`.
    """

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except _FOREIGN as error:
            registry = args[0]
            if not isinstance(registry, Registry):
                raise TypeError("the first argument of a function that speaks to MLflow is the Registry") from error
            raise _translate(error, registry.settings.effective_tracking_uri) from error

    return guarded


_FOREIGN: Final = (MlflowException, requests.RequestException, SQLAlchemyError)


def is_unreachable(error: BaseException) -> bool:
    """Tell whether an error means that nothing answers, so that asking again is in vain."""
    return isinstance(error, requests.RequestException | OperationalError) or (
        isinstance(error, MlflowException) and _UNREACHABLE.search(str(error)) is not None
    )


def _translate(error: Exception, uri: str) -> SirenaError:
    # the entry's own refusals say which they are
    said = getattr(error, "json", None)
    refusal = said.get("error") if isinstance(said, dict) else None
    if isinstance(refusal, dict) and refusal.get("gate"):
        return GateError(str(refusal.get("message", "")), hint=str(refusal.get("hint", "")))
    message = str(error)
    where = f"MLflow at {without_credentials(uri)}"
    if is_unreachable(error):
        return RegistryUnavailableError(f"{where} does not answer any more", hint=_REMEDY)
    first_line = without_credentials(message.strip().splitlines()[0]) if message.strip() else type(error).__name__
    return RegistryError(f"{where} refused: {first_line}", hint="see the MLflow server's log")


def _is_http(uri: str) -> bool:
    return urlsplit(uri).scheme in ("http", "https")
