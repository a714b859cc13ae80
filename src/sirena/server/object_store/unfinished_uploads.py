"""Uploads in parts whose sender died: no listing of objects shows them, and their parts take room for ever."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

DEAD_AFTER: Final = timedelta(days=1)
"""No upload of a living sender is as old; a server that is ended ends its uploads too."""
_ENDED: Final = "NoSuchUpload"


@dataclass(frozen=True)
class UnfinishedUpload:
    """An upload in parts, begun and neither completed nor aborted."""

    bucket: str
    key: str
    id: str
    begun: datetime
    """By the endpoint's clock."""


def unfinished_uploads(client: Any, bucket: str) -> Iterator[UnfinishedUpload]:
    """List the unfinished uploads of a bucket.

    Args:
        client: of boto3.
        bucket: its name.

    Raises:
        ClientError, BotoCoreError: the endpoint refuses, or does not answer.
    """
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for item in page.get("Uploads", []):
            yield UnfinishedUpload(bucket, item["Key"], item["UploadId"], item["Initiated"])


def abort(client: Any, upload: UnfinishedUpload) -> None:
    """Give up an upload and with it the room of its parts; nothing happens when it has ended meanwhile.

    Raises:
        ClientError, BotoCoreError: the endpoint refuses, or does not answer.
    """
    try:
        client.abort_multipart_upload(Bucket=upload.bucket, Key=upload.key, UploadId=upload.id)
    except ClientError as error:
        if error.response["Error"]["Code"] != _ENDED:
            raise
