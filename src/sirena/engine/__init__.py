"""Engines that process the parts of a file: in threads of this process, or on a Ray cluster.

A part's result depends on the part alone, and results come back in the order of the parts. So the output is the same,
byte for byte, with any engine, any number of machines, and after the failure of any machine.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from sirena.domain.errors import SirenaError

Part = TypeVar("Part")
Result = TypeVar("Result")


class EngineError(SirenaError):
    """The engine failed, for a reason that is not in the file."""


class Engine(Protocol):
    """Processes the parts of a file."""

    def in_turn(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """Yield the result of each part, in order; a limited number of parts is processed ahead of the caller.

        Args:
            work: function that returns the result of a part. It may be sent to another machine, so it must hold no open
                file.
            parts: the parts; each is taken when it is needed.

        Raises:
            EngineError: the engine itself failed.
            Exception: `work` raised it for a part; it is raised again at that part's turn.
        """
