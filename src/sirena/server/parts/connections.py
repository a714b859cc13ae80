"""Connections to the parts behind the entry, and how each part keeps others out.

- The service, the pages and the access service listen on Unix sockets in folders that only NGINX's workers can enter.
  The access service listens on a second socket, in a folder that only the pages can enter.
- MLflow listens on a loopback port, because its clients cannot use a Unix socket. It answers only clients with a TLS
  certificate of this installation, and has one too, so that a program on its port learns nothing from clients.
- PostgreSQL requires passwords, the S3 endpoint keys, and Ceph's daemons their own keys (cephx).
"""

import http.client
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sirena.host.socket_connection import SocketConnection
from sirena.settings.catalogue import Settings

_LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True)
class ClientCertificate:
    """The TLS certificate of a client of MLflow, and the authority by which that client verifies MLflow."""

    certificate: Path
    """Certificate and private key, PEM, mode 0600."""
    authority: Path
    """Certificate of the authority that signed the certificates of both sides, PEM."""

    def context(self) -> ssl.SSLContext:
        """Return a TLS context that presents this client certificate.

        Raises:
            OSError: the files are missing, or belong to another account.
        """
        context = ssl.create_default_context(cafile=str(self.authority))
        context.load_cert_chain(str(self.certificate))
        return context

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables by which MLflow's own client uses this certificate."""
        return {
            "MLFLOW_TRACKING_CLIENT_CERT_PATH": str(self.certificate),
            "MLFLOW_TRACKING_SERVER_CERT_PATH": str(self.authority),
            # an address of this machine is never asked through the hospital's proxy
            "NO_PROXY": _LOOPBACK,
        }


@dataclass(frozen=True)
class PartConnection:
    """How to connect to a part over HTTP: by port or Unix socket, and with a client certificate if needed."""

    url: str
    """Scheme, host and port; the host of a socket is only a name."""
    socket: Path | None = None
    """Unix socket to connect to instead of host and port."""
    identity: ClientCertificate | None = None
    """Client certificate, if the scheme is https."""

    def open(
        self, target: str, body: bytes | None = None, *, seconds: float, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Send a request, and return the response, still open.

        Args:
            target: path and query.
            body: body to send by POST; None to send a GET.
            seconds: longest time to wait.
            headers: headers of the request.

        Raises:
            urllib.error.HTTPError: the response has an error status; the error holds it.
            OSError: nothing answers, or this account may not connect.
        """
        request = urllib.request.Request(self.url + target, body, dict(headers or {}))  # noqa: S310 - our own parts
        # no proxy: every part is on this machine
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if self.socket is not None:
            handlers.append(_SocketHandler(self.socket))
        if self.identity is not None:
            handlers.append(urllib.request.HTTPSHandler(context=self.identity.context()))
        return urllib.request.build_opener(*handlers).open(request, timeout=seconds)


@dataclass(frozen=True)
class PartConnections:
    """Certificates, sockets and connections of the parts of one production stack."""

    settings: Settings

    @property
    def folder(self) -> Path:
        """Folder of certificates and sockets."""
        return self.settings.home / "doors"

    @property
    def authority(self) -> Path:
        """Certificate of the authority that signs MLflow's and its clients' certificates; its key is kept nowhere."""
        return self.folder / "authority.pem"

    @property
    def mlflow_server(self) -> Path:
        """File with certificate and key of MLflow's server."""
        return self.folder / "mlflow.pem"

    def identity(self, client: str = "operator") -> ClientCertificate:
        """Return the certificate of a client of MLflow.

        Args:
            client: ``service``, ``pages``, ``access``, or ``operator`` for NGINX's master and commands by hand.
        """
        return ClientCertificate(self.folder / f"{client}.pem", self.authority)

    def socket_of(self, part: str) -> Path:
        """Return the socket of the service, the pages or the access service."""
        return self.folder / part / "socket"

    @property
    def pages_desk(self) -> Path:
        """Unix socket at which the access service answers the pages only."""
        return self.folder / "desk" / "socket"

    def mlflow(self, client: str = "operator") -> PartConnection:
        """Return the connection to MLflow with a client's certificate."""
        return PartConnection(self.settings.own_mlflow_url, identity=self.identity(client))

    def of_part(self, part: str) -> PartConnection:
        """Return the connection to the service, the pages or the access service."""
        return PartConnection(f"http://{part}", socket=self.socket_of(part))


def connection_to_service(settings: Settings) -> PartConnection:
    """Return the connection to the service of this installation: its socket on a server, else its port."""
    if settings.profile == "production":
        return PartConnections(settings).of_part("service")
    return PartConnection(f"http://{_LOOPBACK}:{settings.port}")


class _SocketHandler(urllib.request.HTTPHandler):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open a request over the socket."""

        def connection(host: str, /, **kwargs: Any) -> http.client.HTTPConnection:
            return SocketConnection(host, self._path, **kwargs)

        return self.do_open(connection, req)
