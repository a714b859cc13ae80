"""The certificates of a version: the one logged with it, and those made later against other editions.

A certificate logged inside a model cannot name the version, which MLflow numbers last; being inside says which
version it is of. One attached later lies beside the model, and a tag points to it. The newest counts.
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
"""Folder, within a model's, of certificates attached later."""
_KEPT: Final = re.compile(rf"{CERTIFICATES}/[0-9a-z-]+\.json")


def certificate_path(version: ModelVersion) -> str:
    """Return the path of the certificate that counts.

    A pointer that leads to no certificate kept with the version, whoever wrote it, leaves the one logged with it in
    force.
    """
    pointer = version.tags.get(POINTER_TAG, "")
    leads_to_one = _KEPT.fullmatch(pointer) and f"sirena.sha256.{pointer}" in version.tags
    return pointer if leads_to_one else LOGGED_CERTIFICATE


def certificate_digest(version: ModelVersion) -> str:
    """Return the SHA-256 of the certificate that counts; empty when there is none."""
    return version.tags.get(f"sirena.sha256.{certificate_path(version)}", "")


@speaks_to_mlflow
def attach_certificate(
    registry: Registry, version: ModelVersion, certificate: Mapping[str, Any], page: str
) -> ModelVersion:
    """Keep a further certificate with a version, ours or a stranger's; from now on it is the one that counts.

    Files first, then their hashes, the pointer last: dying in between leaves the former certificate in force.

    Args:
        registry: where.
        version: the version it was made of.
        certificate: as JSON; ``edition`` names the guideline edition.
        page: the same for people, HTML.

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
