"""The entry: NGINX, which ends TLS, asks the access service about every request, and passes on what that allows.

The configuration is written from templates at every start and never edited by hand. What it promises:

- every proxied route answers 503 unless the access service allows it, or did so a moment ago (`kept_decisions`);
- a path that two programs could read differently is refused before anybody decides on it;
- identity headers and credentials of clients reach the access service and no other part;
- every upstream is on loopback.
"""

import os
import resource
import signal
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final, Self

import jinja2

from sirena.host.accounts import OsAccount, PreparationError
from sirena.host.environment import import_path
from sirena.host.whole_files import replace_whole
from sirena.server.entry import kept_decisions
from sirena.server.parts.connection_certificates import SOCKET_PARTS
from sirena.server.parts.connections import PartConnection, PartConnections
from sirena.server.parts.part import HttpHealth, Part, program, require_version, version_of
from sirena.server.parts.part_accounts import PartAccounts
from sirena.server.tls.certificates import CertificatePaths
from sirena.settings.catalogue import Settings

SERVICE_LOCATIONS: Final = (
    *(
        f"= /{name}"
        for name in ("ping", "health", "version", "livez", "readyz", "invocations", "metrics", "shadow", "docs")
    ),
    "= /openapi.json",
    "~ ^/models/[^/]+/invocations$",
    "= /v2",
    "^~ /v2/",
)
"""Locations that `sirena serve` answers; all that no other list names are MLflow's."""
PAGES_LOCATIONS: Final = ("= /app", "^~ /app/")
"""Locations of Sirena's pages."""
PAGES_MAX_BODY: Final = 200 * 1024**2
"""Bytes of the largest file that the pages accept (see `web.upload.MOST_BYTES`)."""
ACCESS_LOCATIONS: Final = ("^~ /auth/", "= /auth")
"""Locations of the access service's pages for signing in and out."""
_ARTIFACTS: Final = (
    r"~^/(get-artifact|model-versions/get-artifact|(ajax-)?api/2\.0/mlflow-artifacts/artifacts.*"
    r"|ajax-api/[23]\.0/mlflow/get-trace-artifact|ajax-api/2\.0/mlflow/logged-models/[^/]+/artifacts/files)$"
)
"""Pattern of MLflow's routes that return files written by users."""
OLDEST: Final = (1, 18)
"""Oldest version of NGINX that can read the configuration; Ubuntu 20.04 has it."""
_HTTP2_DIRECTIVE_SINCE: Final = (1, 25, 1)
_ERROR_LOG_OPTION_SINCE: Final = (1, 19, 5)
_TEMPLATES: Final = (
    "nginx.conf",
    "to_upstream.conf",
    "to_access.conf",
    "identity.conf",
    "headers.conf",
    "logrotate.conf",
    "rotate_logs.sh",
)
_OPEN_FILES: Final = 65536
_LOG_RIGHTS: Final = 0o640
_LOG_MEGABYTES: Final = 20
_LOGS_KEPT: Final = 5
_FIRST_FREE_PORT: Final = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
_PRIVILEGED: Final = 1024


@dataclass(frozen=True)
class Nginx:
    """Facts about the installed NGINX, for which the configuration is written."""

    version: tuple[int, ...]
    mime_types: str
    """Path of NGINX's file of MIME types."""
    open_files: int
    """Most files and connections that a worker may have open."""
    memory_lasts: bool
    """True if the machine has a folder for kept decisions; see `kept_decisions`."""

    @classmethod
    def of_this_machine(cls) -> Self:
        """Return the facts about the installed NGINX.

        Raises:
            PreparationError: NGINX is not installed, or too old.
        """
        open_files = min(_OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        return cls(_version(), _mime_types(), open_files, kept_decisions.has_memory_that_lasts())

    @property
    def keeps_decisions(self) -> bool:
        """True if decisions are kept for a moment; else the access service is asked about each request."""
        return self.memory_lasts and self.version >= kept_decisions.SINCE


@dataclass(frozen=True)
class NginxEntry:
    """The entry: its files, its configuration and its process."""

    settings: Settings
    certificate: CertificatePaths
    body_routes: tuple[str, ...]
    """Routes of MLflow on which the access service decides by their body and which it passes on itself, such as an
    alias."""
    accounts: PartAccounts
    """Accounts of NGINX's workers, and of the access service, which reads what NGINX refused by itself."""

    @property
    def folder(self) -> Path:
        """Folder of the configuration and of temporary files."""
        return self.settings.home / "nginx"

    @property
    def challenges(self) -> Path:
        """Folder into which certbot puts answers to Let's Encrypt's challenges."""
        return self.settings.home / "acme" / "webroot"

    @property
    def decisions(self) -> Path:
        """Folder of kept decisions, in memory."""
        return kept_decisions.folder_of(self.settings.home)

    @property
    def refusals(self) -> Path:
        """Log of what NGINX refused by itself, in a folder that the access service may enter."""
        return self.settings.home / "refusals" / "refusals.jsonl"

    @property
    def command(self) -> tuple[str, ...]:
        """Command that starts NGINX with this configuration."""
        # an earlier one first opens the error log of its package, until it has read where ours is
        own_log = ("-e", "stderr") if _version() >= _ERROR_LOG_OPTION_SINCE else ()
        return (nginx_program(), *own_log, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"))

    @property
    def health(self) -> PartConnection:
        """Connection on loopback by which NGINX tells that it runs, and with which configuration."""
        return PartConnection(f"http://127.0.0.1:{self._health_port}")

    def part(self) -> Part:
        """Return the entry as a part."""
        return Part(
            "entry",
            kept_decisions.starting(self.decisions, self.command),
            OsAccount.of_this_process(),
            HttpHealth(self.health, "/up"),
            version_of([nginx_program(), "-v"]),
            port=self.settings.https_port,
            environment={"PYTHONPATH": import_path()},
            # QUIT lets requests under way end; TERM would cut them off
            stop_signal=signal.SIGQUIT,
            stop_seconds=35,
        )

    def write(self) -> None:
        """Write the configuration files, and let NGINX check them.

        Raises:
            PreparationError: NGINX is missing, refuses the configuration, or a port needs root.
        """
        settings = self.settings
        require_right_to_listen(settings)
        own = OsAccount.of_this_process()
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        logs = self.settings.home / "logs"
        logs.mkdir(exist_ok=True)
        # NGINX's workers must get at their logs to open them anew; the files themselves are not for everybody
        logs.chmod(0o755)
        self.challenges.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._give_reading_of_refusals()
        nginx = Nginx.of_this_machine()
        if nginx.keeps_decisions:
            kept_decisions.prepare(self.decisions)
        # what NGINX makes itself everybody may read, and it says who asked what when
        requests = logs / "entry.jsonl"
        requests.touch()
        requests.chmod(_LOG_RIGHTS)
        for name, text in self.texts(nginx).items():
            replace_whole(self.folder / name, text.encode())
        own.run([*self.command, "-q", "-t"])

    def texts(self, nginx: Nginx) -> dict[str, str]:
        """Return the texts of the configuration files, by name."""
        values = self._values(nginx)
        return {name: template.render(values) for name, template in _templates().items()}

    def mark(self, nginx: Nginx) -> str:
        """Return a hash of the configuration; NGINX answers with that of the configuration in force."""
        # how many files whoever asks may open, and whether what it has in memory lasts, is no matter of what is allowed
        values = {**self._values(nginx, mark=""), "open_files": 0, "connections": 0, "keeps_decisions": True}
        texts = [template.render(values) for template in _templates().values()]
        return sha256("\0".join(texts).encode()).hexdigest()

    def _give_reading_of_refusals(self) -> None:
        folder = self.refusals.parent
        folder.mkdir(exist_ok=True)
        self.refusals.touch()
        for path, rights in ((folder, 0o755), (self.refusals, _LOG_RIGHTS)):
            path.chmod(rights)
            if self.accounts.access.is_other:
                # NGINX keeps the group when it opens a log anew, and gives the file to its workers
                os.chown(path, -1, self.accounts.access.gid)

    def _values(self, nginx: Nginx, mark: str | None = None) -> dict[str, object]:
        settings, connections = self.settings, PartConnections(self.settings)
        directive = nginx.version >= _HTTP2_DIRECTIVE_SINCE
        return {
            "mark": self.mark(nginx) if mark is None else mark,
            "folder": self.folder,
            "logs": settings.home / "logs",
            "refusals": self.refusals,
            "requests": settings.home / "logs" / "entry.jsonl",
            "logrotate": logrotate_program(),
            "process_id": self.folder / "nginx.pid",
            "megabytes": _LOG_MEGABYTES,
            "logs_kept": _LOGS_KEPT,
            # root's NGINX gives up its rights; another's has none to give
            "worker_account": self.accounts.entry.name if self.accounts.entry.is_other else "",
            "open_files": nginx.open_files,
            # each takes a file, and one to the part behind
            "connections": nginx.open_files // 2,
            "mime_types": nginx.mime_types,
            "address": f"[{settings.listen}]" if ":" in settings.listen else settings.listen,
            "server_name": settings.server_name,
            "http_port": settings.http_port,
            "https_port": settings.https_port,
            "health_port": self._health_port,
            "tls_ports": sorted({settings.https_port, settings.port}),
            "http2_word": "" if directive else " http2",
            "http2_line": "http2 on;" if directive else "",
            "certificate": self.certificate.chain,
            "key": self.certificate.key,
            "challenges": self.challenges,
            "max_upload": settings.max_upload,
            "rate": settings.rate,
            "mlflow_port": settings.mlflow_port,
            "sockets": {part: connections.socket_of(part) for part in SOCKET_PARTS},
            "client_certificate": connections.identity().certificate,
            "mlflow_authority": connections.authority,
            "max_body": settings.max_body,
            "artifacts": f'"{_ARTIFACTS}"',
            "service_locations": SERVICE_LOCATIONS,
            "pages_locations": PAGES_LOCATIONS,
            "pages_max_body": PAGES_MAX_BODY,
            "keeps_decisions": nginx.keeps_decisions,
            "decisions": self.decisions,
            "kept_request": kept_decisions.KEPT_REQUEST,
            "asked_about": kept_decisions.ASKED_ABOUT,
            "access_locations": (*ACCESS_LOCATIONS, *(f"= {path}" for path in self.body_routes)),
        }

    @property
    def _health_port(self) -> int:
        return self.settings.access_port + 1


@cache
def _templates() -> dict[str, jinja2.Template]:
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - configuration files, not pages
    )
    folder = files(__package__).joinpath("templates")
    return {
        name: environment.from_string(folder.joinpath(f"{name}.j2").read_text(encoding="utf-8")) for name in _TEMPLATES
    }


def nginx_program() -> str:
    """Return the path of NGINX.

    Raises:
        PreparationError: NGINX is not installed.
    """
    return program("nginx", "nginx")


def require_right_to_listen(settings: Settings) -> None:
    """Check that this account may listen on the entry's ports, or raise `PreparationError`.

    Raises:
        PreparationError: a port is below the first that accounts other than root may use.
    """
    free = _first_free_port()
    low = [port for port in (settings.https_port, settings.http_port, settings.port) if port < free]
    if low and os.getuid() != 0:
        raise PreparationError(
            f"only root may listen on port {low[0]}",
            hint=f"start with sudo, or choose ports from {free} with SIRENA_HTTPS_PORT and SIRENA_HTTP_PORT",
        )


def _version() -> tuple[int, ...]:
    return require_version("NGINX", version_of([nginx_program(), "-v"]), OLDEST)


def _first_free_port() -> int:
    """Return the first port on which any account may listen: 1024, unless container or administrator set another."""
    try:
        return int(_FIRST_FREE_PORT.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return _PRIVILEGED


def logrotate_program() -> str:
    """Return the path of logrotate.

    Raises:
        PreparationError: logrotate is not installed.
    """
    return program("logrotate", "logrotate")


def _mime_types() -> str:
    for folder in ("/etc/nginx", "/usr/local/nginx/conf", "/opt/nginx/conf"):
        file = Path(folder) / "mime.types"
        if file.exists():
            return str(file)
    raise PreparationError("NGINX's mime.types is missing", hint="apt-get install --no-install-recommends nginx")
