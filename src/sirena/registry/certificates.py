"""The certificates of a model version: the one logged with it, and those made later against other editions.

A certificate logged inside a model cannot name the model's version, which MLflow numbers afterwards; where the
certificate is stored shows the version. A certificate attached later is stored in a folder next to the model, and a tag
points to it. The newest certificate is valid.
"""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sirena.registry.artifact_store import add_to_model
from sirena.registry.connection import Registry, speaks_to_mlflow
from sirena.registry.digests import canonical_json, sha256
from sirena.registry.versions import ModelVersion, find_version

LOGGED_CERTIFICATE: Final = "certificate.json"
POINTER_TAG: Final = "sirena.certificate"
CERTIFICATES: Final = "certificates"
"""Folder, within a model's, of the certificates attached later."""
_KEPT: Final = re.compile(rf"{CERTIFICATES}/[0-9a-z-]+\.json")


def certificate_path(version: ModelVersion) -> str:
    """Return the path of the certificate that is valid for a version.

    If the tag points to no certificate stored with the version, the one logged with the model is valid.
    """
    pointer = version.tags.get(POINTER_TAG, "")
    leads_to_one = _KEPT.fullmatch(pointer) and f"sirena.sha256.{pointer}" in version.tags
    return pointer if leads_to_one else LOGGED_CERTIFICATE


def certificate_digest(version: ModelVersion) -> str:
    """Return the SHA-256 of the valid certificate; empty if there is none."""
    return version.tags.get(f"sirena.sha256.{certificate_path(version)}", "")


@speaks_to_mlflow
def attach_certificate(
    registry: Registry, version: ModelVersion, certificate: Mapping[str, Any], page: str
) -> ModelVersion:
    """Store a further certificate with a version of Sirena's or of a foreign model; it becomes the valid certificate.

    The files are written first, then their hashes, and the pointer last: if the process dies in between, the former
    certificate stays valid.

    Args:
        registry: registry of the version.
        version: the certified version.
        certificate: certificate as JSON; ``edition`` names the guideline edition.
        page: the certificate as an HTML page.

    Returns:
        The version with its new tags.
    """
    contents = {".json": canonical_json(certificate), ".html": page.encode()}
    edition = re.sub(r"[^0-9a-z]+", "-", str(certificate.get("edition", "")).lower()).strip("-")
    stem = f"{edition or 'certificate'}-{sha256(contents['.json'])[:12]}"
    location = registry.models.get_model_version_download_uri(version.name, str(version.version))
    with tempfile.TemporaryDirectory(prefix="sirena-certificate-") as scratch:
        for suffix, content in contents.items():
            file = Path(scratch) / f"{stem}{suffix}"
            file.write_bytes(content)
            add_to_model(registry, location, file, CERTIFICATES)
    tags = {f"sirena.sha256.{CERTIFICATES}/{stem}{suffix}": sha256(content) for suffix, content in contents.items()}
    tags["sirena.edition"] = str(certificate.get("edition", ""))
    tags[POINTER_TAG] = f"{CERTIFICATES}/{stem}.json"
    for key, value in tags.items():
        registry.models.set_model_version_tag(version.name, str(version.version), key, value)
    return find_version(registry, str(version))
