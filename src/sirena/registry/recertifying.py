"""A certificate made anew from what will answer, and held against the one that was stored.

A stored certificate says what its author says. The table it speaks of is at hand and asking it takes milliseconds, so
what the gate judges are the facts found now; of the stored one only its identity counts (version, edition, answers),
and where that matches, its every fact has to match as well.
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
"""Names and times; and cut points, beside which a certificate may show the network's own."""


class ProofError(GateError):
    """What was registered is not what its evidence says; no override makes it so."""

    code = "not_proved"


def recertified(stored: Certificate, table: TruthTable, edition: Edition) -> Certificate:
    """Return the facts found now under the identity of a stored certificate.

    Args:
        stored: the certificate that counts.
        table: what will answer.
        edition: the rules in force.

    Raises:
        ProofError: it says of these answers and these rules other things than are found.
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
