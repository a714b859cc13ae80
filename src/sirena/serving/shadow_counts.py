"""Counts of what two releases answer, by test column, group of organisms and pair of categories."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.category import Category
from sirena.domain.truth_table import ANSWERS, NOT_ASKED
from sirena.panel.compiled import Panel
from sirena.panel.gravity import gravity
from sirena.panel.layouts import NO_GROUND
from sirena.serving.core import Interpretation

_MOST_KINDS: Final = 4096
"""Most combinations that are counted with their group; further ones are counted without it."""
_CATEGORIES: Final = ("", *Category)
_CATEGORY_OF: Final = np.array([_CATEGORIES.index(answer.category if answer else "") for answer in ANSWERS], np.int32)
"""Position in `_CATEGORIES` for each position in `ANSWERS`."""


@dataclass(frozen=True, order=True)
class AnswerPair:
    """The two releases' answers to one MIC, with test column and group of organisms: the key of a count."""

    column: str
    """Model column, ``AMK_NM``."""
    group: str
    """Group of organisms that the deciding row is for; empty if the category does not change."""
    before: str
    """Category given by the active release."""
    after: str
    """Category given by the shadow."""


@dataclass(frozen=True)
class ShadowState:
    """The state of the shadow, with its counts."""

    shadow: str | None = None
    """Name of the shadow release; None if there is no shadow, or it is not loaded."""
    active: str | None = None
    """Name of the release with which the shadow is compared; None before the first request."""
    failure: str = ""
    """Why the named shadow could not be loaded; empty if it was loaded."""
    since: float | None = None
    """Start of the counts, in seconds since the epoch."""
    compared: int = 0
    """Number of requests that the shadow answered too."""
    dropped: int = 0
    """Number of requests that were dropped, because too many waited."""
    unanswered: int = 0
    """Number of requests that the shadow could not answer."""
    answers: tuple[tuple[AnswerPair, int], ...] = ()
    """Number of answers for each pair."""

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``/shadow``: the changes, gravest first, then most numerous."""
        changes = sorted(
            ((pair, count) for pair, count in self.answers if pair.before != pair.after),
            key=lambda item: (gravity(item[0].before, item[0].after), -item[1], item[0]),
        )
        return {
            "shadow": self.shadow,
            "active": self.active,
            "failure": self.failure or None,
            "since": self.since,
            "compared": self.compared,
            "dropped": self.dropped,
            "unanswered": self.unanswered,
            "answers": sum(count for _, count in self.answers),
            "changed": sum(count for _, count in changes),
            "changes": [
                {
                    "before": pair.before,
                    "after": pair.after,
                    "column": pair.column,
                    "group": pair.group,
                    "answers": count,
                }
                for pair, count in changes
            ],
        }


class ShadowCounts:
    """Counts the answers of one pair of releases."""

    def __init__(self, active: str, shadow: str, since: float) -> None:
        """Start without counts.

        Args:
            active: name of the active release.
            shadow: name of the shadow release.
            since: current time, in seconds since the epoch.
        """
        self.active = active
        self._shadow = shadow
        self._since = since
        self._compared = 0
        self._dropped = 0
        self._unanswered = 0
        self._answers: Counter[AnswerPair] = Counter()

    def add(self, pairs: Counter[AnswerPair]) -> None:
        """Add the pairs of both releases' answers to one request."""
        self._compared += 1
        for pair, count in pairs.items():
            is_told_apart = pair in self._answers or len(self._answers) < _MOST_KINDS
            self._answers[pair if is_told_apart else replace(pair, group="")] += count

    def drop(self) -> None:
        """Count a request that was dropped, because too many waited."""
        self._dropped += 1

    def leave_out(self) -> None:
        """Count a request that the shadow could not answer."""
        self._unanswered += 1

    @property
    def state(self) -> ShadowState:
        """The counts so far."""
        return ShadowState(
            self._shadow,
            self.active,
            since=self._since,
            compared=self._compared,
            dropped=self._dropped,
            unanswered=self._unanswered,
            answers=tuple(self._answers.items()),
        )


def pairs_of(before: Interpretation, after: Interpretation) -> Counter[AnswerPair]:
    """Return the number of each pair of answers that two releases give the same rows; empty MICs are left out.

    Columns for which neither release has a model are left out.

    Args:
        before: answers of the active release.
        after: answers of the shadow, for the same test columns or more.
    """
    active, shadow = before.panel, after.panel
    pairs: Counter[AnswerPair] = Counter()
    columns_after = {answered.column.name: answered for answered in after.columns}
    for old in before.columns:
        column = old.column.model_column
        if not old.column.is_mic or (column not in active.tables and column not in shadow.tables):
            continue
        new = columns_after[old.column.name]
        is_asked = np.frombuffer(old.answers, np.uint8) != NOT_ASKED
        was, now = (_CATEGORY_OF[np.frombuffer(answered.answers, np.uint8)] for answered in (old, new))
        kept = was[is_asked & (was == now)]
        for (category,), count in _counted(kept):
            pairs[AnswerPair(column, "", _CATEGORIES[category], _CATEGORIES[category])] += count
        changed = is_asked & (was != now)
        for (former, later, new_number, old_number), count in _counted(
            was[changed], now[changed], new.numbers[changed], old.numbers[changed]
        ):
            group = _group(shadow, new_number) or _group(active, old_number)
            pairs[AnswerPair(column, group, _CATEGORIES[former], _CATEGORIES[later])] += count
    return pairs


def _counted(*facts: NDArray[np.int32]) -> Iterator[tuple[list[int], int]]:
    """Yield each combination of facts that rows have, and the number of rows with it."""
    combinations, counts = np.unique(np.stack(facts), axis=1, return_counts=True)
    yield from zip(combinations.T.tolist(), counts.tolist(), strict=True)


def _group(panel: Panel, number: int) -> str:
    return "" if number == NO_GROUND else panel.grounds[number].group
