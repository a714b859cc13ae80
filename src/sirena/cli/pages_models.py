"""Who knows the models, for the pages: asked when somebody first looks, because MLflow takes seconds to load."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sirena.acts.model_house import ModelHouse
    from sirena.settings.catalogue import Settings


def models_of(settings: "Settings") -> "Callable[[], ModelHouse]":
    """Return what returns the models of an installation, always the same."""

    @cache
    def house() -> "ModelHouse":
        from sirena.acts.model_house import ModelHouse

        return ModelHouse(settings)

    return house
