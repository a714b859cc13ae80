"""The models of an installation for the pages, loaded at the first use, because importing MLflow takes seconds."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sirena.acts.model_house import ModelHouse
    from sirena.settings.catalogue import Settings


def models_of(settings: "Settings") -> "Callable[[], ModelHouse]":
    """Return a function that returns the models of an installation, always the same object."""

    @cache
    def house() -> "ModelHouse":
        from sirena.acts.model_house import ModelHouse

        return ModelHouse(settings)

    return house
