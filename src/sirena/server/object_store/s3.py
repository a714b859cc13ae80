"""The S3 endpoint in use: its keys, its client, and the bucket of the artifacts."""

import configparser
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError, SSLError

from sirena.host.accounts import OsAccount, PreparationError
from sirena.host.secret_files import write_private
from sirena.settings.catalogue import Settings

_PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.5
_MISSING: Final = "NoSuchBucket"
_NEEDS_REGION: Final = "IllegalLocationConstraintException"
_WRONG_KEYS: Final = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId")
LOOK_SECONDS: Final = 5.0
"""Longest time for a check whether the endpoint answers."""


def credentials_file(settings: Settings) -> Path:
    """Return the file in AWS's form from which MLflow and Sirena read the keys (`AWS_SHARED_CREDENTIALS_FILE`)."""
    return settings.home / "secrets" / "s3_credentials"


def write_credentials(settings: Settings, reader: OsAccount, access_key: str, secret_key: str) -> None:
    """Write the keys into a file that only the account of the programs that use S3 can read."""
    text = f"[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n"
    file = credentials_file(settings)
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        write_private(file, text, reader)
    let_read_credentials(settings, reader)


def let_read_credentials(settings: Settings, reader: OsAccount) -> None:
    """Make the account that reads the keys now the owner of the file with the keys."""
    file = credentials_file(settings)
    if file.exists() and os.getuid() == 0:
        os.chown(file, reader.uid, reader.gid)


def credentials_mark(settings: Settings) -> str:
    """Return a text that changes whenever the keys change, and reveals nothing about the keys."""
    file = credentials_file(settings)
    return str(file.stat().st_mtime_ns) if file.exists() else ""


@dataclass(frozen=True)
class Keys:
    """Access key and secret key of an S3 endpoint."""

    access: str
    secret: str = field(repr=False)


def kept_keys(settings: Settings) -> Keys:
    """Return the keys in the credentials file.

    Raises:
        PreparationError: the file is missing, or holds no keys.
    """
    file, sections = credentials_file(settings), configparser.ConfigParser(interpolation=None)
    try:
        sections.read(file, encoding="utf-8")
        return Keys(sections["default"]["aws_access_key_id"], sections["default"]["aws_secret_access_key"])
    except (KeyError, UnicodeDecodeError, configparser.Error) as error:
        raise PreparationError(
            f"{file} is missing, or holds no keys of the S3 endpoint",
            hint="for a given endpoint set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, then `sirena up`; for Sirena's "
            "own bring the file back (`radosgw-admin user info --uid=sirena` tells the keys), or restore a backup",
        ) from error


def given_keys(settings: Settings) -> Keys:
    """Return the keys of an external endpoint: those in the settings, else those kept since an earlier start.

    Raises:
        PreparationError: there are no keys.
    """
    access = settings.aws_access_key_id.get_secret_value()
    secret = settings.aws_secret_access_key.get_secret_value()
    if access and secret:
        return Keys(access, secret)
    if not credentials_file(settings).exists():
        raise PreparationError(
            "MLFLOW_S3_ENDPOINT_URL is set without keys", hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return kept_keys(settings)


def take_given_endpoint(settings: Settings, reader: OsAccount) -> None:
    """Check that an external endpoint and its bucket can be used, and then write its keys to the credentials file.

    This is done before any part starts; else the first person to train would find that a key is wrong.

    Raises:
        PreparationError: there are no keys, or a reason as for `ensure_bucket`.
    """
    keys = given_keys(settings)
    ensure_bucket(settings, settings.s3_endpoint_url, keys)
    write_credentials(settings, reader, keys.access, keys.secret)


def ensure_bucket(settings: Settings, endpoint: str, keys: Keys | None = None) -> None:
    """Make the bucket of the artifacts if it is missing, and check that it can be read and written.

    Args:
        settings: settings that name the bucket.
        endpoint: URL of the S3 endpoint.
        keys: keys of the endpoint; None means those in the credentials file.

    Raises:
        PreparationError: the endpoint does not answer, or refuses; the error names the endpoint's code and a remedy.
    """
    client = s3_client(settings, endpoint, keys)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            if not _is_there(client, settings.s3_bucket):
                make_bucket(client, settings.s3_bucket)
            client.put_object(Bucket=settings.s3_bucket, Key=".sirena", Body=b"")
        except (ClientError, BotoCoreError) as error:
            if not _may_pass(error) or time.monotonic() > deadline:
                raise _error_of_endpoint(error, settings, endpoint) from error
            time.sleep(_POLL_SECONDS)
        else:
            return


def make_bucket(client: Any, bucket: str) -> None:
    """Make a bucket; in its region, if the endpoint requires that, as AWS does in most regions."""
    try:
        client.create_bucket(Bucket=bucket)
    except ClientError as error:
        if _code(error) != _NEEDS_REGION:
            raise
        region = {"LocationConstraint": client.meta.region_name}
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration=region)


def look_at_bucket(settings: Settings, endpoint: str) -> bool:
    """Tell whether the bucket of the artifacts exists, using the keys in the settings, or else the kept keys.

    Nothing is written; it gives up within `LOOK_SECONDS`.

    Raises:
        PreparationError: the endpoint does not answer, or refuses the keys; the error names the endpoint's code.
    """
    keys, half = given_keys(settings), LOOK_SECONDS / 2
    try:
        client = _client(settings, endpoint, keys, connect_timeout=half, read_timeout=half, attempts=0)
        return _is_there(client, settings.s3_bucket)
    except (ClientError, BotoCoreError) as error:
        raise _error_of_endpoint(error, settings, endpoint) from error


def s3_client(settings: Settings, endpoint: str, keys: Keys | None = None) -> Any:
    """Return a boto3 client for an endpoint, with the given keys; None means those in the credentials file."""
    return _client(settings, endpoint, keys or kept_keys(settings), connect_timeout=5, read_timeout=30, attempts=2)


def _is_there(client: Any, bucket: str) -> bool:
    try:
        # asked by GET: the answer to HEAD has no body, and so does not say why it refuses
        client.list_objects_v2(Bucket=bucket, MaxKeys=1)
    except ClientError as error:
        if _code(error) != _MISSING:
            raise
        return False
    return True


def _error_of_endpoint(error: Exception, settings: Settings, endpoint: str) -> PreparationError:
    """Return the error that tells a person what the endpoint refused, and what to do."""
    code, bucket = _code(error), settings.s3_bucket
    place = f"the S3 endpoint {endpoint}"
    if not settings.s3_endpoint_url:
        return PreparationError(
            f"{place}, Sirena's own, refused bucket {bucket!r}: {code}",
            hint="`sirena status` tells whether it is full, `sirena logs s3` why it does not answer; then repeat",
        )
    if code in _WRONG_KEYS:
        return PreparationError(
            f"{place} does not accept the keys: {code}",
            hint="correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; then repeat",
        )
    if isinstance(error, ClientError) and error.operation_name == "CreateBucket":
        return PreparationError(
            f"{place} has no bucket {bucket!r}, and these keys may not make it: {code}",
            hint="make the bucket there and let the keys read and write it, or correct SIRENA_S3_BUCKET; then repeat",
        )
    if isinstance(error, ClientError):
        return PreparationError(
            f"{place} refused bucket {bucket!r}: {code}",
            hint="let the keys list, read, write and delete in it, or correct SIRENA_S3_BUCKET; then repeat",
        )
    if isinstance(error, SSLError):
        return PreparationError(
            f"nobody vouches for the certificate of {place}",
            hint="set AWS_CA_BUNDLE to a file with the authority that issued it; then repeat",
        )
    return PreparationError(
        f"{place} does not answer: {code}",
        hint="start it, or correct MLFLOW_S3_ENDPOINT_URL; then repeat",
    )


def _client(
    settings: Settings, endpoint: str, keys: Keys, *, connect_timeout: float, read_timeout: float, attempts: int
) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=settings.aws_region,
        aws_access_key_id=keys.access,
        aws_secret_access_key=keys.secret,
        config=Config(
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries={"max_attempts": attempts},
            s3={"addressing_style": "path"},
        ),
    )


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


def _may_pass(error: Exception) -> bool:
    """Tell whether an error may pass by waiting, as while a gateway is starting; a refusal does not."""
    if isinstance(error, ClientError):
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"]) >= 500
    return isinstance(error, EndpointConnectionError | ConnectTimeoutError)
