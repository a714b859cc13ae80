"""Writes of artifacts: which runs and logged models a request would change, so that registered ones stay as they are.

MLflow decides nothing of the kind: whoever may train may overwrite the file of a version that answers for patients.
Where artifacts lie in MLflow is told by their path: a run's folder is named by its id, a logged model's ``m-`` and id.
"""

import re
from dataclasses import dataclass
from typing import Final

from sirena.access.errors import ForbiddenError
from sirena.access.paths import RequestTarget

_IDENTIFIER: Final = re.compile(r"(?<![0-9a-z-])(?:m-)?[0-9a-f]{32}(?![0-9a-z])")
"""Id of a run or a logged model, as MLflow makes them."""
_ARTIFACTS: Final = re.compile(r"/(?:ajax-)?api/2\.0/mlflow-artifacts/(?:artifacts|mpu/\w+)/(?P<path>.+)")
_MODEL: Final = re.compile(r"/(?:ajax-)?api/2\.0/mlflow/logged-models/(?P<model>[^/]+)(?P<rest>/.*)?")
_UPLOAD: Final = re.compile(r"/(?:ajax-)?api/2\.0/mlflow/upload-artifact")
_LATER_CERTIFICATE: Final = re.compile(r"[^/]+/models/m-[0-9a-f]{32}/artifacts/certificates/[0-9a-z-]+\.(?:json|html)")
_READING: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Write:
    """What a request would write to."""

    identifiers: frozenset[str]
    """Runs and logged models named."""
    new_certificate: str = ""
    """Path of a certificate made later, which may be added to a registered version but not changed; else empty."""


def read_write(method: str, target: RequestTarget) -> Write | None:
    """Return what a request would write to; None when it writes no artifact.

    Args:
        method: of the request.
        target: path and query.

    Raises:
        ForbiddenError: it would delete more than one run or logged model at once.
    """
    if method in _READING:
        return None
    if place := _ARTIFACTS.fullmatch(target.path):
        named = frozenset(_IDENTIFIER.findall(place["path"]))
        if method == "DELETE" and not named:
            raise ForbiddenError("a folder of several runs or models is not deleted", hint="delete them one by one")
        certificate = place["path"] if method == "PUT" and _LATER_CERTIFICATE.fullmatch(place["path"]) else ""
        return Write(named, certificate)
    if place := _MODEL.fullmatch(target.path):
        # MLflow's client notes on a logged model which versions were made of it, after they were made
        noting = method == "PATCH" and place["rest"] == "/tags"
        return None if noting or place["model"] == "search" else Write(frozenset({place["model"]}))
    if _UPLOAD.fullmatch(target.path):
        return Write(frozenset(target.query.get(name, "") for name in ("run_uuid", "run_id")) - {""})
    return None
