"""Every setting, in one place: environment variable, default, meaning, example.

The environment wins over the settings file, the file over the default. The file holds lines `NAME=value` with the very
same names, so that systemd and a shell can read it too.
"""

import getpass
import os
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from sirena.domain.errors import UsageError

FILE_VARIABLE: Final = "SIRENA_SETTINGS_FILE"
"""Environment variable that names another settings file; it cannot itself stand in a settings file."""

OFF: Final = "off"
"""Value of `SIRENA_BACKUP_AT` with which the stack makes no backups itself."""
_HTTPS: Final = 443

Port = Annotated[int, Field(ge=1, le=65535)]


class SettingsError(UsageError):
    """A setting has a value that is not allowed; the text names the variable and never the value."""

    code = "settings"


class CertificateSource(StrEnum):
    """Where the entry's TLS certificate comes from."""

    SELF_MADE = "self-made"
    FILES = "files"
    LETS_ENCRYPT = "letsencrypt"


def _default_home() -> Path:
    return Path.home() / ".local" / "share" / "sirena"


class Settings(BaseSettings):
    """Settings read from the environment and the settings file; command-line options override them."""

    model_config = SettingsConfigDict(
        env_prefix="SIRENA_",
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
    )

    home: Path = Field(default_factory=_default_home, examples=["/var/lib/sirena"])
    """Folder below which everything Sirena writes lies, so two can run side by side."""

    port: int = Field(default=5000, ge=0, le=65535, examples=["5000"])
    """Port of `sirena serve` and of the entry; for `sirena serve` 0 takes a free one."""

    tracking_uri: str = Field(
        default="", validation_alias="MLFLOW_TRACKING_URI", examples=["https://sirena.example:5000"]
    )
    """MLflow tracking server or store; empty means a SQLite file below `SIRENA_HOME`."""

    experiment_name: str = Field(
        default="resistencia_antibioticos", validation_alias="MLFLOW_EXPERIMENT_NAME", examples=["hospital_norte"]
    )
    """MLflow experiment that receives the training runs."""

    user: str = Field(default="", examples=["maria"])
    """Name written as author and approver; empty means the operating system's user."""

    profile: Literal["embedded", "production"] = Field(default="embedded", examples=["production"])
    """`embedded` is one person's machine, where author and approver may be one; else `production`. `sirena up`
    keeps the one it brought up."""

    gate: Path | None = Field(default=None, examples=["/etc/sirena/gate.toml"])
    """Promotion criteria, a TOML file; empty means those that come with Sirena."""

    overlay: Path | None = Field(default=None, examples=["/etc/sirena/hospital.csv"])
    """The hospital's own rules in force on the guideline editions they name, a CSV file; commands use it unless
    `--overlay` names another, and the entry's gate always does, until a version was approved (`sirena rules`). Empty
    means the editions as they are."""

    guidelines: Path | None = Field(default=None, examples=["/srv/sirena/guidelines"])
    """Folder of imported guideline editions, written by `sirena guideline import` and read by commands and by the
    stack's services; empty means `guidelines` below `SIRENA_HOME`."""

    max_body: int = Field(default=32 * 2**20, ge=1024, examples=["33554432"])
    """Largest request body the service reads, in bytes; a larger one is answered 413."""

    poll_seconds: float = Field(default=5.0, gt=0, examples=["5"])
    """How often the service holds the active release against MLflow and the artifact store, in seconds. It asks the
    ledger every second, whatever this says, so that a newly activated release answers within two."""

    serving_workers: int = Field(default=1, ge=1, le=64, examples=["2"])
    """Processes that answer isolates, by one copy of the tables. One answers a hospital's questions; more answer more
    at once, on as many processor cores, and let a short question pass a long one."""

    traces_endpoint: str = Field(default="", examples=["http://127.0.0.1:4318"])
    """Collector of OpenTelemetry, OTLP over HTTP, to which the stack's service sends a span for each request and each
    reload; empty sends none. `sirena serve` by itself heeds OpenTelemetry's own variables."""

    trace: bool = Field(default=False, examples=["1"])
    """`1` shows developers the trace of an unforeseen error; a trace may hold patient data."""

    database_url: SecretStr = Field(default=SecretStr(""), examples=["postgresql://sirena@db.example/sirena"])
    """PostgreSQL database of accounts and audit ledger; empty means SQLite below `SIRENA_HOME`."""

    database_owner_url: SecretStr = Field(default=SecretStr(""), examples=["postgresql://owner@db.example/sirena"])
    """The same database entered as the role that owns its tables, for `sirena audit prepare` and `sirena upgrade`
    alone; empty means `SIRENA_DATABASE_URL`."""

    policy: Path | None = Field(default=None, examples=["/etc/sirena/policy.toml"])
    """Who may do what, a TOML file; empty means the policy that comes with Sirena."""

    session_hours: float = Field(default=12.0, gt=0, le=168, examples=["12"])
    """How long a browser stays signed in, in hours."""

    oidc_issuer: str = Field(
        default="",
        pattern=r"^(https://[^\s?#]+|http://(localhost|127\.0\.0\.1)(:\d+)?(/[^\s?#]*)?)?$",
        examples=["https://keycloak.hospital.example/realms/hospital"],
    )
    """OpenID provider for single sign-on, the address by which it calls itself; empty means none."""

    oidc_client_id: str = Field(default="", examples=["sirena"])
    """Name under which Sirena is registered at the provider."""

    oidc_client_secret: SecretStr = Field(default=SecretStr(""), examples=["…"])
    """Secret of that registration; empty for a public client. A file is better."""

    oidc_client_secret_file: Path | None = Field(default=None, examples=["/etc/sirena/openid_secret"])
    """File that holds the secret alone, readable by its owner only."""

    oidc_scopes: str = Field(default="openid profile email", examples=["openid profile email groups"])
    """Scopes asked for, with spaces between; `openid` is one of them."""

    oidc_name_claim: str = Field(default="preferred_username", examples=["upn"])
    """Claim that becomes an account's name; without it a verified `email`, without that `sub`."""

    oidc_groups_claim: str = Field(default="groups", examples=["realm_access.roles"])
    """Claim that lists a person's groups; dots lead into nested claims."""

    oidc_roles: str = Field(default="", examples=["PROA=clinician; Microbiology=scientist; Heads=approver,clinician"])
    """Which group holds which roles: `group=role,role; group=role`. Who is in none of them is refused."""

    oidc_label: str = Field(default="", examples=["Hospital Norte"])
    """What the sign-in page calls the provider; empty means its host name."""

    server_name: str = Field(
        default="localhost",
        pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$",
        examples=["sirena.hospital.example"],
    )
    """Host name of the entry; requests that name another host are refused."""

    https_port: Port = Field(default=443, examples=["443"])
    """Port of the entry for browsers; `SIRENA_PORT` serves the same."""

    http_port: Port = Field(default=80, examples=["80"])
    """Port that only redirects to HTTPS and answers Let's Encrypt's challenges."""

    listen: str = Field(default="0.0.0.0", pattern=r"^[0-9A-Fa-f.:]+$", examples=["192.168.10.5"])  # noqa: S104
    """Address the entry listens on; everything behind it listens on loopback only."""

    account: str = Field(default="postgres", pattern=r"^[a-z_][a-z0-9_-]*$", examples=["sirena"])
    """Unprivileged account of PostgreSQL and the object store when Sirena is started by root."""

    service_account: str = Field(default="", pattern=r"^([a-z_][a-z0-9_-]*)?$", examples=["sirena"])
    """Account of MLflow, the service, the pages and the access service when started by root; empty means one of its
    own for each (`sirena-mlflow`, `sirena-service`, `sirena-pages`, `sirena-access`), made by `sirena up`."""

    postgres_port: Port = Field(default=15432, examples=["15432"])
    """Loopback port of Sirena's own PostgreSQL; not 5432, where a cluster of the machine may live."""

    s3_port: Port = Field(default=15480, examples=["15480"])
    """Loopback port of Sirena's own S3 endpoint (Ceph); unused when `MLFLOW_S3_ENDPOINT_URL` is set."""

    ceph_port: int = Field(default=15600, ge=1024, le=65500, examples=["15600"])
    """First of ten loopback ports of Ceph's own daemons."""

    mlflow_port: Port = Field(default=15500, examples=["15500"])
    """Loopback port of the MLflow server, which answers in production only who shows a certificate of this
    installation."""

    pages_port: Port = Field(default=15530, examples=["15530"])
    """Loopback port of the pages on one person's machine; a server's are reached through the entry."""

    access_port: Port = Field(default=15520, examples=["15520"])
    """The port after it is the entry's own health; the access service itself listens on a socket."""

    s3_endpoint_url: str = Field(
        default="",
        # no user and no password in it: addresses stand in messages
        pattern=r"^(https?://[^\s@?#]+)?$",
        validation_alias="MLFLOW_S3_ENDPOINT_URL",
        examples=["https://minio.hospital.example:9000"],
    )
    """S3 endpoint of MinIO, Ceph or AWS; empty means Sirena's own, a Ceph gateway on this server."""

    s3_bucket: str = Field(default="sirena", pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", examples=["sirena"])
    """Bucket of the artifacts; made when it is missing."""

    s3_size_gb: float = Field(default=40.0, ge=1.0, examples=["40"])
    """Size Sirena's own S3 endpoint may grow to, in GiB; the file is sparse. A larger one is taken up by
    `sirena up`, a smaller one refused."""

    aws_access_key_id: SecretStr = Field(
        default=SecretStr(""), validation_alias="AWS_ACCESS_KEY_ID", examples=["AKIA…"]
    )
    """Key of the given S3 endpoint; Sirena's own endpoint has generated ones."""

    aws_secret_access_key: SecretStr = Field(
        default=SecretStr(""), validation_alias="AWS_SECRET_ACCESS_KEY", examples=["…"]
    )
    """Secret of the given S3 endpoint."""

    aws_region: str = Field(default="us-east-1", validation_alias="AWS_DEFAULT_REGION", examples=["eu-south-2"])
    """Region of the given S3 endpoint; MinIO and Ceph take any."""

    tls: CertificateSource = Field(default=CertificateSource.SELF_MADE, examples=["letsencrypt"])
    """Certificate of the entry: `self-made` (own authority, for a first start), `files`, or `letsencrypt`."""

    tls_certificate: Path | None = Field(default=None, examples=["/etc/ssl/hospital/fullchain.pem"])
    """For `files`: certificate with its chain, PEM."""

    tls_key: Path | None = Field(default=None, examples=["/etc/ssl/hospital/key.pem"])
    """For `files`: private key, PEM, readable by its owner only."""

    acme_email: str = Field(default="", examples=["it@hospital.example"])
    """For `letsencrypt`: address told when a certificate is about to expire; empty registers without one."""

    acme_directory: str = Field(
        default="https://acme-v02.api.letsencrypt.org/directory",
        pattern=r"^https://",
        examples=["https://ca.example/dir"],
    )
    """For `letsencrypt`: directory of the ACME authority; a hospital may have its own."""

    max_upload: int = Field(default=5 * 2**30, ge=2**20, examples=["5368709120"])
    """Largest request body the entry lets through, in bytes; a larger one is answered 413."""

    rate: int = Field(default=100, ge=1, examples=["100"])
    """Requests a second one address may send for long; four times as many at once; then 429."""

    backup_at: str = Field(default="02:30", pattern=r"^((?:[01]\d|2[0-3]):[0-5]\d|off)$", examples=["02:30"])
    """Local time of the daily backup and, on Sundays, the drill after it; `off` when a timer of the machine does it."""

    backup_repository: str = Field(default="", examples=["/mnt/nas/sirena"])
    """Restic repository, a folder or `s3:https://host/bucket`, best on another machine; empty means a folder below
    `SIRENA_HOME`, which is lost together with it."""

    backup_password_file: Path | None = Field(default=None, examples=["/root/sirena_backup_password"])
    """File with the repository's password, mode 0600; empty means one below `SIRENA_HOME`, made by the first backup."""

    backup_credentials: Path | None = Field(default=None, examples=["/root/backup_s3_credentials"])
    """For a repository in S3: file with its keys in AWS's form; empty means the keys of the artifacts."""

    @model_validator(mode="after")
    def _own_database(self) -> Self:
        if not self.database_url.get_secret_value() and self.holds_production_stack:
            self.database_url = SecretStr(self.own_database_url)
        return self

    @field_validator("home", "overlay", "guidelines")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value is not None else None

    @field_validator("backup_repository")
    @classmethod
    def _without_password(cls, value: str) -> str:
        # an address stands in messages, in `ps` and in the settings' table
        if "@" in value.partition("://")[2].partition("/")[0]:
            raise ValueError("holds a user or password; keys belong in the file SIRENA_BACKUP_CREDENTIALS names")
        return value

    @cached_property
    def effective_tracking_uri(self) -> str:
        """The tracking URI in use: the one set, else this server's own MLflow, else a SQLite file."""
        if not self.tracking_uri and self.holds_production_stack:
            return self.own_mlflow_url
        return self.tracking_uri or f"sqlite:///{self.home / 'mlflow.db'}"

    @property
    def own_mlflow_url(self) -> str:
        """Address of the production stack's own MLflow, which requires a client certificate of this installation."""
        return f"https://127.0.0.1:{self.mlflow_port}"

    @property
    def own_database_url(self) -> str:
        """URL of the production stack's own database with the services' role, without a password."""
        passwords = quote(str(self.password_file))
        return f"postgresql://sirena@127.0.0.1:{self.postgres_port}/sirena?passfile={passwords}"

    @property
    def effective_database_url(self) -> str:
        """The database URL in use: the one set, else this server's own PostgreSQL, else a SQLite file."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.home / 'sirena.db'}"

    @property
    def openid_client_secret(self) -> str:
        """The client secret at the OpenID provider: from the file if one is named, else as set, possibly empty.

        Raises:
            SettingsError: the file cannot be read.
        """
        if self.oidc_client_secret_file is None:
            return self.oidc_client_secret.get_secret_value()
        try:
            return self.oidc_client_secret_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"SIRENA_OIDC_CLIENT_SECRET_FILE names {self.oidc_client_secret_file}, which cannot be read"
            ) from error

    @property
    def entry_url(self) -> str:
        """Address at which browsers reach the entry, without a path."""
        return f"https://{self.server_name}" + (f":{self.https_port}" if self.https_port != _HTTPS else "")

    @property
    def password_file(self) -> Path:
        """Libpq password file of the production stack below `SIRENA_HOME`."""
        return self.home / "secrets" / "pgpass"

    @property
    def holds_production_stack(self) -> bool:
        """True when `sirena up --profile production` has prepared PostgreSQL below this `SIRENA_HOME`."""
        return self.profile == "production" and self.password_file.exists()

    @property
    def service_home(self) -> Path:
        """The `SIRENA_HOME` of the production stack's access service, which may write nowhere else.

        The folder keeps its name from when all services shared it, because the ledger's head file lies there.
        """
        return self.home / "service"

    @property
    def answering_home(self) -> Path:
        """The `SIRENA_HOME` of the production stack's service, which may write nowhere else."""
        return self.home / "answering"

    @property
    def pages_home(self) -> Path:
        """The `SIRENA_HOME` of the production stack's pages, which may write nowhere else."""
        return self.home / "pages"

    @property
    def mlflow_home(self) -> Path:
        """The home folder of the production stack's MLflow, which may write nowhere else."""
        return self.home / "mlflow"

    @property
    def editions_folder(self) -> Path:
        """Folder of imported guideline editions; it may not exist yet."""
        return self.guidelines or self.home / "guidelines"

    @property
    def effective_user(self) -> str:
        """Name recorded as author and approver: the one set, else the operating system's user."""
        return self.user or getpass.getuser()

    @property
    def artifacts(self) -> Path:
        """Artifact folder of the embedded profile."""
        return self.home / "artifacts"


def variable_of(field: str) -> str:
    """Return the environment variable of a field of `Settings`."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"SIRENA_{field.upper()}"


def settings_file() -> Path:
    """Return the path of the settings file: `SIRENA_SETTINGS_FILE`, else `settings.env` in `SIRENA_HOME`."""
    path = os.environ.get(FILE_VARIABLE)
    home = Path(os.environ.get("SIRENA_HOME") or _default_home())
    return (Path(path) if path else home / "settings.env").expanduser().absolute()


def profile_file(settings: Settings) -> Path:
    """Return the file that notes which profile was started below `SIRENA_HOME`."""
    return settings.home / "profile"


def load_settings() -> Settings:
    """Read the settings from the environment and, when there is one, the settings file.

    Raises:
        SettingsError: a value is out of its range, or the file named by `SIRENA_SETTINGS_FILE` is missing.
    """
    file = settings_file()
    if FILE_VARIABLE in os.environ and not file.is_file():
        raise SettingsError(
            f"{FILE_VARIABLE} names {file}, which does not exist", hint="make it, or unset the variable"
        )
    read_from = file if file.is_file() else None
    try:
        settings = Settings(_env_file=read_from)  # type: ignore[call-arg] # pydantic-settings' own
        profile_path = profile_file(settings)
        if "profile" not in settings.model_fields_set and profile_path.is_file():
            # what a command means by "here" is the stack that was brought up here
            profile = profile_path.read_text(encoding="utf-8").strip()
            settings = Settings(_env_file=read_from, profile=profile)  # type: ignore[call-arg, arg-type]
    except ValidationError as error:
        wrong = "; ".join(f"{_variable_at(problem['loc'])}: {problem['msg']}" for problem in error.errors())
        raise SettingsError(
            f"wrong setting: {wrong}", hint="`sirena settings list` shows meaning and example"
        ) from None
    return settings


def _variable_at(location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "settings"
    return variable_of(name) if name in Settings.model_fields else name.upper()
