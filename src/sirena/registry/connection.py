"""The connection to MLflow, made within seconds, or refused with a clear error."""

import functools
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, ParamSpec, TypeVar
from urllib.parse import urlsplit

import requests
from mlflow.exceptions import MlflowException
from mlflow.utils.credentials import get_default_host_creds
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from sirena.domain.errors import GateError, SirenaError, UsageError
from sirena.registry.mlflow_quietly import mlflow, undisturbed
from sirena.server.parts.connections import PartConnections
from sirena.settings.catalogue import Settings

_PROBE_SECONDS: Final = (5.0, 10.0)
"""Seconds that MLflow may take to accept a connection, and then to answer; a busy server must not count as down."""
_NOT_FOUND: Final = 404
_ACTIVE: Final = "active"
_REFUSED: Final = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED"}
_UNREACHABLE: Final = re.compile(
    r"Max retries|Connection(Error| refused| aborted| reset)|RemoteDisconnected|timed out|Failed to establish|"
    r"failed with (error code 50[234]|exception)|unable to open database",
    re.IGNORECASE,
)
_ARTIFACTS_FAILED: Final = re.compile(
    r"mlflow-artifacts/.*(error code 500|too many 500 error)|500 Server Error.*mlflow-artifacts/", re.DOTALL
)
_REMEDY: Final = "start it (`sirena up`), or set MLFLOW_TRACKING_URI to one that runs; repeating the command is safe"


class RegistryError(SirenaError):
    """MLflow refused a request, or failed."""

    code = "registry_failed"
    status = 502


class RegistryUnavailableError(RegistryError):
    """MLflow does not answer."""

    code = "registry_unavailable"
    status = 503


class RegistryRefusedError(RegistryError, GateError):
    """The NGINX entry does not know the account, or does not allow it to do this."""

    code = "registry_refused"
    status = 403


MODELS_AT_ONCE: Final = 4
"""Models that one act reads, judges or promotes at once: each waits for MLflow and the disk more than half its time."""


@dataclass(frozen=True)
class ReadOnce:
    """What was read of registered models in one act, see `Registry.reading_once`."""

    documents: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """Content by artifact location and path."""
    locations: dict[str, str] = field(default_factory=dict)
    """Artifact location by version."""


@dataclass(frozen=True)
class Registry:
    """A connection to an MLflow tracking server or database with its model registry."""

    settings: Settings
    client: Any
    """An `mlflow.MlflowClient`; safe to share between threads."""
    signed_in_as: str = ""
    """Account by which the NGINX entry (which keeps history and gate) knows the caller; empty without one."""
    started_here: bool = False
    """True when this process started the server, with its artifacts in the folder of our settings."""
    read_once: ReadOnce | None = field(default=None, compare=False, repr=False)
    """What was read already; None for a registry that reads anew whenever it is asked."""

    def reading_once(self) -> "Registry":
        """Return this registry for one act, which reads each document of a model once.

        What is judged is then, byte by byte, what was compared with the ledger, and it is fetched once.
        """
        return replace(self, read_once=ReadOnce())

    @cached_property
    def experiment_id(self) -> str:
        """Id of the experiment for all runs; created if missing. Only code that makes runs needs it."""
        experiment = _find_experiment(self)
        return str(experiment.experiment_id) if experiment is not None else _make_experiment(self)

    @property
    def experiment_is_deleted(self) -> bool:
        """True if somebody deleted the experiment: releases still work, but it must be restored before making runs."""
        experiment = _find_experiment(self)
        return experiment is not None and experiment.lifecycle_stage != _ACTIVE

    @property
    def models(self) -> Any:
        """MLflow's client for the model registry; safe to share between threads.

        `MlflowClient` asks the server before each of its registry calls whether the model is a prompt, which
        doubles the time of a promotion; Sirena's models never are.
        """
        return self.client._get_registry_client()

    @property
    def uri(self) -> str:
        """Tracking URI without credentials, for messages."""
        return without_credentials(self.settings.effective_tracking_uri)

    @property
    def holds_artifacts(self) -> bool:
        """True when what MLflow keeps through its server lies in the artifact folder of our settings."""
        return self.started_here or not self.is_server

    @property
    def is_server(self) -> bool:
        """True for an HTTP server, False for a database opened directly."""
        return _is_http(self.settings.effective_tracking_uri)


def without_credentials(uri: str) -> str:
    """Return a URI without user and password."""
    return re.sub(r"//[^/@]*@", "//", uri)


def connect(settings: Settings, *, started_here: bool = False) -> Registry:
    """Connect to MLflow.

    A database opened directly keeps its artifacts below `SIRENA_HOME`, not in the working folder. Behind the NGINX
    entry, requests are made by the account of the token and under the rules of production.

    Args:
        settings: which MLflow.
        started_here: True when this process started the server, with its artifacts in the folder of these settings:
            files of models are then read and written there, as with a database opened directly.

    Raises:
        RegistryUnavailableError: nothing answers at the tracking URI.
        RegistryRefusedError: the NGINX entry does not know the account.
        RegistryError: MLflow answers with a refusal.
        UsageError: `SIRENA_USER` names another account than the token's.
    """
    uri = settings.effective_tracking_uri
    if uri == settings.own_mlflow_url:
        show_certificate(settings)
    account = _account_at(uri) if _is_http(uri) else None
    if account is not None:
        settings = _as_account(settings, account)
    elif not _is_http(uri):
        settings.home.mkdir(parents=True, exist_ok=True)
    try:
        # a database opened directly migrates its tables now, and SQLAlchemy has something to say about MLflow's
        with undisturbed():
            mlflow.set_tracking_uri(uri)
            registry = Registry(settings, mlflow.MlflowClient(tracking_uri=uri), account or "", started_here)
            _find_experiment(registry)
            return registry
    except _FOREIGN as error:
        raise _translate(error, uri) from error


def show_certificate(settings: Settings) -> None:
    """Have MLflow's client present the operator's TLS certificate of this installation.

    Raises:
        RegistryRefusedError: this account may not read the certificate.
    """
    identity = PartConnections(settings).identity()
    if os.access(identity.certificate, os.R_OK):
        os.environ.update(identity.environment)
    elif "MLFLOW_TRACKING_CLIENT_CERT_PATH" not in os.environ:
        raise RegistryRefusedError(
            "MLflow behind the entry speaks with Sirena's own accounts alone",
            hint="act as whoever runs `sirena up`, or through the entry: MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN",
        )


def _account_at(uri: str) -> str | None:
    """Return the account that the NGINX entry assigns to this client; None at an MLflow server without accounts."""
    credentials = get_default_host_creds(uri)
    account = (credentials.username, credentials.password) if credentials.username else None
    token = {} if account or not credentials.token else {"Authorization": f"Bearer {credentials.token}"}
    try:
        answer = requests.get(
            uri.rstrip("/") + "/auth/me",
            headers=token,
            auth=account,
            verify=credentials.verify,
            cert=credentials.client_cert_path,
            timeout=_PROBE_SECONDS,
        )
    except requests.exceptions.SSLError as error:
        raise RegistryUnavailableError(
            f"the certificate of {without_credentials(uri)} is not trusted here",
            hint="set MLFLOW_TRACKING_SERVER_CERT_PATH to the authority's file, as `sirena up` names it",
        ) from error
    except (requests.RequestException, OSError) as error:
        raise RegistryUnavailableError(
            f"the MLflow server at {without_credentials(uri)} does not answer", hint=_REMEDY
        ) from error
    if answer.status_code == _NOT_FOUND:
        return None
    if answer.status_code in _REFUSED:
        raise RegistryRefusedError(
            f"the entry at {without_credentials(uri)} does not know who asks",
            hint="set MLFLOW_TRACKING_TOKEN to a token that holds (`sirena token create`)",
        )
    try:
        return str(answer.json()["name"])
    except (ValueError, KeyError, TypeError) as error:
        raise RegistryUnavailableError(
            f"the entry at {without_credentials(uri)} is not ready: it answered {answer.status_code}", hint=_REMEDY
        ) from error


def _as_account(settings: Settings, account: str) -> Settings:
    if settings.user not in ("", account):
        raise UsageError(
            f"SIRENA_USER is {settings.user!r}, and the token belongs to {account!r}",
            hint="unset SIRENA_USER: behind the entry everyone acts in the own name",
        )
    return settings.model_copy(update={"user": account, "profile": "production"})


P = ParamSpec("P")
T = TypeVar("T")


def speaks_to_mlflow(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function so that every failure of MLflow in it becomes a `RegistryError` that names the URI.

    The function's first argument must be the `Registry`.
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


@speaks_to_mlflow
def _find_experiment(registry: Registry) -> Any:
    return registry.client.get_experiment_by_name(registry.settings.experiment_name)


_OPENS_AS: Final = {"mlflow.experimentKind": "custom_model_development"}
"""Tag that makes MLflow 3 show an experiment's runs first; without it, traces of language models are shown."""


def _make_experiment(registry: Registry) -> str:
    settings = registry.settings
    name = settings.experiment_name
    location = None if registry.is_server else (settings.artifacts / name).as_uri()
    try:
        return str(registry.client.create_experiment(name, artifact_location=location, tags=_OPENS_AS))
    except MlflowException:
        # another process made it between our question and our order
        experiment = _find_experiment(registry)
        if experiment is None:
            raise
        return str(experiment.experiment_id)


@speaks_to_mlflow
def restore_experiment(registry: Registry) -> None:
    """Restore Sirena's deleted experiment in MLflow, with its runs.

    Raises:
        RegistryRefusedError: the account may not restore it.
        RegistryError: MLflow refused.
    """
    registry.client.restore_experiment(registry.experiment_id)


_FOREIGN: Final = (MlflowException, requests.RequestException, SQLAlchemyError)


def is_unreachable(error: BaseException) -> bool:
    """Tell whether an error means that MLflow or its database does not answer, so that further requests are useless."""
    return isinstance(error, requests.RequestException | OperationalError) or (
        isinstance(error, MlflowException) and _UNREACHABLE.search(str(error)) is not None
    )


def _translate(error: Exception, uri: str) -> SirenaError:
    # the entry's own refusals say which they are
    answer = getattr(error, "json", None)
    refusal = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(refusal, dict) and refusal.get("gate"):
        return GateError(str(refusal.get("message", "")), hint=str(refusal.get("hint", "")))
    message = str(error)
    where = f"MLflow at {without_credentials(uri)}"
    if _ARTIFACTS_FAILED.search(message):
        return RegistryUnavailableError(
            f"{where} could not read or write a file of a model where it keeps them",
            hint="the object lies in no bucket any more, or its keys are not accepted: `sirena status` and `sirena "
            "doctor` tell of the object store, `sirena logs mlflow` which file; `sirena restore` brings it back",
        )
    if is_unreachable(error) and not _refusal(error):
        return RegistryUnavailableError(f"{where} does not answer any more", hint=_REMEDY)
    code = _refusal(error)
    first_line = without_credentials(message.strip().splitlines()[0]) if message.strip() else type(error).__name__
    if code:
        detail = first_line.partition(f"{code}: ")[2] or first_line
        return RegistryRefusedError(
            f"{where} refused: {detail}", hint="the audit ledger holds the refusal and its reason"
        )
    return RegistryError(f"{where} refused: {first_line}", hint="see the MLflow server's log")


def _refusal(error: Exception) -> str:
    """Return the code by which the NGINX entry refused a request; empty for any other error."""
    if isinstance(error, MlflowException):
        return error.error_code if error.error_code in _REFUSED.values() else ""
    response = getattr(error, "response", None)
    return _REFUSED.get(response.status_code, "") if response is not None else ""


def _is_http(uri: str) -> bool:
    return urlsplit(uri).scheme in ("http", "https")
