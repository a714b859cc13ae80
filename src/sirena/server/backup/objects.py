"""Mirroring the bucket into the backup, and restoring objects into a bucket.

The mirror stays between backups, so that a daily backup fetches only new objects. An object with the known ETag and
size, whose file still has its hash, is not fetched again; an object whose file was damaged on disk is.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from sirena.host.accounts import OsAccount
from sirena.host.secret_files import write_private
from sirena.server.backup.errors import BackupError
from sirena.server.backup.manifest import FileFacts, apart, facts_of, is_path, stored_at
from sirena.server.steps import Tell

_STREAMS: Final = 2
_BLOCK: Final = 2**20
_ONE_PART: Final = TransferConfig(multipart_threshold=2**30, use_threads=False)
"""Uploads up to 1 GiB in one part, so that the ETag is the content's MD5 and can be compared."""
_MD5_LENGTH: Final = 32
_MISSING: Final = ("404", "NoSuchKey")


@dataclass(frozen=True)
class StoredObject:
    """An object as the bucket's listing describes it."""

    key: str
    etag: str
    size: int


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket whose objects a backup copies into a folder, or into which a restore puts objects."""

    client: Any
    """Client of boto3."""
    name: str

    def mirror(self, folder: Path, index: Path, tell: Tell) -> dict[str, FileFacts]:
        """Make a folder hold exactly the bucket's objects.

        Args:
            folder: the folder to fill; an object's key is its path there, if it can be a path (see `stored_at`).
            index: file that lists the fetched objects, with hashes.
            tell: called with a text about the progress.

        Returns:
            Hash and size of each object, by key.

        Raises:
            BackupError: the endpoint does not answer or refuses, or the disk is full.
        """
        index_entries = _read_index(index)
        with bucket_errors_translated("reading", self.name):
            objects = [stored_object for stored_object in self._list_objects() if not _is_folder_mark(stored_object)]
            places = _places([stored_object.key for stored_object in objects])
            folder.mkdir(parents=True, exist_ok=True)
            self._forget_others(folder, set(places.values()))
            facts: dict[str, FileFacts] = {}
            with ThreadPoolExecutor(_STREAMS) as pool:
                results = pool.map(
                    lambda stored_object: self._facts_of_object(
                        stored_object, folder / places[stored_object.key], index_entries.get(stored_object.key)
                    ),
                    objects,
                )
                for count, (stored_object, object_facts) in enumerate(zip(objects, results, strict=True), 1):
                    if object_facts is not None:
                        facts[stored_object.key] = object_facts
                    if count % 500 == 0:
                        tell(f"objects, {count:,} of {len(objects):,}")
        etags = {stored_object.key: stored_object.etag for stored_object in objects}
        document = {key: [etags[key], file.size, file.sha256] for key, file in facts.items()}
        write_private(index, json.dumps(document), OsAccount.of_this_process())
        return facts

    def put_back(self, folder: Path, objects: Mapping[str, FileFacts], tell: Tell) -> None:
        """Send objects to the bucket unless the bucket holds them; other objects in the bucket stay.

        Raises:
            BackupError: the endpoint does not answer or refuses, or the bucket does not hold what was sent.
        """
        with bucket_errors_translated("writing", self.name):
            objects_before = {bucket_object.key: bucket_object for bucket_object in self._list_objects()}
            files = {key: stored_at(folder, key) for key in objects}
            digests = {key: _md5(file) for key, file in files.items()}
            missing_keys = [
                key
                for key, digest in digests.items()
                if key not in objects_before or objects_before[key].etag != digest
            ]
            with ThreadPoolExecutor(_STREAMS) as pool:
                uploads = pool.map(lambda key: self._send(files[key], key), missing_keys)
                for count, _ in enumerate(uploads, 1):
                    if count % 500 == 0:
                        tell(f"objects, {count:,} of {len(missing_keys):,}")
            after = {bucket_object.key: bucket_object for bucket_object in self._list_objects()}
        for key, facts in objects.items():
            stored_object = after.get(key)
            has_size = stored_object is not None and stored_object.size == facts.size
            if (
                stored_object is None
                or not has_size
                or (len(stored_object.etag) == _MD5_LENGTH and stored_object.etag != digests[key])
            ):
                raise BackupError(
                    f"the bucket {self.name} does not hold {key} as it was sent", hint="see to the S3 endpoint; repeat"
                )

    def missing_objects(self, objects: Mapping[str, FileFacts]) -> dict[str, FileFacts]:
        """Return those of the given objects that the bucket lacks, or holds with another size.

        Raises:
            BackupError: the endpoint does not answer, or refuses.
        """
        with bucket_errors_translated("reading", self.name):
            sizes = {stored_object.key: stored_object.size for stored_object in self._list_objects()}
        return {key: facts for key, facts in objects.items() if sizes.get(key) != facts.size}

    def strangers(self, objects: Mapping[str, FileFacts]) -> int:
        """Return how many other objects the bucket holds, not counting the marking object that `sirena up` makes."""
        with bucket_errors_translated("reading", self.name):
            objects_present = [
                stored_object for stored_object in self._list_objects() if stored_object.key != ".sirena"
            ]
        return sum(
            stored_object.key not in objects or stored_object.size != objects[stored_object.key].size
            for stored_object in objects_present
        )

    def _list_objects(self) -> Iterator[StoredObject]:
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name):
            for item in page.get("Contents", []):
                yield StoredObject(item["Key"], item["ETag"].strip('"'), int(item["Size"]))

    def _facts_of_object(
        self, stored_object: StoredObject, file: Path, index_entry: tuple[str, FileFacts] | None
    ) -> FileFacts | None:
        if (
            index_entry is not None
            and index_entry[0] == stored_object.etag
            and index_entry[1].size == stored_object.size
            and file.is_file()
        ):
            facts = facts_of(file)
            if facts == index_entry[1]:
                return facts
        return self._fetch(stored_object, file)

    def _fetch(self, stored_object: StoredObject, file: Path) -> FileFacts | None:
        try:
            body = self.client.get_object(Bucket=self.name, Key=stored_object.key)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                return None  # removed since it was listed, so no row of the earlier dump that counts refers to it
            raise
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.parent / f".{hashlib.sha256(file.name.encode()).hexdigest()[:16]}.new"
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        with beside.open("wb") as stream:
            for block in iter(lambda: body.read(_BLOCK), b""):
                stream.write(block)
                sha256.update(block)
                md5.update(block)
                size += len(block)
        if size != stored_object.size or (
            len(stored_object.etag) == _MD5_LENGTH and md5.hexdigest() != stored_object.etag
        ):
            beside.unlink()
            raise BackupError(
                f"the object {stored_object.key} of bucket {self.name} came otherwise than it is listed",
                hint="repeat the command",
            )
        beside.replace(file)
        return FileFacts(sha256.hexdigest(), size)

    def _send(self, file: Path, key: str) -> None:
        self.client.upload_file(str(file), self.name, key, Config=_ONE_PART)

    @staticmethod
    def _forget_others(folder: Path, places: set[str]) -> None:
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.relative_to(folder).as_posix() not in places:
                path.unlink()


@contextmanager
def bucket_errors_translated(action: str, bucket: str) -> Iterator[None]:
    """Raise `BackupError` in place of errors of S3 or the disk in a ``with`` block."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        raise BackupError(
            f"{action} bucket {bucket} failed: {code}", hint="see `sirena status` and `sirena logs s3`; then repeat"
        ) from error
    except OSError as error:
        raise BackupError(
            f"{action} bucket {bucket} failed at {error.filename}: {os.strerror(error.errno or 0)}",
            hint="make room, or see to the folder's rights; then repeat",
        ) from error


def _is_folder_mark(stored_object: StoredObject) -> bool:
    """Tell whether an object is the mark by which S3 browsers show an empty folder."""
    return stored_object.key.endswith("/") and stored_object.size == 0


def _places(keys: list[str]) -> dict[str, str]:
    """Return the path of each object by key: the key, unless it cannot be a path or other objects lie below it."""
    folders = {key[:end] for key in keys for end, letter in enumerate(key) if letter == "/"}
    return {key: key if is_path(key) and key not in folders else apart(key) for key in keys}


def _md5(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _read_index(index: Path) -> dict[str, tuple[str, FileFacts]]:
    try:
        document = json.loads(index.read_text(encoding="utf-8"))
        return {key: (etag, FileFacts(sha256, size)) for key, (etag, size, sha256) in document.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # then everything is fetched anew
