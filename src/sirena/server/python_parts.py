"""The parts that are Python programs: MLflow, the service, the pages, the access service."""

import shlex
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from sirena import __version__
from sirena.host.accounts import OsAccount, PreparationError
from sirena.host.environment import import_path
from sirena.host.handing_over import own_whole
from sirena.host.open_folders import let_everyone_read
from sirena.host.secret_files import write_private
from sirena.server.object_store.s3 import credentials_file, credentials_mark
from sirena.server.parts.connection_certificates import prepare_connections
from sirena.server.parts.connections import PartConnection, PartConnections
from sirena.server.parts.mlflow_server import MLFLOW_PROCESS, QUIET
from sirena.server.parts.part import HttpHealth, Part, RunningHealth, ServiceHealth
from sirena.server.parts.part_accounts import PartAccounts
from sirena.server.parts.postgresql import ONLY_BY_SCRAM, PostgreSql
from sirena.settings.catalogue import Settings, variable_of

_OF_OTHERS: Final = ("home", "tracking_uri", "s3_endpoint_url", "oidc_client_secret_file", "s3_size_gb")
"""Settings that are not passed to the parts; a change of one that is passed restarts the part."""


@dataclass(frozen=True)
class PythonParts:
    """The parts that run by Sirena's own Python, each under an unprivileged account and on its own port or socket."""

    settings: Settings
    accounts: PartAccounts

    @property
    def connections(self) -> PartConnections:
        """Connections to these parts."""
        return PartConnections(self.settings)

    def prepare(self) -> None:
        """Make the folders, sockets' folders and certificates of these parts, and the files that they may read.

        Raises:
            PreparationError: an account cannot run Sirena's Python, for instance because that is in root's home, or
                cannot read the imported guideline editions.
        """
        for account, folder in self._homes():
            # what is in it first: a folder that is this account's counts as handed over
            own_whole(account, folder)
            account.own_folder(folder)
        prepare_connections(self.connections, self.accounts)
        secret = self.settings.openid_client_secret
        if secret:
            write_private(self._openid_secret_file, secret, self.accounts.access)
        self._open_editions()
        for account in self.accounts.python:
            if not account.can_run(sys.executable):
                raise PreparationError(
                    f"account {account.name!r} cannot run {sys.executable}",
                    hint="install Sirena where everyone may read (/opt/sirena), or name another SIRENA_SERVICE_ACCOUNT",
                )

    def _homes(self) -> list[tuple[OsAccount, Path]]:
        settings, accounts = self.settings, self.accounts
        return [
            (accounts.mlflow, settings.mlflow_home),
            (accounts.service, settings.answering_home),
            (accounts.pages, settings.pages_home),
            (accounts.access, settings.service_home),
        ]

    def mlflow(self, database: PostgreSql, s3_endpoint: str) -> Part:
        """Return MLflow's tracking server and registry, with PostgreSQL and the artifacts in S3, as a part."""
        settings = self.settings
        name = settings.server_name
        origins = {f"https://{name}", f"https://{name}:{settings.https_port}", f"https://{name}:{settings.port}"}
        server, authority = str(self.connections.mlflow_server), str(self.connections.authority)
        # 2: whoever shows no certificate of this installation is answered nothing
        tls_options = (
            "--ssl-keyfile",
            server,
            "--ssl-certfile",
            server,
            "--ssl-ca-certs",
            authority,
            "--ssl-cert-reqs",
            "2",
        )
        command = (
            sys.executable, "-m", MLFLOW_PROCESS, "server",
            "--host", "127.0.0.1", "--port", str(settings.mlflow_port), "--workers", "2",
            "--uvicorn-opts", shlex.join(tls_options),
            "--backend-store-uri", database.uri("mlflow"),
            "--serve-artifacts", "--artifacts-destination", f"s3://{settings.s3_bucket}/artifacts",
            "--allowed-hosts", f"{name},{name}:*,127.0.0.1:{settings.mlflow_port}",
            "--cors-allowed-origins", ",".join(sorted(origins)),
        )  # fmt: skip
        return Part(
            "mlflow",
            command,
            self.accounts.mlflow,
            HttpHealth(self.connections.mlflow(), "/health"),
            version("mlflow"),
            port=settings.mlflow_port,
            environment={
                **QUIET,
                **_places(settings.mlflow_home),
                "PGPASSFILE": str(database.mlflow_password_file),
                **ONLY_BY_SCRAM,
                "AWS_SHARED_CREDENTIALS_FILE": str(credentials_file(settings)),
                # MLflow reads keys and certificates once: by this the supervisor sees that they changed
                "CONFIGURATION_MARK": credentials_mark(settings) + _time_of_change(self.connections.mlflow_server),
                "AWS_DEFAULT_REGION": settings.aws_region,
                "AWS_EC2_METADATA_DISABLED": "true",
                "MLFLOW_S3_ENDPOINT_URL": s3_endpoint,
            },
            ready_seconds=120.0,
        )

    def embedded_mlflow(self) -> Part:
        """Return MLflow for one person's machine, with SQLite and a folder, as a part."""
        settings = self.settings
        command = (
            sys.executable, "-m", MLFLOW_PROCESS, "server",
            "--host", "127.0.0.1", "--port", str(settings.mlflow_port), "--workers", "2",
            "--backend-store-uri", f"sqlite:///{settings.home / 'mlflow.db'}",
            "--artifacts-destination", str(settings.artifacts),
        )  # fmt: skip
        return Part(
            "mlflow",
            command,
            self.accounts.mlflow,
            HttpHealth(PartConnection(f"http://127.0.0.1:{settings.mlflow_port}"), "/health"),
            version("mlflow"),
            port=settings.mlflow_port,
            environment={**QUIET, "PYTHONPATH": import_path()},
            ready_seconds=120.0,
        )

    def embedded_service(self) -> Part:
        """Return `sirena serve` for one person's machine, on loopback, as a part."""
        port = self.settings.port
        return Part(
            "service",
            (sys.executable, "-m", "sirena.cli", "serve", "--port", str(port)),
            self.accounts.service,
            ServiceHealth(PartConnection(f"http://127.0.0.1:{port}")),
            __version__,
            port=port,
            environment=self._embedded_environment(self.settings.service_home),
            stop_seconds=40,
            ready_seconds=120.0,
        )

    def embedded_pages(self, key: Path) -> Part:
        """Return the pages for one person's machine, on loopback, protected by a key, as a part.

        Args:
            key: file that holds the key.
        """
        port = self.settings.pages_port
        return Part(
            "pages",
            (sys.executable, "-m", "sirena.cli", "pages-service", "--port", str(port), "--key", str(key)),
            self.accounts.pages,
            HttpHealth(PartConnection(f"http://127.0.0.1:{port}"), "/livez"),
            __version__,
            port=port,
            environment={**self._embedded_environment(self.settings.pages_home), variable_of("trace"): "0"},
            stop_seconds=40,
            ready_seconds=120.0,
        )

    def _embedded_environment(self, home: Path) -> dict[str, str]:
        """Return the environment of a part of one person's machine, with the address of the stack's own ledger."""
        return {
            **self._own_settings(),
            **_places(home),
            **self._editions(),
            "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{self.settings.mlflow_port}",
            "SIRENA_DATABASE_URL": f"sqlite:///{self.settings.home / 'ledger' / 'ledger.db'}",
        }

    def service(self, database: PostgreSql) -> Part:
        """Return `sirena serve` on its socket as a part; it counts as healthy while it waits for the first release."""
        return Part(
            "service",
            (sys.executable, "-m", "sirena.cli", "serve", "--socket", str(self.connections.socket_of("service"))),
            self.accounts.service,
            ServiceHealth(self.connections.of_part("service")),
            __version__,
            environment={
                **self._own_settings(),
                **_places(self.settings.answering_home),
                **self._editions(),
                **self._as_client("service"),
                "SIRENA_DATABASE_URL": database.reader_url(database.reader_password_file),
                **ONLY_BY_SCRAM,
                **self._traces(),
            },
            stop_seconds=40,
            ready_seconds=120.0,
        )

    def pages(self, database: PostgreSql) -> Part:
        """Return the pages on their socket as a part; they record events through the access service."""
        socket, desk = str(self.connections.socket_of("pages")), str(self.connections.pages_desk)
        return Part(
            "pages",
            (sys.executable, "-m", "sirena.cli", "pages-service", "--socket", socket, "--desk", desk),
            self.accounts.pages,
            HttpHealth(self.connections.of_part("pages"), "/livez"),
            __version__,
            environment={
                **self._own_settings(),
                **_places(self.settings.pages_home),
                **self._editions(),
                **self._as_client("pages"),
                "SIRENA_DATABASE_URL": database.reader_url(database.pages_password_file),
                # it shows traces, which may hold a cell of a file
                variable_of("trace"): "0",
                **ONLY_BY_SCRAM,
            },
            stop_seconds=40,
            ready_seconds=120.0,
        )

    def access(self, database: PostgreSql, entry_log: Path) -> Part:
        """Return the access service as a part; it decides on every request and records what NGINX refused by itself."""
        socket, desk = str(self.connections.socket_of("access")), str(self.connections.pages_desk)
        return Part(
            "access",
            (
                sys.executable,
                "-m",
                "sirena.cli",
                "access-service",
                "--socket",
                socket,
                "--entry-log",
                str(entry_log),
                "--pages-desk",
                desk,
            ),
            self.accounts.access,
            HttpHealth(self.connections.of_part("access"), "/livez"),
            __version__,
            environment={
                **self._own_settings(),
                **_places(self.settings.service_home),
                **self._editions(),
                **self._as_client("access"),
                "SIRENA_DATABASE_URL": f"postgresql://sirena@127.0.0.1:{self.settings.postgres_port}/sirena",
                "PGPASSFILE": str(database.password_file),
                **ONLY_BY_SCRAM,
                **self._openid_secret(),
            },
            ready_seconds=120.0,
        )

    def backup_watch(self, s3_endpoint: str) -> Part:
        """Return daily backup and weekly restore drill as a part; it reads all secrets, so its account is `up`'s."""
        own = self._own_settings()
        environment = {"MLFLOW_S3_ENDPOINT_URL": s3_endpoint} if self.settings.s3_endpoint_url else {}
        environment[variable_of("s3_size_gb")] = f"{self.settings.s3_size_gb}"
        home = self.settings.home
        return Part(
            "backup",
            (sys.executable, "-m", "sirena.cli", "backup", "--watch"),
            OsAccount.of_this_process(),
            RunningHealth(),
            __version__,
            environment={
                **own,
                **environment,
                **_places(home),
                "HOME": str(home / "backup"),
            },
        )

    def _open_editions(self) -> None:
        """Let the parts' accounts read the imported editions, which a strict umask or a restore may have closed."""
        folder = self.settings.editions_folder
        if not folder.is_dir():
            return
        try:
            if any(account.is_other for account in self.accounts.python):
                let_everyone_read(folder)
        except OSError as error:
            raise PreparationError(f"{folder} cannot be opened to the accounts of the services") from error
        for account in self.accounts.python:
            if not account.can_enter(folder):
                raise PreparationError(
                    f"account {account.name!r} cannot enter {folder}",
                    hint="choose a SIRENA_GUIDELINES that others may enter, or leave it empty",
                )

    def _editions(self) -> dict[str, str]:
        # of the stack's home, not of the services' own
        return {variable_of("guidelines"): str(self.settings.editions_folder)}

    @property
    def _openid_secret_file(self) -> Path:
        return self.settings.home / "secrets" / "openid_client_secret"

    def _openid_secret(self) -> dict[str, str]:
        secret = self.settings.openid_client_secret
        return {variable_of("oidc_client_secret_file"): str(self._openid_secret_file)} if secret else {}

    def _traces(self) -> dict[str, str]:
        endpoint = self.settings.traces_endpoint
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint} if endpoint else {}

    def _as_client(self, client: str) -> dict[str, str]:
        identity = self.connections.identity(client)
        return {
            "MLFLOW_TRACKING_URI": self.settings.own_mlflow_url,
            **identity.environment,
            "CONFIGURATION_MARK": _time_of_change(identity.certificate),
        }

    def _own_settings(self) -> dict[str, str]:
        """Return the variables of settings that differ from the defaults, except secrets and those in `_OF_OTHERS`."""
        return {
            variable_of(name): str(value)
            for name, field in Settings.model_fields.items()
            if (value := getattr(self.settings, name)) not in (None, "", field.default)
            and name not in _OF_OTHERS
            and not isinstance(value, SecretStr)
        }


def _places(home: Path) -> dict[str, str]:
    # a SIRENA_HOME of its own: a part keeps a copy of what it needs, and must not be able to write anything else
    return {"SIRENA_HOME": str(home), "HOME": str(home), "PYTHONPATH": import_path()}


def _time_of_change(file: Path) -> str:
    return str(file.stat().st_mtime_ns) if file.exists() else ""
