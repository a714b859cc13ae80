"""An S3 server of another owner: a Ceph cluster with separate home, ports, buckets and keys."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sirena.host.accounts import OsAccount
from sirena.server.object_store.ceph import ObjectStore
from sirena.server.object_store.s3 import Keys, kept_keys, s3_client
from sirena.server.production_stack import ProductionStack
from sirena.settings.catalogue import Settings
from tests.production_machine import end_at_once, private_home, production_settings, require_programs


@dataclass(frozen=True)
class ForeignS3:
    """A running S3 server."""

    settings: Settings
    store: ObjectStore

    @property
    def endpoint(self) -> str:
        """URL of the server."""
        return self.store.endpoint

    @property
    def keys(self) -> Keys:
        """Keys of the first user, who may make buckets."""
        return kept_keys(self.settings)

    def guest(self, name: str) -> Keys:
        """Add a user who may make no bucket, and return the keys."""
        told = self.store.owner.run(
            ["radosgw-admin", "-c", str(self.store.folder / "ceph.conf"), "-n", "client.rgw.a", "user", "create",
             f"--uid={name}", f"--display-name={name}", "--max-buckets=-1"]
        )  # fmt: skip
        made = json.loads(told)["keys"][0]
        return Keys(made["access_key"], made["secret_key"])

    def client(self) -> Any:
        """Return a boto3 client with the first user's keys."""
        return s3_client(self.settings, self.endpoint)

    def objects(self, bucket: str) -> dict[str, int]:
        """Return the size of each object in a bucket, by key."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}


@contextmanager
def foreign_s3() -> Iterator[ForeignS3]:
    """Run a server during the block."""
    require_programs("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph")
    with private_home() as home:
        settings = production_settings(home)
        stack = ProductionStack(settings)
        owner = OsAccount.named("postgres") if OsAccount.of_this_process().uid == 0 else OsAccount.of_this_process()
        store = ObjectStore(settings, owner, OsAccount.of_this_process())
        store.prepare()
        try:
            stack.supervisor.write(store.parts())
            stack.supervisor.start()
            stack.wait(store.parts(), lambda _: None)
            yield ForeignS3(settings, store)
        finally:
            end_at_once(stack)
