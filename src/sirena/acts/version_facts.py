"""What the files of a model version say in numbers: whose labels it learnt, how it did, what its certificate counts.

Files of a registered version never change, and each is held against its digest as it is read; so who looks often may
keep the facts by `facts_key`.
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
"""Model, version, and the digests of certificate and report."""


@dataclass(frozen=True)
class VersionFacts:
    """Counts of a version's training report and of the certificate that counts."""

    edition: str = ""
    """Guideline edition of the certificate; empty without one."""
    edition_digest: str = ""
    asked: int = 0
    """Questions of the certificate."""
    compared: int = 0
    """Of these, questions the edition has a category for."""
    agreements: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    """Questions that differ, by kind: ``VME``, ``ME`` …."""
    labels: str = ""
    """Whose categories it learnt: ``reference``, ``file``, ``both``; empty when it is not known."""
    results: int = 0
    """Results of the laboratory's file among the evidence."""
    organisms: int = 0
    data: str = ""
    """SHA-256 of the evidence."""
    held_out: Agreement | None = None
    """Agreement with results it did not learn; None when none were held out."""

    @property
    def differing(self) -> int:
        """Questions that differ from the edition, of any kind."""
        return sum(self.kinds.values())

    @property
    def agreement(self) -> Rate:
        """Questions of the certificate answered as the edition does, of those it has a category for."""
        return Rate(self.agreements, self.compared)


def facts_key(version: ModelVersion) -> FactsKey:
    """Return the name of a version's facts: with the same one they are the same."""
    return version.name, version.version, certificate_digest(version), version.tags.get(f"sirena.sha256.{REPORT}", "")


@speaks_to_mlflow
def read_version_facts(registry: Registry, version: ModelVersion) -> VersionFacts:
    """Return what the files of a version say.

    Args:
        registry: where.
        version: ours or a stranger's; what it does not hold is left at nothing.

    Raises:
        IntegrityError: a file is not the one that was logged.
        RegistryError: MLflow does not give it.
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
        asked=int(certificate.get("asked", 0)),
        compared=int(certificate.get("compared", 0)),
        agreements=int(certificate.get("agreements", 0)),
        kinds={str(kind): int(count) for kind, count in (certificate.get("kinds") or {}).items()},
        labels=str(report.get("label_source", "")),
        results=int(evidence.get("file_results", evidence.get("results", 0))),
        organisms=int(evidence.get("organisms", 0)),
        data=str(report.get("data_sha256", "")),
        held_out=held_out_agreement(report)[0],
    )
