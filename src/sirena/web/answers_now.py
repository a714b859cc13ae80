"""What answers on the pages at this moment: the active release, or guideline editions until a release is active."""

import math
import time
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING, Final

from sirena.domain.rule_kind import RuleKind
from sirena.guidelines.choice import choose_editions
from sirena.guidelines.editions import Editions
from sirena.guidelines.written_rules import RulesSource
from sirena.serving.holder import PanelHolder
from sirena.web.answers import NamedPanel, answers_of_editions, answers_of_release

if TYPE_CHECKING:
    from sirena.acts.local_rules import LocalRules

_SECONDS: Final = 1.0
"""Seconds for which the rules in force are not read again."""


class AnswersNow:
    """Callable that returns the panel that answers now."""

    def __init__(self, holder: PanelHolder, editions: "EditionsNow") -> None:
        """Create the callable; nothing is read yet.

        Args:
            holder: holder of the active release's panel.
            editions: guideline editions that answer until there is an active release.
        """
        self._holder = holder
        self._editions = editions
        self._last: NamedPanel | None = None

    def __call__(self) -> NamedPanel:
        """Return the panel that answers now."""
        marked_panel = self._holder.loaded_panel
        if marked_panel is None:
            return self._editions()
        last = self._last
        if last is None or last.panel is not marked_panel.panel:
            last = self._last = answers_of_release(marked_panel.panel)
        return last


class EditionsNow:
    """Callable that returns the guideline editions, with the hospital's own rules in force now, as a panel."""

    def __init__(self, editions: Editions, rules: "LocalRules", guideline: Sequence[str] = ()) -> None:
        """Create the callable; nothing is read yet.

        Args:
            editions: guideline editions to choose from.
            rules: the hospital's own rules.
            guideline: names of guideline editions; empty means the newest in force.
        """
        self._editions = editions
        self._rules = rules
        self._guideline = guideline
        self._read_time = -math.inf
        self._last: tuple[RulesSource | None, NamedPanel] | None = None
        self._one_at_a_time = Lock()

    def overlay(self) -> RulesSource | None:
        """Return the hospital's rules in force on top of guideline editions; None if there are none.

        Raises:
            SirenaError: the ledger cannot be read, or is not as it was written.
        """
        return self._rules.in_force(RuleKind.OVERLAY).source

    def __call__(self) -> NamedPanel:
        """Return the editions compiled to a panel; the rules in force are read at most once a second.

        Raises:
            SirenaError: the ledger cannot be read, or is not as it was written.
        """
        with self._one_at_a_time:
            if self._last is None or time.monotonic() >= self._read_time + _SECONDS:
                overlay = self.overlay()
                if self._last is None or self._last[0] != overlay:
                    chosen = choose_editions(self._editions, self._guideline, in_force=overlay)
                    self._last = overlay, answers_of_editions(chosen)
                self._read_time = time.monotonic()
            return self._last[1]
