"""Making a certificate again from the table that will answer, and comparing it with the stored one.

A stored certificate is its author's claim. The model's truth table is available and asking it takes milliseconds, so
the gate judges the facts found now. If version, edition and answers of the stored certificate match, all its facts must
match too.
"""

from dataclasses import fields, replace
from typing import Final

from sirena.certification.certificate import Certificate, certify
from sirena.domain.errors import GateError
from sirena.domain.test_column import parse_test_column
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.editions import Edition
from sirena.registry.reference import reference_for

_NOT_COMPARED: Final = frozenset({"subject", "edition", "certified_at", "sirena_version", "cut_points"})
"""Facts that are not compared: names and times; and cut points, which may include the network's own."""


class ProofError(GateError):
    """What was registered differs from what its evidence claims; this refusal cannot be overridden."""

    code = "not_proved"


def recertified(certificate: Certificate, table: TruthTable, edition: Edition) -> Certificate:
    """Return a certificate with the facts found now and the identity of the stored certificate.

    Args:
        certificate: the valid certificate.
        table: the table that will answer.
        edition: the guideline edition in force.

    Raises:
        ProofError: the stored certificate is of the same answers and rules, and its facts differ.
    """
    if parse_test_column(table.column) is None:
        raise ProofError(f"{certificate.subject.model}: its table answers no test column")
    reference = reference_for(edition, table.column)
    renewal = certify(
        table, reference, edition=certificate.edition, edition_digest=edition.digest, subject=certificate.subject
    )
    same = (certificate.edition_digest, certificate.answers_digest) == (
        renewal.edition_digest,
        renewal.answers_digest,
    )
    if same:
        facts = [
            field.name
            for field in fields(Certificate)
            if field.name not in _NOT_COMPARED and getattr(certificate, field.name) != getattr(renewal, field.name)
        ]
        if facts:
            raise ProofError(
                f"{certificate.subject.model}/{certificate.subject.version}: its certificate is not what is found when "
                f"its table is asked; they differ in {', '.join(facts)}",
                hint=f"certify it again: sirena certify {certificate.subject.model}/{certificate.subject.version}",
            )
    return replace(renewal, edition_digest=certificate.edition_digest, answers_digest=certificate.answers_digest)
