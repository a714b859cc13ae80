"""Every setting, in one place: environment variable, default, meaning."""

import getpass
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from sirena.domain.errors import UsageError


def _default_home() -> Path:
    return Path.home() / ".local" / "share" / "sirena"


class Settings(BaseSettings):
    """Settings read from the environment; command-line options override them."""

    model_config = SettingsConfigDict(env_prefix="SIRENA_", extra="ignore", populate_by_name=True)

    home: Path = Field(default_factory=_default_home)
    """`SIRENA_HOME`: folder below which everything Sirena writes lies, so two can run side by side."""

    port: int = Field(default=5000, ge=0, le=65535)
    """`SIRENA_PORT`: port of `sirena serve`; 0 takes a free one."""

    tracking_uri: str = Field(default="", validation_alias="MLFLOW_TRACKING_URI")
    """`MLFLOW_TRACKING_URI`: MLflow tracking server or store; empty means a SQLite file below `SIRENA_HOME`."""

    experiment_name: str = Field(default="resistencia_antibioticos", validation_alias="MLFLOW_EXPERIMENT_NAME")
    """`MLFLOW_EXPERIMENT_NAME`: MLflow experiment that receives the training runs."""

    user: str = ""
    """`SIRENA_USER`: name written as author and approver; empty means the operating system's user."""

    profile: Literal["embedded", "production"] = "embedded"
    """`SIRENA_PROFILE`: `embedded` is one person's machine, where author and approver may be one; else `production`."""

    gate: Path | None = None
    """`SIRENA_GATE`: promotion criteria, a TOML file; empty means those that come with Sirena."""

    max_body: int = Field(default=32 * 2**20, ge=1024)
    """`SIRENA_MAX_BODY`: largest request body the service reads, in bytes; a larger one is answered 413."""

    poll_seconds: float = Field(default=5.0, gt=0)
    """`SIRENA_POLL_SECONDS`: how often the service asks whether another release is active, in seconds."""

    trace: bool = False
    """`SIRENA_TRACE`: `1` shows developers the trace of an unforeseen error; a trace may hold patient data."""

    database_url: SecretStr = SecretStr("")
    """`SIRENA_DATABASE_URL`: PostgreSQL database of accounts and audit ledger; empty means SQLite below `SIRENA_HOME`."""

    database_owner_url: SecretStr = SecretStr("")
    """`SIRENA_DATABASE_OWNER_URL`: the same database entered as the role that owns the ledger's table, for
    `sirena audit prepare` alone; empty means `SIRENA_DATABASE_URL`."""

    policy: Path | None = None
    """`SIRENA_POLICY`: who may do what, a TOML file; empty means the policy that comes with Sirena."""

    session_hours: float = Field(default=12.0, gt=0, le=168)
    """`SIRENA_SESSION_HOURS`: how long a browser stays signed in, in hours."""

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @cached_property
    def effective_tracking_uri(self) -> str:
        """The tracking URI in force."""
        return self.tracking_uri or f"sqlite:///{self.home / 'mlflow.db'}"

    @property
    def effective_database_url(self) -> str:
        """The database URL in force."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.home / 'sirena.db'}"

    @property
    def effective_user(self) -> str:
        """Name written as author and approver."""
        return self.user or getpass.getuser()

    @property
    def artifacts(self) -> Path:
        """Artifact folder of the embedded profile."""
        return self.home / "artifacts"


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        UsageError: a value is no such setting's, or out of its range.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        variable = name if name.isupper() else f"SIRENA_{name.upper()}"
        raise UsageError(f"{variable}: {first['msg']}", hint="mend or unset the environment variable") from None
