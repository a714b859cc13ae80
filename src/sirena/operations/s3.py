"""Speaking S3: which endpoint, with which keys, and the bucket of the artifacts."""

import time
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from sirena.operations.accounts import Account, PreparationError
from sirena.operations.secret_files import write_private
from sirena.operations.settings import Settings

_PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.5
_ABSENT: Final = ("404", "NoSuchBucket")
_REMEDY: Final = "check MLFLOW_S3_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, SIRENA_S3_BUCKET"
LOOK_SECONDS: Final = 5.0
"""How long a look that only wants to know whether the endpoint answers may take."""


def credentials_file(settings: Settings) -> Path:
    """Return the file, in AWS's own form, from which MLflow and we read the keys (`AWS_SHARED_CREDENTIALS_FILE`)."""
    return settings.home / "secrets" / "s3_credentials"


def write_credentials(settings: Settings, reader: Account, access_key: str, secret_key: str) -> None:
    """Keep the keys in a file that only the programs that speak S3 can read."""
    text = f"[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n"
    file = credentials_file(settings)
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        write_private(file, text, reader)


def credentials_mark(settings: Settings) -> str:
    """Return what differs once the keys were changed, and tells nothing of them."""
    file = credentials_file(settings)
    return str(file.stat().st_mtime_ns) if file.exists() else ""


def keep_given_credentials(settings: Settings, reader: Account) -> None:
    """Take the keys of a given endpoint from the settings into the credentials file.

    Raises:
        PreparationError: an endpoint is given without keys.
    """
    access = settings.aws_access_key_id.get_secret_value()
    secret = settings.aws_secret_access_key.get_secret_value()
    if access and secret:
        write_credentials(settings, reader, access, secret)
    elif not credentials_file(settings).exists():
        raise _without_keys()


def ensure_bucket(settings: Settings, endpoint: str) -> None:
    """Make the bucket of the artifacts when it is missing, and prove that it can be written.

    Raises:
        PreparationError: the endpoint does not answer, or refuses; its own error code is named.
    """
    client = s3_client(settings, endpoint)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            _make_bucket(client, settings)
            client.put_object(Bucket=settings.s3_bucket, Key=".sirena", Body=b"")
        except (ClientError, BotoCoreError) as error:
            if not _may_pass(error) or time.monotonic() > deadline:
                raise PreparationError(
                    f"the S3 endpoint refused bucket {settings.s3_bucket!r}: {_code(error)}",
                    hint=f"{_REMEDY}; `sirena status` tells whether Sirena's own store is full",
                ) from error
            time.sleep(_POLL_SECONDS)
        else:
            return


def _make_bucket(client: Any, settings: Settings) -> None:
    try:
        client.head_bucket(Bucket=settings.s3_bucket)
    except ClientError as error:
        if _code(error) not in _ABSENT:
            raise
        client.create_bucket(Bucket=settings.s3_bucket)


def s3_client(settings: Settings, endpoint: str) -> Any:
    """Return a client of boto3 for the endpoint, with the keys kept in `credentials_file`."""
    return _client(settings, endpoint, _kept_keys(settings), connect_timeout=5, read_timeout=30, attempts=2)


def look_at_bucket(settings: Settings, endpoint: str) -> bool:
    """Tell whether the bucket of the artifacts is there, asked with the keys of the settings, or else those kept.

    It writes nothing and gives up within `LOOK_SECONDS`.

    Raises:
        PreparationError: the endpoint does not answer, or refuses the keys; its own error code is named.
    """
    given = (settings.aws_access_key_id.get_secret_value(), settings.aws_secret_access_key.get_secret_value())
    if not all(given) and not credentials_file(settings).exists():
        raise _without_keys()
    keys = given if all(given) else _kept_keys(settings)
    half = LOOK_SECONDS / 2
    try:
        client = _client(settings, endpoint, keys, connect_timeout=half, read_timeout=half, attempts=0)
        client.head_bucket(Bucket=settings.s3_bucket)
    except ClientError as error:
        if _code(error) in _ABSENT:
            return False
        raise PreparationError(
            f"the S3 endpoint refused the keys, or these keys the bucket {settings.s3_bucket!r}: {_code(error)}",
            hint=_REMEDY,
        ) from error
    except (BotoCoreError, ValueError) as error:
        # ValueError: what is no URL
        raise PreparationError(f"the S3 endpoint does not answer: {_code(error)}", hint=_REMEDY) from error
    return True


def _kept_keys(settings: Settings) -> tuple[str, str]:
    import configparser

    keys = configparser.ConfigParser(interpolation=None)
    keys.read(credentials_file(settings), encoding="utf-8")
    return keys["default"]["aws_access_key_id"], keys["default"]["aws_secret_access_key"]


def _client(
    settings: Settings,
    endpoint: str,
    keys: tuple[str, str],
    *,
    connect_timeout: float,
    read_timeout: float,
    attempts: int,
) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=settings.aws_region,
        aws_access_key_id=keys[0],
        aws_secret_access_key=keys[1],
        config=Config(
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries={"max_attempts": attempts},
            s3={"addressing_style": "path"},
        ),
    )


def _without_keys() -> PreparationError:
    return PreparationError(
        "MLFLOW_S3_ENDPOINT_URL is set without keys", hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


def _may_pass(error: Exception) -> bool:
    """A gateway that is still starting answers later; a refusal stays one."""
    if isinstance(error, ClientError):
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"]) >= 500
    return isinstance(error, EndpointConnectionError)
