"""Making a certificate again from the table that will answer, and comparing it with the stored one.

A stored certificate is its author's claim. Its table is available and asking it takes milliseconds, so the gate judges
the facts found now. If version, edition and answers of the stored certificate match, all its facts must match too.
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
    """What was registered differs from what its evidence claims; this cannot be overridden."""

    code = "not_proved"


def recertified(stored: Certificate, table: TruthTable, edition: Edition) -> Certificate:
    """Return a certificate with the facts found now and the identity of a stored one.

    Args:
        stored: the valid certificate.
        table: the table that will answer.
        edition: the rules in force.

    Raises:
        ProofError: the stored certificate is of the same answers and rules, and its facts differ.
    """
    if parse_test_column(table.column) is None:
        raise ProofError(f"{stored.subject.model}: its table answers no test column")
    reference = reference_for(edition, table.column)
    found = certify(table, reference, edition=stored.edition, edition_digest=edition.digest, subject=stored.subject)
    same = (stored.edition_digest, stored.answers_digest) == (found.edition_digest, found.answers_digest)
    if same:
        differing = [
            field.name
            for field in fields(Certificate)
            if field.name not in _NOT_COMPARED and getattr(stored, field.name) != getattr(found, field.name)
        ]
        if differing:
            raise ProofError(
                f"{stored.subject.model}/{stored.subject.version}: its certificate is not what is found when its table "
                f"is asked; they differ in {', '.join(differing)}",
                hint=f"certify it again: sirena certify {stored.subject.model}/{stored.subject.version}",
            )
    return replace(found, edition_digest=stored.edition_digest, answers_digest=stored.answers_digest)
