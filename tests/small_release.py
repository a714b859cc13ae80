"""Two small models and an active release in any registry, for tests of backup and drill."""

import os
import warnings
from typing import Any

from sirena.registry.connection import Registry, connect
from sirena.registry.models import log_model_version
from sirena.registry.releases import Release, create_release
from sirena.registry.versions import find_version
from sirena.settings.catalogue import Settings
from tests.integration.registry.registry_models import Trained, table
from tests.recorded_activation import activate_on_record

COLUMNS = ("AMK_NM", "CAZ_NM")


def make_release(settings: Settings, *, susceptible_to: float = 8.0) -> tuple[Registry, Release]:
    """Log models that answer S up to a concentration, make a release of them, and activate it on record."""
    registry = connect(settings)
    network = small_network()
    references = []
    for column in COLUMNS:
        report = {"seed": 7, "settings": {"epochs": 1}, "label_source": "reference", "data_sha256": "0" * 64}
        trained = Trained(column, network, table(column, susceptible_to=susceptible_to), report)
        references.append(
            str(
                log_model_version(
                    registry, trained, certificate={"edition": "CLSI 2025"}, certificate_html="", author="ana"
                )
            )
        )
    release = create_release(registry, [find_version(registry, name) for name in references], author="ana")
    # what is not on record as activated answers nothing
    return registry, activate_on_record(registry, release.name).release


def small_network() -> Any:
    """Return a network that can be stored; its answers are those of its table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import keras
    inputs = keras.Input((2,))
    return keras.Model(inputs, keras.layers.Dense(2)(inputs))
