"""The ways to the parts behind the entry, and what each asks of whoever comes.

- The service, the pages and the access service listen on a Unix socket in a folder that NGINX's workers alone can
  enter; the access service on a second one, in a folder that the pages alone can enter.
- MLflow listens on loopback, because its own clients can do nothing else, and speaks only with who shows a certificate
  of this installation. It shows one too, so that a program that took its port meanwhile learns nothing.
- PostgreSQL and the S3 endpoint ask for passwords and keys, Ceph's daemons for theirs (cephx).
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
class DoorIdentity:
    """What a client of MLflow shows, and by what it knows MLflow."""

    certificate: Path
    """Certificate and private key, PEM, mode 0600."""
    authority: Path
    """Certificate of the authority that signed both sides', PEM."""

    def context(self) -> ssl.SSLContext:
        """Return a context for a client.

        Raises:
            OSError: the files are missing, or are another account's.
        """
        context = ssl.create_default_context(cafile=str(self.authority))
        context.load_cert_chain(str(self.certificate))
        return context

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which MLflow's own client shows it."""
        return {
            "MLFLOW_TRACKING_CLIENT_CERT_PATH": str(self.certificate),
            "MLFLOW_TRACKING_SERVER_CERT_PATH": str(self.authority),
            # an address of this machine is never asked through the hospital's proxy
            "NO_PROXY": _LOOPBACK,
        }


@dataclass(frozen=True)
class Door:
    """Where a part is asked over HTTP."""

    url: str
    """Scheme, host and port; the host of a socket is only a name."""
    socket: Path | None = None
    """Unix socket that is asked instead of host and port."""
    identity: DoorIdentity | None = None
    """What is shown where the scheme is https."""

    def open(
        self, target: str, body: bytes | None = None, *, seconds: float, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Ask; return the open answer.

        Args:
            target: path and query.
            body: posted when given.
            seconds: to wait for.
            headers: of the request.

        Raises:
            urllib.error.HTTPError: the answer is an error, which holds it.
            OSError: nothing answers, or this account may not ask.
        """
        request = urllib.request.Request(self.url + target, body, dict(headers or {}))  # noqa: S310 - our own doors
        # no proxy: every door is on this machine
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if self.socket is not None:
            handlers.append(_SocketHandler(self.socket))
        if self.identity is not None:
            handlers.append(urllib.request.HTTPSHandler(context=self.identity.context()))
        return urllib.request.build_opener(*handlers).open(request, timeout=seconds)


@dataclass(frozen=True)
class Doors:
    """The doors of one production stack."""

    settings: Settings

    @property
    def folder(self) -> Path:
        """Where certificates and sockets lie."""
        return self.settings.home / "doors"

    @property
    def authority(self) -> Path:
        """Certificate of the authority of the doors; its key is kept nowhere."""
        return self.folder / "authority.pem"

    @property
    def mlflow_server(self) -> Path:
        """Certificate and key that MLflow shows."""
        return self.folder / "mlflow.pem"

    def identity(self, client: str = "operator") -> DoorIdentity:
        """Return what a client of MLflow shows.

        Args:
            client: ``service``, ``pages``, ``access``, or ``operator`` for NGINX's master and commands by hand.
        """
        return DoorIdentity(self.folder / f"{client}.pem", self.authority)

    def socket_of(self, part: str) -> Path:
        """Return the socket of the service, the pages or the access service."""
        return self.folder / part / "socket"

    @property
    def pages_desk(self) -> Path:
        """The access service's socket for the pages alone."""
        return self.folder / "desk" / "socket"

    def mlflow(self, client: str = "operator") -> Door:
        """Return the way to MLflow."""
        return Door(self.settings.own_mlflow_url, identity=self.identity(client))

    def of_part(self, part: str) -> Door:
        """Return the way to the service, the pages or the access service."""
        return Door(f"http://{part}", socket=self.socket_of(part))


def door_of_service(settings: Settings) -> Door:
    """Return the way to the service of this installation: its socket on a server, else its port."""
    if settings.profile == "production":
        return Doors(settings).of_part("service")
    return Door(f"http://{_LOOPBACK}:{settings.port}")


class _SocketHandler(urllib.request.HTTPHandler):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open a request over the socket."""

        def connection(host: str, /, **kwargs: Any) -> http.client.HTTPConnection:
            return SocketConnection(host, self._path, **kwargs)

        return self.do_open(connection, req)
