"""The sparse file of Sirena's own object store: its size, how much more of the disk it may take, how it grows.

Ceph makes the file with the requested size. Objects fill it; disk space that it once took is kept for later objects.
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
"""Bytes of a block, in which the kernel counts the room of a file."""
_INEXACT: Final = 2**20
"""Bytes by which sizes may differ and still count as equal, since people write GiB with decimals."""


class StoreSizeError(PreparationError):
    """The object store cannot get the size that the settings request; nothing was changed."""

    code = "store_size"


@dataclass(frozen=True)
class StoreFile:
    """The file of the object store: its current size, and the size that the settings request."""

    settings: Settings

    @property
    def path(self) -> Path:
        """Path of the file, which bluestore calls ``block``."""
        return self.settings.home / "ceph" / "store" / "block"

    @property
    def size(self) -> int:
        """Capacity of the store's file in bytes; 0 if Sirena has no store here or this account may not see it."""
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
        """Number of bytes by which the file may still grow on the disk."""
        return max(0, self.size - self.path.stat().st_blocks * _BLOCK) if self.size else 0

    @property
    def wanted_size(self) -> int:
        """Size that the settings request, in bytes."""
        return int(self.settings.s3_size_gb * _GIB)

    @property
    def grows(self) -> bool:
        """True if the file is smaller than the settings request, or its growth was interrupted."""
        return bool(self.size) and (self.wanted_size > self.size + _INEXACT or self._mark.exists())

    def require_size(self) -> None:
        """Check that the file has, or can get, the size that the settings request, or raise `StoreSizeError`.

        Raises:
            StoreSizeError: the file would have to shrink, or the disk has not enough space.
        """
        size, free = self.size, self.free
        if size and self.wanted_size < size - _INEXACT:
            raise StoreSizeError(
                f"the object store has {gib(size)} GiB, and SIRENA_S3_SIZE_GB asks for {gib(self.wanted_size)}: "
                "it can grow, not shrink",
                hint=f"set SIRENA_S3_SIZE_GB={gib(size)}, or larger; for a smaller store restore a backup onto a new "
                "SIRENA_HOME",
            )
        more = self.still_to_take + self.wanted_size - size
        if size and self.wanted_size > size + _INEXACT and more > free:
            raise StoreSizeError(
                f"the object store is to grow from {gib(size)} to {gib(self.wanted_size)} GiB; it could then take "
                f"{more / _GIB:.1f} GiB more, and the disk has {free / _GIB:.1f} free",
                hint=f"make room on the disk or enlarge it, or set SIRENA_S3_SIZE_GB={gib(size)} as before",
            )

    @property
    def free(self) -> int:
        """Bytes free on the disk of the file."""
        folder = self.path.parent if self.size else self.settings.home
        return shutil.disk_usage(folder if folder.exists() else folder.parent).free

    @contextmanager
    def growing(self, owner: OsAccount) -> Iterator[None]:
        """Give the file the size that the settings request; in the ``with`` block, the caller makes bluestore use it.

        Nothing may use the file meanwhile. A marker file next to it stays until the block has ended, so that an
        interrupted growth is repeated.

        Raises:
            StoreSizeError: the file cannot be enlarged.
        """
        self._mark.touch(mode=0o600)
        owner.own(self._mark)
        if self.wanted_size > self.size:
            try:
                os.truncate(self.path, self.wanted_size)
            except OSError as error:
                raise StoreSizeError(
                    f"{self.path} cannot be enlarged to {gib(self.wanted_size)} GiB: {error.strerror}",
                    hint="see to the disk, or set SIRENA_S3_SIZE_GB as before",
                ) from error
        yield
        self._mark.unlink()

    @property
    def _mark(self) -> Path:
        return self.settings.home / "ceph" / "growing"


def gib(size: int) -> str:
    """Return a number of bytes in GiB, as a person would write it in a setting: `40`, `2.5`."""
    return f"{size / _GIB:.9g}"
