"""Who activated the release that gave an answer, for visitors who may see the evidence of models."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from sirena.domain.errors import SirenaError
from sirena.web.answers import NamedPanel
from sirena.web.visitor import Visitor

if TYPE_CHECKING:
    from sirena.acts.judged import AnsweringPeriod
    from sirena.acts.model_house import ModelHouse

_LOG = logging.getLogger(__name__)


def approval_of(house: "Callable[[], ModelHouse]", answers: NamedPanel, visitor: Visitor) -> "AnsweringPeriod | None":
    """Return who activated the release that answers, and when it began to answer.

    None if no model answers, if the visitor may not see it, or if the ledger does not tell: an answer is explained
    without a ledger too.

    Args:
        house: returns the models and releases.
        answers: the panel that answers.
        visitor: who sees the answer.
    """
    if not answers.by_models or not visitor.may("evidence"):
        return None
    try:
        return house().approval(answers.panel.release)
    except SirenaError as error:
        _LOG.warning("who approved %s is not at hand: %s", answers.panel.release, error.code)
        return None
