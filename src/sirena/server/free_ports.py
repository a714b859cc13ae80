"""Checking that the ports of the stack are free before anything is started.

Requests would go to the daemon of another installation on such a port, which would refuse them without a clear cause.
"""

import errno
import socket
import time
from typing import Final

from sirena.host.accounts import PreparationError
from sirena.settings.catalogue import Settings, variable_of

_CEPH_PORTS: Final = 10
_PATIENCE_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.2


def require_free_ports(settings: Settings) -> None:
    """Raise `PreparationError` if another program keeps listening on a port of the stack; wait some seconds first.

    Raises:
        PreparationError: a port is taken; the error names it and its setting.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (taken_ports := _taken_ports(settings)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    if taken_ports:
        raise PreparationError(
            f"another program listens on port {', '.join(taken_ports)}",
            hint="end it (`ss -ltnp` names it), or choose another port with the setting",
        )


def _taken_ports(settings: Settings) -> list[str]:
    return [f"{port} ({variable})" for variable, address, port in wanted_ports(settings) if not is_free(address, port)]


def wanted_ports(settings: Settings) -> list[tuple[str, str, int]]:
    """Return the ports on which the stack listens, each as setting, address and port."""
    loopback = "127.0.0.1"
    if settings.profile == "embedded":
        return [
            (variable_of(name), loopback, getattr(settings, name)) for name in ("port", "mlflow_port", "pages_port")
        ]
    inner = ["postgres_port", "mlflow_port"]
    ports = [
        (variable_of(name), settings.listen, getattr(settings, name)) for name in ("http_port", "https_port", "port")
    ]
    if not settings.s3_endpoint_url:
        inner.append("s3_port")
        first = settings.ceph_port
        ports += [(variable_of("ceph_port"), loopback, port) for port in range(first, first + _CEPH_PORTS)]
    ports += [(variable_of(name), loopback, getattr(settings, name)) for name in inner]
    ports.append((variable_of("access_port"), loopback, settings.access_port + 1))
    return ports


def is_free(address: str, port: int) -> bool:
    """Tell whether no program listens on a port; a port that this account may not use counts as free."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            # a port that only root may take is told elsewhere, with its own remedy
            return error.errno != errno.EADDRINUSE
    return True
