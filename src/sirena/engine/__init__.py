"""Where the parts of a file are worked on: in threads of this process, or on a Ray cluster.

A part's result depends on the part alone, and results come back in the order of the parts. So what is written is the
same, byte for byte, whichever engine works, however many machines it has and whichever of them ends.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from sirena.domain.errors import SirenaError

Part = TypeVar("Part")
Result = TypeVar("Result")


class EngineError(SirenaError):
    """What works on the parts failed; the file has nothing to do with it."""


class Engine(Protocol):
    """Works on parts."""

    def in_turn(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """Yield the result of each part, in order; a bounded number of parts is worked on ahead of who takes them.

        Args:
            work: gives the result of a part. It may be sent to another machine, so it holds no open file.
            parts: taken one after another, as they are needed.

        Raises:
            EngineError: the engine itself failed.
            Exception: what `work` raises for a part, when it is that part's turn.
        """
