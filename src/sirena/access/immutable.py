"""Which runs and logged models a request would write to, so that files of registered versions are not changed.

MLflow itself allows it: whoever may train may overwrite a file of a version that answers for patients. The path of an
artifact shows what it belongs to: a run's folder is named by the run's id, a logged model's by ``m-`` and its id.
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
    """The runs and logged models that a request would write to."""

    identifiers: frozenset[str]
    """Ids of the runs and logged models."""
    new_certificate: str = ""
    """Path of a new certificate of a model, which may be added to a registered version but not changed; else empty."""


def read_write(method: str, target: RequestTarget) -> Write | None:
    """Return the runs and logged models that a request would write to; None if the request writes no artifact.

    Args:
        method: HTTP method of the request.
        target: path and query of the request.

    Raises:
        ForbiddenError: the request would delete a folder of more than one run or logged model.
    """
    if method in _READING:
        return None
    if place := _ARTIFACTS.fullmatch(target.path):
        identifiers = frozenset(_IDENTIFIER.findall(place["path"]))
        if method == "DELETE" and not identifiers:
            raise ForbiddenError("a folder of several runs or models is not deleted", hint="delete them one by one")
        certificate = place["path"] if method == "PUT" and _LATER_CERTIFICATE.fullmatch(place["path"]) else ""
        return Write(identifiers, certificate)
    if place := _MODEL.fullmatch(target.path):
        # MLflow's client notes on a logged model which versions were made of it, after they were made
        is_tagging = method == "PATCH" and place["rest"] == "/tags"
        return None if is_tagging or place["model"] == "search" else Write(frozenset({place["model"]}))
    if _UPLOAD.fullmatch(target.path):
        return Write(frozenset(target.query.get(name, "") for name in ("run_uuid", "run_id")) - {""})
    return None
