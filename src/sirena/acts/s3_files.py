"""Files in S3: ``s3://bucket/key`` in place of the path of a file that a command takes.

Rules, each with a test of like name:

- a file is downloaded completely before it is read, and an answer is uploaded when it is complete, so S3 never holds
  half an answer;
- meanwhile the file is in a folder below ``TMPDIR`` that only this account can enter, and which is removed when the
  command ends, also by Ctrl-C or SIGTERM; it is not held in memory, since a long file is read twice;
- messages name the file in S3, and never the folder, a key of an account or a cell.

The endpoint is ``MLFLOW_S3_ENDPOINT_URL``, else AWS; the keys are those of ``AWS_ACCESS_KEY_ID`` and
``AWS_SECRET_ACCESS_KEY``, else those that AWS's own tools would use (a profile, a role).
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any, Final

from sirena.domain.errors import SirenaError, UsageError
from sirena.host.termination import ends_in_order
from sirena.whonet.errors import UnavailableFileError, as_given, folded_key
from sirena.whonet.writing import check_place

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

_SCHEME: Final = "s3:"
_STAR: Final = "*"
_WRONG_KEYS: Final = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId")
_PATIENCE_SECONDS: Final = 10
"""How long a connection may take."""
_ATTEMPTS: Final = 3
_PIECE: Final = 64 * 1024**2
_LETTERS: Final = 50
"""Length of the end of a key that names a file on this machine: with the marks of a file that is being written, fewer
than the 255 bytes that a name may have."""


@dataclass(frozen=True)
class S3Object:
    """A file in S3.

    >>> print(S3Object("hospital", "2026/north.csv"))
    s3://hospital/2026/north.csv
    """

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @classmethod
    def at(cls, path: Path) -> "S3Object | None":
        """Return the file in S3 that an argument names; None if the argument is a path on this machine.

        Raises:
            UsageError: the argument names no bucket, or no key.

        >>> S3Object.at(Path("s3://hospital/2026/north.csv"))
        S3Object(bucket='hospital', key='2026/north.csv')
        """
        scheme, *place = path.parts or ("",)
        if scheme != _SCHEME:
            return None
        if len(place) < 2 or place[-1] == "..":
            raise UsageError("s3:// names a bucket and a key", hint="for example s3://hospital/2026/north.csv")
        return cls(place[0], "/".join(place[1:]))


def each_file(paths: Sequence[Path]) -> list[Path]:
    """Return the files of a command that takes several; a star in a key stands for any characters.

    Args:
        paths: arguments as given; the shell has already expanded stars in paths on this machine.

    Raises:
        SirenaError: no key in the bucket matches, or S3 refuses.
    """
    return [file for path in paths for file in _named_by(path)]


def _named_by(path: Path) -> list[Path]:
    s3_object = S3Object.at(path)
    if s3_object is None or _STAR not in s3_object.key:
        return [path]
    key_pattern = re.compile(re.escape(s3_object.key).replace(re.escape(_STAR), ".*"), re.DOTALL)
    with _refusals(s3_object):
        paginator = _client().get_paginator("list_objects_v2")
        pages = paginator.paginate(Bucket=s3_object.bucket, Prefix=s3_object.key.partition(_STAR)[0])
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    # browsers of S3 mark an empty folder by a key with a stroke at its end
    matching = [key for key in keys if key_pattern.fullmatch(key) and not key.endswith("/")]
    if not matching:
        raise UnavailableFileError(f"{s3_object}: no such object", hint="Check the bucket and the key.")
    files = [Path(f"{_SCHEME}//{s3_object.bucket}/{key}") for key in matching]
    for key, file in zip(matching, files, strict=True):
        s3_file = S3Object(s3_object.bucket, key)
        if S3Object.at(file) != s3_file:
            raise folded_key(str(s3_file))
    return files


def refuse_same_file(source: Path, output: Path) -> None:
    """Check that the file that is read would not be replaced, or raise an error.

    Raises:
        UsageError: both paths lead to one file.
    """
    both_here = "-" not in (str(source), str(output)) and source.exists() and output.exists()
    if (both_here and source.samefile(output)) or (source == output and S3Object.at(source)):
        raise UsageError(
            f"{as_given(output)}: is the file that is read", hint="name another file; the input is never replaced"
        )


def check_output(path: Path) -> None:
    """Check that a destination can be written, before long work begins.

    Raises:
        SirenaError: as for `check_place`, or S3 refuses to store a file there.
    """
    s3_object = S3Object.at(path)
    if s3_object is None:
        check_place(path)
        return
    with _refusals(s3_object):
        client, place = _client(), {"Bucket": s3_object.bucket, "Key": s3_object.key}
        # begun and given up: asks for the very right that sending needs, and leaves what stands there
        client.abort_multipart_upload(**place, UploadId=client.create_multipart_upload(**place)["UploadId"])


def folder_of_rows(output: Path) -> Path:
    """Return the folder for temporary rows while a file is answered: the answer's folder, or ``TMPDIR`` for S3."""
    return Path(gettempdir()) if str(output) == "-" or S3Object.at(output) else output.parent


@contextmanager
def local_copy(path: Path) -> Iterator[Path]:
    """Give a path on this machine for a file to be read: the path itself, or that of a copy downloaded from S3.

    Raises:
        UnavailableFileError: S3 refuses the download, or there is no room for the copy.
    """
    s3_object = S3Object.at(path)
    if s3_object is None:
        yield path
        return
    with _place_of(s3_object) as place:
        try:
            with _refusals(s3_object), place.open("wb") as stream:
                _client().download_fileobj(s3_object.bucket, s3_object.key, stream, Config=_in_turn())
        except OSError as error:
            raise UnavailableFileError(
                f"{s3_object}: cannot be kept in {gettempdir()} ({error.strerror})",
                hint="Set TMPDIR to a folder with room.",
            ) from error
        yield place


@contextmanager
def destination(path: Path) -> Iterator[Path]:
    """Give a path to write an answer to; if the block ends well, an answer for S3 is uploaded.

    Raises:
        UnavailableFileError: S3 refuses the upload.
    """
    s3_object = S3Object.at(path)
    if s3_object is None:
        yield path
        return
    with _place_of(s3_object) as place:
        yield place
        with _refusals(s3_object), place.open("rb") as stream:
            _client().upload_fileobj(stream, s3_object.bucket, s3_object.key, Config=_in_turn())


@contextmanager
def _place_of(s3_object: S3Object) -> Iterator[Path]:
    """Give a temporary path for a file of S3; errors within the block name the file in S3 instead."""
    with ends_in_order(), TemporaryDirectory(prefix="sirena", dir=_temporary_folder()) as folder:
        place = Path(folder, Path(s3_object.key).name[-_LETTERS:])
        try:
            yield place
        except SirenaError as error:
            error.text = error.text.replace(str(place), str(s3_object))
            raise


def _temporary_folder() -> str:
    # Python would take /tmp instead, which may lie on a disk that keeps what patients' files hold
    chosen_folder, folder = os.environ.get("TMPDIR"), gettempdir()
    if chosen_folder and os.path.abspath(chosen_folder) != folder:  # noqa: PTH100 - as tempfile compares
        raise UnavailableFileError(
            f"TMPDIR: no file can be written to {chosen_folder}", hint="Choose a folder with room."
        )
    return folder


def _client() -> Any:
    import boto3
    from botocore.client import Config

    from sirena.settings.catalogue import load_settings

    settings = load_settings()
    config = Config(
        connect_timeout=_PATIENCE_SECONDS,
        retries={"max_attempts": _ATTEMPTS, "mode": "standard"},
        s3={"addressing_style": "path"} if settings.s3_endpoint_url else None,
    )
    try:
        return boto3.client(
            "s3",
            endpoint_url=settings.s3_endpoint_url or None,
            region_name=settings.aws_region,
            aws_access_key_id=settings.aws_access_key_id.get_secret_value() or None,
            aws_secret_access_key=settings.aws_secret_access_key.get_secret_value() or None,
            config=config,
        )
    except ValueError as error:
        raise UsageError(
            "MLFLOW_S3_ENDPOINT_URL is no address", hint="for example https://minio.hospital.example:9000"
        ) from error


def _in_turn() -> Any:
    """Return a configuration of transfers without threads, for which Ctrl-C would have to wait."""
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(multipart_chunksize=_PIECE, use_threads=False)


@contextmanager
def _refusals(s3_object: S3Object) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError
    from s3transfer.exceptions import RetriesExceededError, S3DownloadFailedError, S3ValidationError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise _refusal(s3_object, error) from error
    except RetriesExceededError as error:
        raise _no_answer(s3_object, error.last_exception) from error
    except (S3DownloadFailedError, S3ValidationError) as error:
        raise UnavailableFileError(
            f"{s3_object}: changed while it was downloaded", hint="Repeat the command."
        ) from error


def _refusal(s3_object: S3Object, error: "BotoCoreError | ClientError") -> UnavailableFileError:
    """Return the error for a person: why S3 refused the file, and what helps."""
    from botocore.exceptions import (
        ClientError,
        HTTPClientError,
        NoCredentialsError,
        PartialCredentialsError,
        SSLError,
    )
    from botocore.exceptions import ConnectionError as NoConnectionError

    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return UnavailableFileError(
            f"{s3_object}: no keys of S3 are set", hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    if isinstance(error, SSLError):
        return UnavailableFileError(
            f"{s3_object}: nobody vouches for the certificate of the S3 endpoint",
            hint="Set AWS_CA_BUNDLE to a file with the authority that issued it.",
        )
    if isinstance(error, NoConnectionError | HTTPClientError):
        return _no_answer(s3_object, error)
    if not isinstance(error, ClientError):
        return UnavailableFileError(
            f"{s3_object}: S3 cannot be asked for it: {type(error).__name__}",
            hint="Check the name of the bucket, and the settings of AWS: AWS_PROFILE, AWS_DEFAULT_REGION.",
        )
    code = _code_of(s3_object, error)
    if code == "NoSuchKey":
        return UnavailableFileError(f"{s3_object}: no such object", hint="Check the bucket and the key.")
    if code == "NoSuchBucket":
        return UnavailableFileError(f"{s3_object}: no such bucket", hint="Check the bucket and the key.")
    if code in _WRONG_KEYS:
        return UnavailableFileError(
            f"{s3_object}: the S3 endpoint does not accept the keys: {code}",
            hint="Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    return UnavailableFileError(
        f"{s3_object}: the S3 endpoint refuses it: {code}", hint="Ask its owner for the right to read or write there."
    )


def _no_answer(s3_object: S3Object, error: Exception) -> UnavailableFileError:
    return UnavailableFileError(
        f"{s3_object}: the S3 endpoint does not answer: {type(error).__name__}",
        hint="Start it, or correct MLFLOW_S3_ENDPOINT_URL.",
    )


def _code_of(s3_object: S3Object, error: "ClientError") -> str:
    from botocore.exceptions import ClientError

    if error.operation_name == "HeadObject":
        # its answer has no body, which would say what is missing or wrong; reading has
        try:
            _client().get_object(Bucket=s3_object.bucket, Key=s3_object.key)["Body"].close()
        except ClientError as refusal:
            error = refusal
    return str(error.response["Error"]["Code"])
