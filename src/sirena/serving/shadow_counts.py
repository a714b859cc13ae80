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
    compared_requests: int = 0
    """Number of requests that the shadow answered too."""
    dropped_requests: int = 0
    """Number of requests that were dropped, because too many waited."""
    unanswered_requests: int = 0
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
            "compared": self.compared_requests,
            "dropped": self.dropped_requests,
            "unanswered": self.unanswered_requests,
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
        self._compared_requests = 0
        self._dropped_requests = 0
        self._unanswered_requests = 0
        self._answers: Counter[AnswerPair] = Counter()

    def add(self, pairs: Counter[AnswerPair]) -> None:
        """Add the pairs of both releases' answers to one request."""
        self._compared_requests += 1
        for pair, count in pairs.items():
            has_own_count = pair in self._answers or len(self._answers) < _MOST_KINDS
            self._answers[pair if has_own_count else replace(pair, group="")] += count

    def drop(self) -> None:
        """Count a request that was dropped, because too many waited."""
        self._dropped_requests += 1

    def leave_out(self) -> None:
        """Count a request that the shadow could not answer."""
        self._unanswered_requests += 1

    @property
    def state(self) -> ShadowState:
        """The counts so far."""
        return ShadowState(
            self._shadow,
            self.active,
            since=self._since,
            compared_requests=self._compared_requests,
            dropped_requests=self._dropped_requests,
            unanswered_requests=self._unanswered_requests,
            answers=tuple(self._answers.items()),
        )


def pairs_of(active_answers: Interpretation, shadow_answers: Interpretation) -> Counter[AnswerPair]:
    """Return the number of each pair of answers that two releases give the same rows; empty MICs are left out.

    Columns for which neither release has a model are left out.

    Args:
        active_answers: answers of the active release.
        shadow_answers: answers of the shadow, for the same test columns or more.
    """
    active, shadow = active_answers.panel, shadow_answers.panel
    pairs: Counter[AnswerPair] = Counter()
    columns_after = {answered_column.column.name: answered_column for answered_column in shadow_answers.columns}
    for active_column in active_answers.columns:
        column = active_column.column.model_column
        if not active_column.column.is_mic or (column not in active.tables and column not in shadow.tables):
            continue
        shadow_column = columns_after[active_column.column.name]
        is_asked = np.frombuffer(active_column.answers, np.uint8) != NOT_ASKED
        active_categories, shadow_categories = (
            _CATEGORY_OF[np.frombuffer(answered_column.answers, np.uint8)]
            for answered_column in (active_column, shadow_column)
        )
        unchanged_categories = active_categories[is_asked & (active_categories == shadow_categories)]
        for (category,), count in _counted(unchanged_categories):
            pairs[AnswerPair(column, "", _CATEGORIES[category], _CATEGORIES[category])] += count
        changed = is_asked & (active_categories != shadow_categories)
        for (former, later, new_number, old_number), count in _counted(
            active_categories[changed],
            shadow_categories[changed],
            shadow_column.numbers[changed],
            active_column.numbers[changed],
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
