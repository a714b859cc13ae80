"""Asking the running service what it counted of the shadow, on this machine or through the entry."""

import json
from typing import Any, Final

from mlflow.utils.rest_utils import http_request

from sirena.domain.errors import SirenaError
from sirena.registry.connection import Registry, RegistryRefusedError, speaks_to_mlflow
from sirena.server.parts.connections import connection_to_service

_SECONDS: Final = 10.0
_OK: Final = 200
_REFUSED: Final = (401, 403)
_PATH: Final = "/shadow"


class ServiceUnavailableError(SirenaError):
    """The service that interprets isolates is unreachable."""

    code = "service_unavailable"
    status = 503


def look_at_shadow(registry: Registry) -> dict[str, Any]:
    """Return the serving service's counts of results that the shadow release would change.

    Raises:
        ServiceUnavailableError: the service is unreachable.
        RegistryRefusedError: the account lacks the right.
    """
    return _through_entry(registry) if registry.signed_in_as else _beside(registry)


def _beside(registry: Registry) -> dict[str, Any]:
    try:
        with connection_to_service(registry.settings).open(_PATH, seconds=_SECONDS) as answer:
            return dict(json.load(answer))
    except (OSError, ValueError) as error:
        raise ServiceUnavailableError(
            "the service that answers isolates cannot be asked",
            hint="start it with `sirena up`, or `sirena serve`, on this machine and under this account",
        ) from error


@speaks_to_mlflow
def _through_entry(registry: Registry) -> dict[str, Any]:
    answer = http_request(registry.models.store.get_host_creds(), _PATH, "GET", timeout=_SECONDS)
    if answer.status_code in _REFUSED:
        raise RegistryRefusedError(
            "this account may not see what the shadow would change", hint="a scientist or an approver may"
        )
    if answer.status_code != _OK:
        raise ServiceUnavailableError("the service behind the entry cannot be asked", hint="`sirena status` there")
    return dict(answer.json())
