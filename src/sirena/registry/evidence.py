"""The evidence that the gate judges about a registered version: certificate, origin, held-out results."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sirena.certification import certificate_file
from sirena.certification.agreement import Agreement
from sirena.certification.asking import ask_table
from sirena.certification.evidence import GateStage, LearntSource, PromotionEvidence
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.editions import Edition
from sirena.registry.certificates import certificate_path
from sirena.registry.connection import Registry, speaks_to_mlflow
from sirena.registry.recertifying import recertified
from sirena.registry.versions import REPORT, TRUTH_TABLE, ModelVersion, read_files

_LABELS: Final = {
    "reference": LearntSource.REFERENCE,
    "file": LearntSource.LABORATORY,
    "both": LearntSource.BOTH,
}


EvidenceByContent = dict[tuple[str, ...], PromotionEvidence]
"""Evidence by a version's name and the SHA-256 of its files: the same bytes and rules give the same evidence."""


@speaks_to_mlflow
def promotion_evidence(
    registry: Registry,
    version: ModelVersion,
    stage: GateStage,
    *,
    edition: Callable[[str], Edition],
    approver: str,
    embedded: bool,
    evidence_by_content: EvidenceByContent | None = None,
) -> PromotionEvidence:
    """Return the evidence for deciding on a version's promotion.

    Args:
        registry: registry of the version.
        version: the version.
        stage: stage to promote to.
        edition: returns the rules in force now for a certificate's edition.
        approver: account that promotes.
        embedded: True on one person's machine.
        evidence_by_content: evidence found before, to which what is found now is added; the files are
            read and checked all the same.

    Raises:
        UsageError: the version has no certificate.
        ProofError: the certificate differs from the one made again from the table.
        IntegrityError: certificate, report or table were changed after logging.
    """
    names = (certificate_path(version), *((REPORT, TRUTH_TABLE) if version.is_ours else ()))
    contents = read_files(registry, version, *names)
    memo = evidence_by_content if evidence_by_content is not None else {}
    key = (str(version), *(version.tags[f"sirena.sha256.{name}"] for name in names))
    evidence = memo.get(key)
    if evidence is None or edition(evidence.certificate.edition).digest != evidence.edition_digest:
        evidence = memo[key] = _evidence(version, contents, edition, stage, approver, embedded=embedded)
    # what does not follow from the files is of this decision
    return replace(
        evidence, stage=stage, author=version.author, makers=version.makers, approver=approver, embedded=embedded
    )


def _evidence(
    version: ModelVersion,
    contents: Sequence[bytes],
    edition: Callable[[str], Edition],
    stage: GateStage,
    approver: str,
    *,
    embedded: bool,
) -> PromotionEvidence:
    documents = [json.loads(content) for content in contents]
    certificate = certificate_file.from_json(documents[0])
    if not certificate.subject.version and certificate.subject.model == version.name:
        # logged inside the model, before MLflow numbered the version
        certificate = replace(certificate, subject=replace(certificate.subject, version=str(version.version)))
    in_force = edition(certificate.edition)
    table = TruthTable.from_json(documents[2]) if version.is_ours else None
    if table is not None:
        certificate = recertified(certificate, table, in_force)
    report: dict[str, Any] = documents[1] if version.is_ours else {}
    cells = report.get("evidence") or {}
    agreement, by_organism = held_out_agreement(report)
    return PromotionEvidence(
        certificate=certificate,
        model=version.name,
        version=str(version.version),
        edition_digest=in_force.digest,
        stage=stage,
        author=version.author,
        makers=version.makers,
        approver=approver,
        embedded=embedded,
        labels=_LABELS.get(str(report.get("label_source")), LearntSource.UNKNOWN),
        held_out=agreement,
        held_out_by_organism=by_organism,
        training_isolates=int(cells.get("results", 0)) - int(cells.get("held_out_results", 0)),
        training_cells=int(cells.get("cells", 0)),
        answers_digest=ask_table(table).digest if table is not None else "",
    )


def held_out_agreement(report: Mapping[str, Any]) -> tuple[Agreement | None, dict[str, Agreement]]:
    """Return a training report's agreement with held-out isolates, pooled and by organism; None if there were none."""
    held_out = report.get("held_out")
    if not held_out:
        return None, {}
    by_organism = {organism: read_agreement(counts) for organism, counts in held_out["by_organism"].items()}
    return read_agreement(held_out["pooled"]), by_organism


def read_agreement(counts: Mapping[str, Any]) -> Agreement:
    """Return agreement from the form of `certification` or of `training` (``labelled`` and ``confusion`` by level)."""
    if "confusion" not in counts:
        return Agreement.from_json(counts)
    return Agreement.of_confusion(int(counts["labelled"]), counts["confusion"])
