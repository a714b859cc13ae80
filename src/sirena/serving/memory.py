"""Giving freed memory back to the operating system.

GNU's C library keeps freed memory for later use, separately for each thread. A service that sometimes answers thousands
of isolates, and single ones in between, would permanently hold several times the memory that it needs. Arrow's own pool
does the same, and gives nothing back: here it uses the C library's.
"""

import ctypes
import os
from typing import Final

_LIBRARY: Final = ctypes.CDLL(None)
_IS_GNU: Final = hasattr(_LIBRARY, "malloc_trim")
"""Other C libraries have no such calls."""
_M_ARENA_MAX: Final = -8


_ARROW_POOL: Final = "ARROW_DEFAULT_MEMORY_POOL"
"""Environment variable that PyArrow reads when it is imported; a call later on leaves some allocations as they were."""


def share_free_memory() -> None:
    """Make threads that are started from now on share this thread's free memory (one arena of the C library).

    PyArrow uses the same memory if it is imported later.
    """
    os.environ.setdefault(_ARROW_POOL, "system")
    if _IS_GNU:
        _LIBRARY.mallopt(_M_ARENA_MAX, 1)


def give_back_memory() -> None:
    """Give free memory back to the kernel; this takes some milliseconds."""
    if _IS_GNU:
        _LIBRARY.malloc_trim(0)
