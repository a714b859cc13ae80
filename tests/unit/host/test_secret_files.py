"""Files that only their owner reads."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sirena.host.accounts import OsAccount
from sirena.host.secret_files import write_private


@dataclass(frozen=True)
class Meeting(OsAccount):
    """An account that takes a file over only when another thread is about to give it one too."""

    both: threading.Barrier = field(default_factory=lambda: threading.Barrier(2))

    def own(self, path: Path | int) -> None:
        """Wait until both are written and neither has its name."""
        assert isinstance(path, int)
        assert os.fstat(path).st_size
        self.both.wait(60)


def test_two_threads_write_one_file_whole(tmp_path: Path) -> None:
    """Neither takes the other's half; one of both stays, and nothing beside it."""
    file = tmp_path / "secret"
    owner = Meeting("us", os.getuid(), os.getgid())
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda text: write_private(file, text, owner), ("one", "two")))
    assert file.read_text() in ("one", "two")
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
