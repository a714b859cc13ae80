"""Who activated the release that gave an answer, for visitors who may see the evidence of models."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from sirena.domain.errors import SirenaError
from sirena.web.answers import NamedPanel
from sirena.web.visitor import Visitor

if TYPE_CHECKING:
    from sirena.acts.installed_models import InstalledModels
    from sirena.acts.judged import AnsweringPeriod

_LOG = logging.getLogger(__name__)


def approval_of(
    installed_models: "Callable[[], InstalledModels]", answers: NamedPanel, visitor: Visitor
) -> "AnsweringPeriod | None":
    """Return who activated the release that answers, and when the release began to answer.

    Return None if no model answers, if the visitor may not see this, or if the ledger does not say: an answer is
    explained without a ledger too.

    Args:
        installed_models: function that returns the models and releases.
        answers: the panel that answers.
        visitor: the visitor who sees the answer.
    """
    if not answers.by_models or not visitor.may("evidence"):
        return None
    try:
        return installed_models().approval(answers.panel.release)
    except SirenaError as error:
        _LOG.warning("who approved %s is not at hand: %s", answers.panel.release, error.code)
        return None
