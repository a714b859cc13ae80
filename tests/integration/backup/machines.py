"""Two machines for the tests of backups: one that works, and a fresh one to restore onto."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sirena.acts.tables import make_or_require
from sirena.server.backup.databases import Databases, entered
from sirena.server.backup.manifest import NAME, FileFacts, Manifest, facts_of, files_of
from sirena.server.backup.repository import Repository
from sirena.server.production_stack import ProductionStack
from sirena.settings.catalogue import Settings, profile_file, variable_of
from tests.prepared_interpreter import PreparedPopen, run_prepared
from tests.prepared_stores import begin_prepared
from tests.production_machine import end_at_once, private_home, production_settings, require_programs

STORES = ("postgresql", "ceph-monitor", "ceph-store", "s3")
_MACHINE = ("profile", "home")


@dataclass(frozen=True)
class Machine:
    """A `SIRENA_HOME` with ports of its own."""

    settings: Settings

    @property
    def home(self) -> Path:
        """Its `SIRENA_HOME`."""
        return self.settings.home

    @property
    def environment(self) -> dict[str, str]:
        """What its operator has set."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AWS_", "SIRENA_"))
        }
        given = {
            variable_of(name): str(getattr(self.settings, name))
            for name in self.settings.model_fields_set - {"database_url"}
            if getattr(self.settings, name) not in (None, "")
        }
        return {**kept, **given}

    def with_(self, **changes: object) -> "Machine":
        """Return the same machine with other settings."""
        return Machine(self.settings.model_copy(update=changes))

    def sirena(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command as its operator does."""
        return run_prepared([sys.executable, "-m", "sirena.cli", *arguments], env=self.environment, timeout=500)

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command in a session of its own."""
        return PreparedPopen(
            [sys.executable, "-m", "sirena.cli", *arguments],
            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def up(self, *parts: str) -> None:
        """Bring up some parts of its stack; the ones a test does not need cost seconds."""
        begin_prepared(self.settings)
        stack = self.stack
        stack.bring_up(lambda _: None, [part for part in stack.parts() if part.name in (*STORES, *parts)])
        profile_file(self.settings).write_text("production\n")

    @property
    def stack(self) -> ProductionStack:
        """Its stack."""
        return ProductionStack(self.prepared, (), partial(make_or_require, self.prepared))

    @property
    def prepared(self) -> Settings:
        """Its settings, which know of the passwords once there are some."""
        facts = self.settings.model_dump(exclude={"database_url"})
        return Settings.model_validate(facts)

    @contextmanager
    def databases(self) -> Iterator[Databases]:
        """Enter its databases."""
        with entered(self.stack.database(), self.home / "backup") as found:
            yield found

    def copy_of_repository(self, folder: Path) -> "Machine":
        """Return the machine with a copy of its repository, to be damaged."""
        target = shutil.copytree(Repository(self.settings).location, folder / "copy")
        return self.with_(backup_repository=str(target))

    def save_altered(self, folder: Path, **facts: object) -> None:
        """Save a folder as the newest snapshot, with a manifest that fits it; other facts of it are replaced."""
        files = {path: facts_of(folder / path) for path in files_of(folder) if path != NAME}
        self.save_as_it_is(folder, files=files, **facts)

    def save_as_it_is(self, folder: Path, **facts: object) -> None:
        """Save a folder as the newest snapshot."""
        if facts:
            replace(Manifest.read(folder), **facts).write(folder)  # type: ignore[arg-type]
        Repository(self.settings).save(folder)

    def take_out(self, folder: Path) -> Path:
        """Take the latest backup out into a folder."""
        repository = Repository(self.settings)
        repository.take_out(repository.find(""), folder)
        return folder


def absent(manifest: Manifest, part: str) -> dict[str, FileFacts]:
    """Return the files of a manifest without those whose path holds a text."""
    return {path: facts for path, facts in manifest.files.items() if part not in path}


@contextmanager
def machine(**changes: Any) -> Iterator[Machine]:
    """Give a fresh machine; what runs on it afterwards is taken down."""
    require_programs("nginx", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "restic")
    with private_home() as home:
        found = Machine(production_settings(home, tracking_uri="", **changes))
        try:
            yield found
        finally:
            end_at_once(ProductionStack(found.settings))
