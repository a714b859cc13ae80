"""Which requests take a model out of the house, and which model.

A model is many files, and `sirena promote` reads some of them for its gate. So what goes on record is one entry for
each account and model, told again after an hour, and not one for each file.
"""

import re
from typing import Final

from sirena.access.actions import Action
from sirena.access.decision import Decision

TOLD_AGAIN_AFTER: Final = 3600.0
"""Seconds."""
_LOGGED_MODEL: Final = re.compile(r"/(?:models|logged-models)/(m-[0-9a-f]{32})/")


def model_taken(decision: Decision) -> str:
    """Return the model a request fetches files of; empty when it fetches none.

    MLflow keeps a model's files under the name of the logged model (``models/m-<id>``), which is what a registered
    version's source says too; its pages also ask by name and version.
    """
    if decision.asked.action is not Action.DOWNLOAD:
        return ""
    logged = _LOGGED_MODEL.search(decision.target.path)
    if logged:
        return f"models/{logged[1]}"
    name = decision.asked.model
    return f"{name}/{decision.target.query.get('version', '')}" if name else ""
