"""The parts that are Python programs: MLflow, the service, the access service."""

import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from sirena import __version__
from sirena.operations.accounts import Account, PreparationError
from sirena.operations.environment import import_path
from sirena.operations.mlflow_server import QUIET
from sirena.operations.open_folders import let_everyone_read
from sirena.operations.part import HttpHealth, Part, RunningHealth, ServiceHealth
from sirena.operations.postgresql import PostgreSql
from sirena.operations.s3 import credentials_file, credentials_mark
from sirena.operations.secret_files import write_private
from sirena.operations.settings import Settings, variable_of

_OF_OTHERS: Final = ("home", "tracking_uri", "s3_endpoint_url", "oidc_client_secret_file", "s3_size_gb")
"""Settings no part needs handed on; one that is handed on and changed means a new start of the part."""


@dataclass(frozen=True)
class PythonParts:
    """What runs with our own interpreter, as one unprivileged account, on loopback."""

    settings: Settings
    account: Account

    def prepare(self) -> None:
        """Make the folder in which these parts may write, and give them the secret and the editions they may read.

        Raises:
            PreparationError: the account cannot run our interpreter, as when the checkout lies in root's home, or
                cannot read the imported editions.
        """
        self.account.own_folder(self.settings.service_home)
        secret = self.settings.openid_client_secret
        if secret:
            write_private(self._openid_secret_file, secret, self.account)
        self._open_editions()
        if not self.account.can_run(sys.executable):
            raise PreparationError(
                f"account {self.account.name!r} cannot run {sys.executable}",
                hint="install Sirena where everyone may read (/opt/sirena), or name another SIRENA_SERVICE_ACCOUNT",
            )

    def mlflow(self, database: PostgreSql, s3_endpoint: str) -> Part:
        """Describe MLflow's tracking server and registry: PostgreSQL behind it, artifacts through it to S3."""
        settings = self.settings
        name = settings.server_name
        origins = {f"https://{name}", f"https://{name}:{settings.https_port}", f"https://{name}:{settings.port}"}
        command = (
            sys.executable, "-m", "mlflow", "server",
            "--host", "127.0.0.1", "--port", str(settings.mlflow_port), "--workers", "2",
            "--backend-store-uri", database.uri("mlflow"),
            "--serve-artifacts", "--artifacts-destination", f"s3://{settings.s3_bucket}/artifacts",
            "--allowed-hosts", f"{name},{name}:*,127.0.0.1:{settings.mlflow_port}",
            "--cors-allowed-origins", ",".join(sorted(origins)),
        )  # fmt: skip
        return Part(
            "mlflow",
            command,
            self.account,
            HttpHealth(f"http://127.0.0.1:{settings.mlflow_port}/health"),
            version("mlflow"),
            port=settings.mlflow_port,
            environment={
                **QUIET,
                **self._places(),
                "PGPASSFILE": str(database.password_file),
                "AWS_SHARED_CREDENTIALS_FILE": str(credentials_file(settings)),
                # MLflow reads the keys once: by this the supervisor sees that they changed, and restarts it
                "CONFIGURATION_MARK": credentials_mark(settings),
                "AWS_DEFAULT_REGION": settings.aws_region,
                "AWS_EC2_METADATA_DISABLED": "true",
                "MLFLOW_S3_ENDPOINT_URL": s3_endpoint,
            },
            ready_seconds=120.0,
        )

    def embedded_mlflow(self) -> Part:
        """Describe MLflow for one person's machine: SQLite and a folder."""
        settings = self.settings
        command = (
            sys.executable, "-m", "mlflow", "server",
            "--host", "127.0.0.1", "--port", str(settings.mlflow_port), "--workers", "2",
            "--backend-store-uri", f"sqlite:///{settings.home / 'mlflow.db'}",
            "--artifacts-destination", str(settings.artifacts),
        )  # fmt: skip
        return Part(
            "mlflow",
            command,
            self.account,
            HttpHealth(f"http://127.0.0.1:{settings.mlflow_port}/health"),
            version("mlflow"),
            port=settings.mlflow_port,
            environment=QUIET,
            ready_seconds=120.0,
        )

    def service(self, port: int) -> Part:
        """Describe `sirena serve` on loopback; well also while it waits for the first release."""
        return Part(
            "service",
            (sys.executable, "-m", "sirena.cli", "serve", "--port", str(port)),
            self.account,
            ServiceHealth(f"http://127.0.0.1:{port}/readyz"),
            __version__,
            port=port,
            environment={**self._own_settings(), **self._editions(), **self._ledger()},
            stop_seconds=40,
            ready_seconds=120.0,
        )

    def access(self, database: PostgreSql, entry_log: Path) -> Part:
        """Describe the access service, which decides on every request and records what the entry refused by itself."""
        return Part(
            "access",
            (
                sys.executable,
                "-m",
                "sirena.cli",
                "access-service",
                "--port",
                str(self.settings.access_port),
                "--entry-log",
                str(entry_log),
            ),
            self.account,
            HttpHealth(f"http://127.0.0.1:{self.settings.access_port}/livez"),
            __version__,
            port=self.settings.access_port,
            environment={
                **self._own_settings(),
                **self._editions(),
                "SIRENA_DATABASE_URL": f"postgresql://sirena@127.0.0.1:{self.settings.postgres_port}/sirena",
                "PGPASSFILE": str(database.password_file),
                **self._openid_secret(),
            },
            ready_seconds=120.0,
        )

    def backup_watch(self, s3_endpoint: str) -> Part:
        """Describe the daily backup and weekly drill; they read every secret, so they run as whoever runs `up`."""
        own = self._own_settings()
        # what it finds set is what it backs up: the address of this machine's MLflow is no setting of the hospital's
        del own["MLFLOW_TRACKING_URI"]
        given = {"MLFLOW_S3_ENDPOINT_URL": s3_endpoint} if self.settings.s3_endpoint_url else {}
        given[variable_of("s3_size_gb")] = f"{self.settings.s3_size_gb}"
        home = self.settings.home
        return Part(
            "backup",
            (sys.executable, "-m", "sirena.cli", "backup", "--watch"),
            Account.of_this_process(),
            RunningHealth(),
            __version__,
            environment={**own, **given, "SIRENA_HOME": str(home), "HOME": str(home / "backup")},
        )

    def _ledger(self) -> dict[str, str]:
        """Name the database of the ledger, which says what may answer: that of the stack, not one of the part's own."""
        if self.settings.profile == "production":
            address = f"postgresql://sirena@127.0.0.1:{self.settings.postgres_port}/sirena"
            return {"SIRENA_DATABASE_URL": address, "PGPASSFILE": str(self.settings.password_file)}
        return {"SIRENA_DATABASE_URL": f"sqlite:///{self.settings.home / 'ledger' / 'ledger.db'}"}

    def _open_editions(self) -> None:
        """Let the account read the imported editions, if any: they may have come by a strict umask or a restore."""
        folder = self.settings.editions_folder
        if not folder.is_dir():
            return
        try:
            if self.account.is_other:
                let_everyone_read(folder)
        except OSError as error:
            raise PreparationError(f"{folder} cannot be opened to account {self.account.name!r}") from error
        if not self.account.can_enter(folder):
            raise PreparationError(
                f"account {self.account.name!r} cannot enter {folder}",
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

    def _own_settings(self) -> dict[str, str]:
        """Hand on what differs from the defaults, but no secrets, no places and nothing of other parts alone."""
        kept = {
            variable_of(name): str(value)
            for name, field in Settings.model_fields.items()
            if (value := getattr(self.settings, name)) not in (None, "", field.default)
            and name not in _OF_OTHERS
            and not isinstance(value, SecretStr)
        }
        uri = f"http://127.0.0.1:{self.settings.mlflow_port}"
        return {**kept, **self._places(), "MLFLOW_TRACKING_URI": uri}

    def _places(self) -> dict[str, str]:
        # its own SIRENA_HOME: the service keeps a copy of its panel, and must not be able to write anything else
        folder = str(self.settings.service_home)
        return {"SIRENA_HOME": folder, "HOME": folder, "PYTHONPATH": import_path()}
