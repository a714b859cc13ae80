"""Working on the columns of a file with as many threads as Polars uses.

Polars and NumPy release the interpreter's lock while they work on a column, so threads run at the same time. At most as
many columns as threads are in memory at once.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import polars as pl

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_parallel(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """Yield the result of each item, in the order of the items.

    >>> list(in_parallel(len, ["a", "bcd"]))
    [1, 3]
    """
    with ThreadPoolExecutor(pl.thread_pool_size()) as threads:
        yield from threads.map(work, items)
