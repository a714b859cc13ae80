"""Counts from the files of a model version: about its labels, its agreement in training, and its certificate.

Files of a registered version never change, and each is compared with its digest when it is read; so callers may keep
the facts by `facts_key`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sirena.certification.agreement import Agreement, Rate
from sirena.registry.certificates import certificate_digest, certificate_path
from sirena.registry.connection import Registry, speaks_to_mlflow
from sirena.registry.evidence import held_out_agreement
from sirena.registry.versions import REPORT, ModelVersion, read_files

FactsKey = tuple[str, int, str, str]
"""Model name, version number, and the digests of certificate and report."""


@dataclass(frozen=True)
class VersionFacts:
    """Counts from a version's training report and from its valid certificate."""

    edition: str = ""
    """Guideline edition of the certificate; empty if there is no certificate."""
    edition_digest: str = ""
    questions: int = 0
    """Number of questions of the certificate."""
    compared_questions: int = 0
    """Number of these questions for which the edition has a category."""
    agreements: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    """Numbers of questions answered otherwise than the edition, by kind: ``VME``, ``ME`` …."""
    labels: str = ""
    """Source of the categories it was trained with: ``reference``, ``file``, ``both``; empty when not known."""
    results: int = 0
    """Number of results of the laboratory's file among the evidence."""
    organisms: int = 0
    data: str = ""
    """SHA-256 of the training evidence."""
    held_out: Agreement | None = None
    """Agreement with results held out from training; None if no results were held out."""

    @property
    def differences(self) -> int:
        """Number of questions on which the version differs in any way from the guideline edition."""
        return sum(self.kinds.values())

    @property
    def agreement(self) -> Rate:
        """Share of questions answered as the guideline edition does, among those to which it gives a category."""
        return Rate(self.agreements, self.compared_questions)


def facts_key(version: ModelVersion) -> FactsKey:
    """Return the key by which a version's facts can be kept: equal keys mean equal facts."""
    return version.name, version.version, certificate_digest(version), version.tags.get(f"sirena.sha256.{REPORT}", "")


@speaks_to_mlflow
def read_version_facts(registry: Registry, version: ModelVersion) -> VersionFacts:
    """Return the counts from the files of a version.

    Args:
        registry: registry of the version.
        version: the version, of Sirena's or a foreign model; counts from missing files are left empty.

    Raises:
        IntegrityError: a file was changed since it was logged.
        RegistryError: MLflow does not return a file.
    """
    has_certificate, has_report = bool(certificate_digest(version)), f"sirena.sha256.{REPORT}" in version.tags
    names = [*([certificate_path(version)] if has_certificate else []), *([REPORT] if has_report else [])]
    documents = [json.loads(content) for content in read_files(registry, version, *names)]
    certificate: dict[str, Any] = documents[0] if has_certificate else {}
    report: dict[str, Any] = documents[-1] if has_report else {}
    evidence = report.get("evidence") or {}
    return VersionFacts(
        edition=str(certificate.get("edition", "")),
        edition_digest=str(certificate.get("edition_digest", "")),
        questions=int(certificate.get("asked", 0)),
        compared_questions=int(certificate.get("compared", 0)),
        agreements=int(certificate.get("agreements", 0)),
        kinds={str(kind): int(count) for kind, count in (certificate.get("kinds") or {}).items()},
        labels=str(report.get("label_source", "")),
        results=int(evidence.get("file_results", evidence.get("results", 0))),
        organisms=int(evidence.get("organisms", 0)),
        data=str(report.get("data_sha256", "")),
        held_out=held_out_agreement(report)[0],
    )
