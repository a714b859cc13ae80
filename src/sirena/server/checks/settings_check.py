"""Checking the settings before anything is started."""

import ast
import difflib
import inspect
import os
import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from dotenv import dotenv_values

from sirena.domain.errors import UsageError
from sirena.host.accounts import OsAccount, PreparationError
from sirena.server.object_store.store_file import StoreFile, StoreSizeError
from sirena.settings.catalogue import FILE_VARIABLE, CertificateSource, Settings, settings_file, variable_of

_OTHERS_READ: Final = 0o077
_SECRETS: Final = ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "SIRENA_OIDC_CLIENT_SECRET")
_LOOPBACK_PORTS: Final = ("port", "mlflow_port", "pages_port")
_ALL_PORTS: Final = (
    *("http_port", "https_port", "port", "postgres_port", "s3_port"),
    "mlflow_port",
)
_LOCAL_NAMES: Final = ("localhost",)
_WRITTEN_PATHS: Final = ("home", "tls_certificate", "tls_key")
_PLAIN_PATH: Final = re.compile(r"[\w/.,@+=~:-]+")
"""Paths that NGINX, supervisord, Ceph and systemd all read unchanged."""


class SettingSource(StrEnum):
    """Where the value of a setting comes from."""

    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True)
class SettingInForce:
    """A setting with the value in force."""

    variable: str
    value: str
    """Value as text; for a secret only whether it is set."""
    source: SettingSource
    meaning: str
    example: str


def settings_in_force(settings: Settings) -> list[SettingInForce]:
    """Return all settings with value, source, meaning and example."""
    in_file = _file_values()
    meanings = meanings_of_settings()
    rows = []
    for name, field in Settings.model_fields.items():
        variable = variable_of(name)
        value = getattr(settings, name)
        secret = hasattr(value, "get_secret_value")
        shown_value = ("set" if value.get_secret_value() else "") if secret else ("" if value is None else str(value))
        if os.environ.get(variable):
            source = SettingSource.ENVIRONMENT
        else:
            source = SettingSource.FILE if in_file.get(variable) else SettingSource.DEFAULT
        examples = field.examples or [""]
        rows.append(SettingInForce(variable, shown_value, source, meanings[name], str(examples[0])))
    return rows


def meanings_of_settings() -> dict[str, str]:
    """Return the meaning of each setting, read from the docstring below its field.

    Pydantic could read the docstrings at each start of the program, which costs every command a fifth of a second.
    """
    (fields,) = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(fields, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(fields.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }


def problems(settings: Settings) -> list[str]:
    """Return what is wrong with the settings, one sentence for each mistake; empty if nothing is wrong.

    It finds unknown names (with the nearest known one), ports used twice, a settings file with keys that others can
    read, combinations that cannot work, and an impossible size of the object store. Values out of range are found when
    settings are loaded.
    """
    return [
        *_unknown_names(),
        *_ports_used_twice(settings),
        *_open_file(),
        *_combinations(settings),
        *_single_sign_on(settings),
    ]


def _file_values() -> dict[str, str | None]:
    file = settings_file()
    return dict(dotenv_values(file)) if file.is_file() else {}


def _unknown_names() -> list[str]:
    known_names = {variable_of(name) for name in Settings.model_fields} | {FILE_VARIABLE}
    origins = {name: "the environment" for name in os.environ if name.startswith("SIRENA_")}
    # a settings file may also hold variables for other programs, such as proxies
    origins |= {name: str(settings_file()) for name in _file_values() if name.startswith("SIRENA_")}
    findings = []
    for name, place in sorted(origins.items()):
        if name not in known_names:
            near = difflib.get_close_matches(name, known_names, n=1)
            findings.append(f"{name} in {place} is no setting" + (f"; {near[0]} is" if near else ""))
    return findings


def _ports_used_twice(settings: Settings) -> list[str]:
    names = _LOOPBACK_PORTS if settings.profile == "embedded" else _ALL_PORTS
    by_port: dict[int, list[str]] = {}
    for name in names:
        by_port.setdefault(getattr(settings, name), []).append(variable_of(name))
    if settings.profile == "production":
        by_port.setdefault(settings.access_port + 1, []).append("the entry's own health (SIRENA_ACCESS_PORT + 1)")
        for port in range(settings.ceph_port, settings.ceph_port + 10):
            by_port.setdefault(port, []).append("SIRENA_CEPH_PORT and the nine after it")
    shared_names = {"SIRENA_HTTPS_PORT", "SIRENA_PORT"}
    return [
        f"port {port} is used twice: {', '.join(users)}"
        for port, users in sorted(by_port.items())
        if len(users) > 1 and set(users) != shared_names
    ]


def _open_file() -> list[str]:
    file = settings_file()
    if file.is_file() and file.stat().st_mode & _OTHERS_READ and any(_file_values().get(name) for name in _SECRETS):
        return [f"{file} holds keys and others can read it: chmod 600 {file}"]
    return []


def _combinations(settings: Settings) -> list[str]:
    if settings.profile == "embedded":
        return []
    findings = _odd_paths(settings)
    if settings.tls is CertificateSource.FILES and not (settings.tls_certificate and settings.tls_key):
        findings.append("SIRENA_TLS=files needs SIRENA_TLS_CERTIFICATE and SIRENA_TLS_KEY")
    if settings.tls is CertificateSource.LETS_ENCRYPT and settings.server_name in _LOCAL_NAMES:
        findings.append("SIRENA_TLS=letsencrypt needs SIRENA_SERVER_NAME, the public name of this server")
    keys = [
        bool(settings.aws_access_key_id.get_secret_value()),
        bool(settings.aws_secret_access_key.get_secret_value()),
    ]
    if any(keys) != all(keys):
        findings.append("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together; one is missing")
    if os.getuid() == 0:
        findings += _missing_accounts(settings)
    try:
        StoreFile(settings).require_size()
    except StoreSizeError as error:
        findings.append(f"{error.text}; {error.hint}")
    return findings


def _missing_accounts(settings: Settings) -> list[str]:
    names = {name: getattr(settings, name) for name in ("account", "service_account")}
    findings = []
    for name, account in names.items():
        try:
            OsAccount.named(account or "root")
        except PreparationError as error:
            findings.append(f"{variable_of(name)}: {error.text}; {error.hint}")
    return findings


def require_plain_paths(settings: Settings) -> None:
    """Check that the configuration files of the parts can hold the paths in the settings, or raise `UsageError`.

    Raises:
        UsageError: a path holds a character that a configuration file cannot hold; the error names the path's setting.
    """
    if settings.profile == "production" and (findings := _odd_paths(settings)):
        raise UsageError("; ".join(findings), hint="move the folder, or name a link to it without such signs")


def _odd_paths(settings: Settings) -> list[str]:
    paths = {name: getattr(settings, name) for name in _WRITTEN_PATHS}
    return [
        f"{variable_of(name)} names a path with a blank or a sign that the configuration of the services cannot hold; "
        "letters, digits and / . _ - are safe"
        for name, path in paths.items()
        if path is not None and not _PLAIN_PATH.fullmatch(str(path))
    ]


def _single_sign_on(settings: Settings) -> list[str]:
    names = [name for name in Settings.model_fields if name.startswith("oidc_") and name in settings.model_fields_set]
    if not settings.oidc_issuer:
        set_names = [variable_of(name) for name in names if name != "oidc_issuer"]
        return [f"{', '.join(set_names)} without SIRENA_OIDC_ISSUER does nothing"] if set_names else []
    findings = [
        f"SIRENA_OIDC_ISSUER needs {variable_of(name)}"
        for name in ("oidc_client_id", "oidc_roles")
        if not getattr(settings, name)
    ]
    if "openid" not in settings.oidc_scopes.split():
        findings.append("SIRENA_OIDC_SCOPES needs openid among its scopes")
    secret_file = settings.oidc_client_secret_file
    if secret_file is None:
        return findings
    if settings.oidc_client_secret.get_secret_value():
        findings.append("SIRENA_OIDC_CLIENT_SECRET and SIRENA_OIDC_CLIENT_SECRET_FILE exclude each other")
    if not os.access(secret_file, os.R_OK):
        findings.append(f"SIRENA_OIDC_CLIENT_SECRET_FILE names {secret_file}, which cannot be read")
    elif secret_file.stat().st_mode & _OTHERS_READ:
        findings.append(f"{secret_file} holds a secret and others can read it: chmod 600 {secret_file}")
    return findings
