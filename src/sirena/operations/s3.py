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


def credentials_file(settings: Settings) -> Path:
    """Return the file, in AWS's own form, from which MLflow and we read the keys (`AWS_SHARED_CREDENTIALS_FILE`)."""
    return settings.home / "secrets" / "s3_credentials"


def write_credentials(settings: Settings, reader: Account, access_key: str, secret_key: str) -> None:
    """Keep the keys in a file that only the programs that speak S3 can read."""
    text = f"[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n"
    write_private(credentials_file(settings), text, reader)


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
        raise PreparationError(
            "MLFLOW_S3_ENDPOINT_URL is set without keys", hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )


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
                    hint="check MLFLOW_S3_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, SIRENA_S3_BUCKET",
                ) from error
            time.sleep(_POLL_SECONDS)
        else:
            return


def _make_bucket(client: Any, settings: Settings) -> None:
    try:
        client.head_bucket(Bucket=settings.s3_bucket)
    except ClientError as error:
        if _code(error) not in ("404", "NoSuchBucket"):
            raise
        client.create_bucket(Bucket=settings.s3_bucket)


def s3_client(settings: Settings, endpoint: str) -> Any:
    """Return a client of boto3 for the endpoint, with the keys kept in `credentials_file`."""
    import configparser

    keys = configparser.ConfigParser(interpolation=None)
    keys.read(credentials_file(settings), encoding="utf-8")
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=settings.aws_region,
        aws_access_key_id=keys["default"]["aws_access_key_id"],
        aws_secret_access_key=keys["default"]["aws_secret_access_key"],
        config=Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 2}, s3={"addressing_style": "path"}),
    )


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


def _may_pass(error: Exception) -> bool:
    """A gateway that is still starting answers later; a refusal stays one."""
    if isinstance(error, ClientError):
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"]) >= 500
    return isinstance(error, EndpointConnectionError)
