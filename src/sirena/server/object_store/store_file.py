"""The sparse file Sirena's own object store lies on: its size, what it may still take of the disk, how it grows.

Ceph makes it of the size asked for and fills it as objects come; room it once took it keeps for later objects.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sirena.host.accounts import OsAccount, PreparationError
from sirena.settings.catalogue import Settings

_GIB: Final = 2**30
_BLOCK: Final = 512
"""Bytes of a block as the kernel counts what a file takes."""
_INEXACT: Final = 2**20
"""Bytes by which sizes may differ and are the same to a person who wrote GiB with decimals."""


class StoreSizeError(PreparationError):
    """The object store cannot become as large, or as small, as the settings ask; nothing was changed."""

    code = "store_size"


@dataclass(frozen=True)
class StoreFile:
    """The file, as it is and as the settings want it."""

    settings: Settings

    @property
    def path(self) -> Path:
        """The file; bluestore's own name for it."""
        return self.settings.home / "ceph" / "store" / "block"

    @property
    def size(self) -> int:
        """Bytes it may hold; 0 where there is no store of ours, or none that we may look at."""
        if self.settings.s3_endpoint_url:
            return 0
        try:
            # without the mark it is what an interrupted first start left, which the next one puts aside
            (self.settings.home / "ceph" / "prepared").stat()
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def still_to_take(self) -> int:
        """Bytes it may still take of the disk."""
        return max(0, self.size - self.path.stat().st_blocks * _BLOCK) if self.size else 0

    @property
    def wanted(self) -> int:
        """Size that the settings ask for, in bytes."""
        return int(self.settings.s3_size_gb * _GIB)

    @property
    def grows(self) -> bool:
        """True when it is smaller than the settings ask, or its growth was interrupted."""
        return bool(self.size) and (self.wanted > self.size + _INEXACT or self._mark.exists())

    def require_size(self) -> None:
        """Require that it is as large as the settings ask, or can become so.

        Raises:
            StoreSizeError: it would have to shrink, or the disk has no room for what it could take.
        """
        size, free = self.size, self.free
        if size and self.wanted < size - _INEXACT:
            raise StoreSizeError(
                f"the object store has {gib(size)} GiB, and SIRENA_S3_SIZE_GB asks for {gib(self.wanted)}: "
                "it can grow, not shrink",
                hint=f"set SIRENA_S3_SIZE_GB={gib(size)}, or larger; for a smaller store restore a backup onto a new "
                "SIRENA_HOME",
            )
        more = self.still_to_take + self.wanted - size
        if size and self.wanted > size + _INEXACT and more > free:
            raise StoreSizeError(
                f"the object store is to grow from {gib(size)} to {gib(self.wanted)} GiB; it could then take "
                f"{more / _GIB:.1f} GiB more, and the disk has {free / _GIB:.1f} free",
                hint=f"make room on the disk or enlarge it, or set SIRENA_S3_SIZE_GB={gib(size)} as before",
            )

    @property
    def free(self) -> int:
        """Bytes free on its disk."""
        folder = self.path.parent if self.size else self.settings.home
        return shutil.disk_usage(folder if folder.exists() else folder.parent).free

    @contextmanager
    def growing(self, owner: OsAccount) -> Iterator[None]:
        """Give it the size the settings ask for while nothing uses it; within, tell bluestore of it.

        A mark stands beside it until that was done, so what was interrupted anywhere is done again.

        Raises:
            StoreSizeError: the disk refuses.
        """
        self._mark.touch(mode=0o600)
        owner.own(self._mark)
        if self.wanted > self.size:
            try:
                os.truncate(self.path, self.wanted)
            except OSError as error:
                raise StoreSizeError(
                    f"{self.path} cannot be enlarged to {gib(self.wanted)} GiB: {error.strerror}",
                    hint="see to the disk, or set SIRENA_S3_SIZE_GB as before",
                ) from error
        yield
        self._mark.unlink()

    @property
    def _mark(self) -> Path:
        return self.settings.home / "ceph" / "growing"


def gib(size: int) -> str:
    """Write bytes as GiB as a person would set them: `40`, `2.5`."""
    return f"{size / _GIB:.9g}"
