"""The certificate as JSON; it is stored with the model version, and the gate reads it."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from sirena.certification.certificate import Certificate, Subject
from sirena.certification.comparison import Disagreement, Kind
from sirena.certification.cut_points import CutPoint
from sirena.certification.grid import COMPARATORS, SCALE
from sirena.certification.monotonicity import Reversal
from sirena.domain.errors import SirenaError

SCHEMA: Final = "sirena-certificate/2"
"""Name and version of the JSON form; the number rises when an older reader would misread the form."""

_ENTRIES: Final = ("disagreements", "beyond", "reversals", "cut_points")


class UnreadableCertificateError(SirenaError):
    """The document is not a certificate in a form that this version of Sirena can read."""

    code = "unreadable_certificate"


def to_json(certificate: Certificate) -> dict[str, Any]:
    """Return the whole certificate as plain JSON values.

    They include the MIC scale, so that each cell of a merged disagreement can be found: the numbers from ``from`` to
    ``to`` in ``scale.numbers``.

    >>> from sirena.certification.certificate import certify
    >>> from sirena.guidelines.editions import load_edition
    >>> from sirena.guidelines.interpreter import compile_tables
    >>> table = compile_tables(load_edition("CLSI 2026"), ["SPT"])["SPT"]
    >>> proof = certify(table, table, edition="CLSI 2026", edition_digest="", subject=Subject("modelo_SPT_NM", "1"))
    >>> document = to_json(proof)
    >>> document["schema"], document["compared"], document["agreements"]
    ('sirena-certificate/2', 244, 244)
    """
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "scale": {"numbers": list(SCALE), "comparators": [sign.value for sign in COMPARATORS], "unit": "mg/L"},
    }
    for field in fields(Certificate):
        value = getattr(certificate, field.name)
        if field.name in _ENTRIES:
            value = [entry.to_json() for entry in value]
        elif field.name == "subject":
            value = asdict(value)
        elif isinstance(value, Mapping):
            value = {str(key): count for key, count in value.items()}
        elif isinstance(value, tuple):
            value = list(value)
        document[field.name] = value
    return document


def from_json(document: Mapping[str, Any]) -> Certificate:
    """Return the certificate that `to_json` converted to JSON.

    Raises:
        UnreadableCertificateError: the document is no certificate, or has another schema.

    >>> from sirena.certification.certificate import certify
    >>> from sirena.guidelines.editions import load_edition
    >>> from sirena.guidelines.interpreter import compile_tables
    >>> table = compile_tables(load_edition("CLSI 2026"), ["SPT"])["SPT"]
    >>> proof = certify(table, table, edition="CLSI 2026", edition_digest="", subject=Subject("modelo_SPT_NM", "1"))
    >>> from_json(to_json(proof)) == proof
    True
    """
    if document.get("schema") != SCHEMA:
        raise UnreadableCertificateError(
            f"not a certificate of schema {SCHEMA}", hint="certify the model again with this version of Sirena"
        )
    try:
        values = {field.name: document[field.name] for field in fields(Certificate)}
        values |= {
            "subject": Subject(**values["subject"]),
            "kinds": {Kind(kind): int(count) for kind, count in values["kinds"].items()},
            **{name: tuple(values[name]) for name in ("organisms", "keys", "doubts")},
            "organisms_without_reference": tuple(values["organisms_without_reference"]),
            "disagreements": tuple(Disagreement.from_json(entry) for entry in values["disagreements"]),
            "beyond": tuple(Disagreement.from_json(entry) for entry in values["beyond"]),
            "reversals": tuple(Reversal.from_json(entry) for entry in values["reversals"]),
            "cut_points": tuple(CutPoint.from_json(entry) for entry in values["cut_points"]),
        }
        return Certificate(**values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableCertificateError(
            f"a damaged certificate of schema {SCHEMA}", hint="certify the model again"
        ) from error
