"""Files that lie in S3: ``s3://bucket/key`` where a command takes the path of a file.

Rules, each with a test of like name:

- a file is fetched whole before it is read, and an answer is sent once it is whole: nothing half-written is ever there;
- meanwhile it lies in a folder below ``TMPDIR`` that is the account's alone, and is gone when the command ends, also
  by Ctrl-C or SIGTERM; memory would not hold a long file, which is read twice;
- messages name the file in S3, and never the folder, a key of an account or a cell.

The endpoint is ``MLFLOW_S3_ENDPOINT_URL``, else AWS; the keys are those of ``AWS_ACCESS_KEY_ID`` and
``AWS_SECRET_ACCESS_KEY``, else what AWS's own tools would take (a profile, a role).
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any, Final

from sirena.cli.ending import ends_in_order
from sirena.domain.errors import SirenaError, UsageError
from sirena.whonet.errors import UnavailableFileError
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
        """Return the file in S3 that an argument names; None where it is a path of this machine.

        Raises:
            UsageError: it names no bucket, or nothing in it.

        >>> S3Object.at(Path("s3://hospital/2026/north.csv"))
        S3Object(bucket='hospital', key='2026/north.csv')
        """
        scheme, *place = path.parts or ("",)
        if scheme != _SCHEME:
            return None
        if len(place) < 2:
            raise UsageError("s3:// names a bucket and a key", hint="for example s3://hospital/2026/north.csv")
        return cls(place[0], "/".join(place[1:]))


def named(path: Path) -> str:
    """Return what messages call a file: as it was given, though `Path` drops a stroke of ``s3://``."""
    return str(S3Object.at(path) or path)


def each_file(paths: Sequence[Path]) -> list[Path]:
    """Return the files of a command that takes several; a star in a key stands for any letters.

    Args:
        paths: as given; a shell has already put the names of files of this machine for a star.

    Raises:
        SirenaError: nothing in the bucket is called so, or S3 refuses.
    """
    return [one for path in paths for one in _named_by(path)]


def _named_by(path: Path) -> list[Path]:
    thing = S3Object.at(path)
    if thing is None or _STAR not in thing.key:
        return [path]
    wanted = re.compile(re.escape(thing.key).replace(re.escape(_STAR), ".*"), re.DOTALL)
    with _refusals(thing):
        listed = _client().get_paginator("list_objects_v2")
        pages = listed.paginate(Bucket=thing.bucket, Prefix=thing.key.partition(_STAR)[0])
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    # browsers of S3 mark an empty folder by a key with a stroke at its end
    matching = [key for key in keys if wanted.fullmatch(key) and not key.endswith("/")]
    if not matching:
        raise UnavailableFileError(f"{thing}: no such object", hint="Check the bucket and the key.")
    return [Path(f"{_SCHEME}//{thing.bucket}/{key}") for key in matching]


def check_output(path: Path) -> None:
    """Refuse a destination that cannot be written, before long work is done for it.

    Raises:
        SirenaError: as `check_place`, or S3 does not take a file there.
    """
    thing = S3Object.at(path)
    if thing is None:
        check_place(path)
        return
    with _refusals(thing):
        client, place = _client(), {"Bucket": thing.bucket, "Key": thing.key}
        # begun and given up: asks for the very right that sending needs, and leaves what stands there
        client.abort_multipart_upload(**place, UploadId=client.create_multipart_upload(**place)["UploadId"])


def folder_of_rows(output: Path) -> Path:
    """Return the folder in which rows are laid down while a file is answered: where the answer will stand."""
    return Path(gettempdir()) if str(output) == "-" or S3Object.at(output) else output.parent


@contextmanager
def fetched(path: Path) -> Iterator[Path]:
    """Give a file to be read where this machine's programs can: the path itself, or what was fetched from S3.

    Raises:
        UnavailableFileError: S3 does not give it, or there is no room for it.
    """
    thing = S3Object.at(path)
    if thing is None:
        yield path
        return
    with _place_of(thing) as place:
        try:
            with _refusals(thing), place.open("wb") as stream:
                _client().download_fileobj(thing.bucket, thing.key, stream, Config=_in_turn())
        except OSError as error:
            raise UnavailableFileError(
                f"{thing}: cannot be kept in {gettempdir()} ({error.strerror})",
                hint="Set TMPDIR to a folder with room.",
            ) from error
        yield place


@contextmanager
def stored(path: Path) -> Iterator[Path]:
    """Give where an answer is to be written; when the block ends well, it is sent to S3 if that is its place.

    Raises:
        UnavailableFileError: S3 does not take it.
    """
    thing = S3Object.at(path)
    if thing is None:
        yield path
        return
    with _place_of(thing) as place:
        yield place
        with _refusals(thing), place.open("rb") as stream:
            _client().upload_fileobj(stream, thing.bucket, thing.key, Config=_in_turn())


@contextmanager
def _place_of(thing: S3Object) -> Iterator[Path]:
    """Give where a file lies meanwhile; errors within the block name the file in S3."""
    with ends_in_order(), TemporaryDirectory(prefix="sirena") as folder:
        place = Path(folder, Path(thing.key).name)
        try:
            yield place
        except SirenaError as error:
            error.text = error.text.replace(str(place), str(thing))
            raise


def _client() -> Any:
    import boto3
    from botocore.client import Config

    from sirena.settings.catalogue import load_settings

    settings = load_settings()
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint_url or None,
        region_name=settings.aws_region,
        aws_access_key_id=settings.aws_access_key_id.get_secret_value() or None,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value() or None,
        config=Config(
            connect_timeout=_PATIENCE_SECONDS,
            retries={"max_attempts": _ATTEMPTS, "mode": "standard"},
            s3={"addressing_style": "path"} if settings.s3_endpoint_url else None,
        ),
    )


def _in_turn() -> Any:
    """Return how a file travels: piece after piece, so that Ctrl-C waits for no thread."""
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(multipart_chunksize=_PIECE, use_threads=False)


@contextmanager
def _refusals(thing: S3Object) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise _refusal(thing, error) from error


def _refusal(thing: S3Object, error: "BotoCoreError | ClientError") -> UnavailableFileError:
    """Return what a person is told: what S3 says of the file, and what helps."""
    from botocore.exceptions import ClientError, NoCredentialsError, PartialCredentialsError, SSLError

    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return UnavailableFileError(
            f"{thing}: no keys of S3 are set", hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    if isinstance(error, SSLError):
        return UnavailableFileError(
            f"{thing}: nobody vouches for the certificate of the S3 endpoint",
            hint="Set AWS_CA_BUNDLE to a file with the authority that issued it.",
        )
    if not isinstance(error, ClientError):
        return UnavailableFileError(
            f"{thing}: the S3 endpoint does not answer: {type(error).__name__}",
            hint="Start it, or correct MLFLOW_S3_ENDPOINT_URL.",
        )
    code = _code_of(thing, error)
    if code == "NoSuchKey":
        return UnavailableFileError(f"{thing}: no such object", hint="Check the bucket and the key.")
    if code == "NoSuchBucket":
        return UnavailableFileError(f"{thing}: no such bucket", hint="Check the bucket and the key.")
    if code in _WRONG_KEYS:
        return UnavailableFileError(
            f"{thing}: the S3 endpoint does not accept the keys: {code}",
            hint="Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    return UnavailableFileError(
        f"{thing}: the S3 endpoint refuses it: {code}", hint="Ask its owner for the right to read or write there."
    )


def _code_of(thing: S3Object, error: "ClientError") -> str:
    from botocore.exceptions import ClientError

    if error.operation_name == "HeadObject":
        # its answer has no body, which would say what is missing or wrong; reading has
        try:
            _client().get_object(Bucket=thing.bucket, Key=thing.key)["Body"].close()
        except ClientError as told:
            error = told
    return str(error.response["Error"]["Code"])
