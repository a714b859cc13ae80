"""Multipart uploads that were never finished: no listing of objects shows them, and their parts take space for ever."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

DEAD_AFTER: Final = timedelta(days=1)
"""Age from which on an upload counts as abandoned by its sender."""
_ENDED: Final = "NoSuchUpload"


@dataclass(frozen=True)
class UnfinishedUpload:
    """A multipart upload that was begun and neither completed nor aborted."""

    bucket: str
    key: str
    id: str
    start_time: datetime
    """When the upload was begun, by the endpoint's clock."""


def unfinished_uploads(client: Any, bucket: str) -> Iterator[UnfinishedUpload]:
    """Yield the unfinished uploads of a bucket.

    Args:
        client: boto3 client.
        bucket: name of the bucket.

    Raises:
        ClientError, BotoCoreError: the endpoint refuses, or does not answer.
    """
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for item in page.get("Uploads", []):
            yield UnfinishedUpload(bucket, item["Key"], item["UploadId"], item["Initiated"])


def abort(client: Any, upload: UnfinishedUpload) -> None:
    """Abort an upload, which frees the space of its parts; nothing happens if the upload has ended meanwhile.

    Raises:
        ClientError, BotoCoreError: the endpoint refuses, or does not answer.
    """
    try:
        client.abort_multipart_upload(Bucket=upload.bucket, Key=upload.key, UploadId=upload.id)
    except ClientError as error:
        if error.response["Error"]["Code"] != _ENDED:
            raise
