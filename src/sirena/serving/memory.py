"""Giving back memory that is of no use any more.

GNU's C library keeps what was freed for whoever asks next, for each thread apart. A service that answers thousands of
isolates now and then, and single ones between, would hold several times what it needs for good.
"""

import ctypes
from typing import Final

_LIBRARY: Final = ctypes.CDLL(None)
_IS_GNU: Final = hasattr(_LIBRARY, "malloc_trim")
"""Other C libraries have no such calls."""
_M_ARENA_MAX: Final = -8


def share_free_memory() -> None:
    """Have the threads that are started from now on take from the same free memory as this one."""
    if _IS_GNU:
        _LIBRARY.mallopt(_M_ARENA_MAX, 1)


def give_back_memory() -> None:
    """Give free memory back to the kernel, in some milliseconds."""
    if _IS_GNU:
        _LIBRARY.malloc_trim(0)
