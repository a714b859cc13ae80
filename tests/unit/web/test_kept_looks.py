"""What was counted of an open file stays while there is room, and is counted once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from sirena.web.kept_looks import KeptLooks


@dataclass(frozen=True)
class Counted:
    """Something of a size."""

    size: int


def counting(calls: list[str], name: str, size: int) -> Callable[[], Counted]:
    """Return what counts, and notes that it did."""

    def count() -> Counted:
        calls.append(name)
        return Counted(size)

    return count


def test_the_same_question_is_counted_once() -> None:
    """However many ask at a time; another one is counted for itself."""
    looks, calls = KeptLooks(), list[str]()
    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(lambda _: looks.look("a", counting(calls, "a", 1)), range(16)))
    assert all(answer is answers[0] for answer in answers)
    looks.look("b", counting(calls, "b", 1))
    assert calls == ["a", "b"]


def test_the_looks_of_a_file_hold_so_much_at_most() -> None:
    """The one seen longest ago makes room; one that is larger by itself is answered and not kept."""
    looks, calls = KeptLooks(most_bytes=10), list[str]()
    for name in ("a", "b", "a", "c", "a", "b"):
        looks.look(name, counting(calls, name, 4))
    assert calls == ["a", "b", "c", "b"]
    assert looks.look("large", counting(calls, "large", 11)).size == 11
    looks.look("large", counting(calls, "large", 11))
    looks.look("b", counting(calls, "b", 4))
    assert calls[-2:] == ["large", "large"]


def test_a_question_that_could_not_be_counted_is_asked_again() -> None:
    """An error is no look."""
    looks = KeptLooks()

    def fail() -> Counted:
        raise ValueError("fails")

    for _ in range(2):
        with pytest.raises(ValueError, match="fails"):
            looks.look("a", fail)
    assert looks.look("a", lambda: Counted(1)).size == 1
