"""The bucket of a restore drill, at the same endpoint as the artifacts' bucket: made, filled, and removed again.

A marking object is put into it first, and only a marked or empty bucket is removed, so that somebody else's bucket of
the same name is kept.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from sirena.server.backup.errors import BackupError
from sirena.server.backup.manifest import FileFacts
from sirena.server.backup.objects import Bucket, bucket_errors_translated
from sirena.server.object_store.s3 import make_bucket
from sirena.server.object_store.unfinished_uploads import abort, unfinished_uploads
from sirena.server.steps import Tell

_MARK: Final = ".sirena-drill"
_MISSING: Final = "NoSuchBucket"


@dataclass(frozen=True)
class ScratchBucket:
    """The bucket into which a restore drill restores objects."""

    client: Any
    """Client of boto3."""
    living_bucket: str
    """Name of the bucket of the artifacts, which is not opened."""

    @property
    def name(self) -> str:
        """Name of the scratch bucket."""
        return f"{self.living_bucket}-drill"

    def put_back(self, folder: Path, objects: Mapping[str, FileFacts], tell: Tell) -> None:
        """Make the bucket, and send objects to it as a restore does; what the bucket then holds is checked.

        Raises:
            BackupError: the endpoint does not answer or refuses, or the bucket does not hold what was sent.
        """
        with self._refusals_translated():
            self._make_bucket()
            self.client.put_object(Bucket=self.name, Key=_MARK, Body=b"")
        Bucket(self.client, self.name).put_back(folder, objects, tell)

    def remove(self) -> None:
        """Remove the bucket with all that is in it, if the bucket exists.

        Raises:
            BackupError: the endpoint does not answer or refuses, or the bucket was not made by a drill.
        """
        with self._refusals_translated():
            if self._is_missing():
                return
            uploads = list(unfinished_uploads(self.client, self.name))
            if (uploads or self._some_keys()) and not self._is_marked():
                raise BackupError(
                    f"the bucket {self.name} holds what no drill put there",
                    hint="a drill needs this name for a bucket of its own: move what is in it elsewhere; repeat",
                )
            for upload in uploads:
                abort(self.client, upload)
            # the mark goes last, so that a removal that is killed can be repeated
            while keys := self._some_keys():
                self._delete([key for key in keys if key != _MARK] or keys)
            self.client.delete_bucket(Bucket=self.name)

    def _make_bucket(self) -> None:
        if self._is_missing():
            make_bucket(self.client, self.name)

    def _is_missing(self) -> bool:
        try:
            self.client.list_objects_v2(Bucket=self.name, MaxKeys=1)
        except ClientError as error:
            if error.response["Error"]["Code"] == _MISSING:
                return True
            raise
        return False

    def _is_marked(self) -> bool:
        page = self.client.list_objects_v2(Bucket=self.name, Prefix=_MARK, MaxKeys=1)
        return any(item["Key"] == _MARK for item in page.get("Contents", []))

    def _some_keys(self) -> list[str]:
        return [item["Key"] for item in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def _delete(self, keys: list[str]) -> None:
        selection = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        refusals = self.client.delete_objects(Bucket=self.name, Delete=selection).get("Errors", [])
        if refusals:
            raise self._refusal(refusals[0]["Code"])

    @contextmanager
    def _refusals_translated(self) -> Iterator[None]:
        with bucket_errors_translated("using", self.name):
            try:
                yield
            except ClientError as error:
                raise self._refusal(error.response["Error"]["Code"]) from error

    def _refusal(self, code: str) -> BackupError:
        return BackupError(
            f"the S3 endpoint refused the drill its scratch bucket {self.name}: {code}",
            hint=f"let the keys of SIRENA_S3_BUCKET make, fill and remove the bucket {self.name}; then repeat",
        )
