"""The models of an installation for the pages, loaded at the first use, because importing MLflow takes seconds."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sirena.acts.installed_models import InstalledModels
    from sirena.settings.catalogue import Settings


def models_of(settings: "Settings") -> "Callable[[], InstalledModels]":
    """Return a function that returns the models of an installation, always the same object."""

    @cache
    def installed_models() -> "InstalledModels":
        from sirena.acts.installed_models import InstalledModels

        return InstalledModels(settings)

    return installed_models
