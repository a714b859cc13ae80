"""Parts worked on by two threads of this process; what takes long there, Polars, Arrow and zlib, lets both run."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from sirena.engine import Engine, Part, Result

_AT_ONCE: Final = 2
_AHEAD: Final = 4
"""Parts that are worked on while another is taken."""


class LocalEngine:
    """Works on parts in threads.

    >>> list(LocalEngine().in_turn(str.upper, ["s", "i", "r"]))
    ['S', 'I', 'R']
    """

    def in_turn(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """See `Engine.in_turn`."""
        waiting: deque[Future[Result]] = deque()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                for part in parts:
                    waiting.append(pool.submit(work, part))
                    if len(waiting) > _AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


class OneByOne:
    """Works on one part after another, in the thread that asks: for parts of which memory holds one at a time.

    >>> list(OneByOne().in_turn(str.upper, ["s", "i", "r"]))
    ['S', 'I', 'R']
    """

    def in_turn(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """See `Engine.in_turn`."""
        return map(work, parts)


LOCAL: Final[Engine] = LocalEngine()
"""This machine."""
ONE_BY_ONE: Final[Engine] = OneByOne()
"""This machine, where parts are large."""
