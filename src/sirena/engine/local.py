"""Processing parts in two threads of this process, which run at once in Polars, Arrow and zlib."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from sirena.engine import Engine, Part, Result

_AT_ONCE: Final = 2
_AHEAD: Final = 4
"""Number of parts that are processed while the caller works on another."""


class LocalEngine:
    """Processes parts in threads.

    >>> list(LocalEngine().in_turn(str.upper, ["s", "i", "r"]))
    ['S', 'I', 'R']
    """

    def in_turn(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """Yield the result of each part, in order (see `Engine.in_turn`)."""
        futures: deque[Future[Result]] = deque()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                for part in parts:
                    futures.append(pool.submit(work, part))
                    if len(futures) > _AHEAD:
                        yield futures.popleft().result()
                while futures:
                    yield futures.popleft().result()
            finally:
                for future in futures:
                    future.cancel()


class OneByOne:
    """Processes one part after another, in the caller's thread, for parts so large that memory holds only one.

    >>> list(OneByOne().in_turn(str.upper, ["s", "i", "r"]))
    ['S', 'I', 'R']
    """

    def in_turn(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """Yield the result of each part, in order (see `Engine.in_turn`)."""
        return map(work, parts)


LOCAL: Final[Engine] = LocalEngine()
"""The engine of this machine."""
ONE_BY_ONE: Final[Engine] = OneByOne()
"""The engine of this machine for large parts."""
