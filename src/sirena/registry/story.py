"""The description of a model version in MLflow: the figures that the gate judges, the origin of evidence, and words.

No patient's data are included: evidence is counted by cell (organism, MIC, label), and its digest identifies it.

Rules, each with a test of like name:

- CA, VME, ME and mE are those of held-out results, each with its counts and the limit that the gate judges;
- a rate among no results is left out, since it would look like zero;
- the certificate's counts are questions, one for each organism, site, MIC and comparator;
- words are in English and Spanish.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sirena.certification.agreement import Agreement
from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.test_column import GUIDELINES, parse_test_column

_LABELS: Final = {
    "reference": ("the guideline edition alone", "la edición de la guía, y nada más"),
    "both": (
        "the guideline edition, and the laboratory's labels where it is silent",
        "la edición de la guía y, donde calla, las etiquetas del laboratorio",
    ),
    "file": ("the laboratory's labels alone", "las etiquetas del laboratorio, y nada más"),
}


def story_metrics(held_out: Agreement | None, certificate: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics of a version in addition to those of its training.

    Args:
        held_out: agreement with results that the model was not trained on; None if there are none.
        certificate: the certificate as JSON.
    """
    return {**dict(_agreement(held_out or Agreement())), **dict(_certificate(certificate))}


def _agreement(held_out: Agreement) -> Iterator[tuple[str, float]]:
    if held_out.results:
        yield "held_out/results", held_out.results
        yield "held_out/answered", held_out.answered
        yield "held_out/answered_share", held_out.answered_rate.share
    for name, rate, limit, bound in (
        ("CA", held_out.categorical, "lower", held_out.categorical.lower),
        ("VME", held_out.very_major_error, "upper", held_out.very_major_error.upper),
        ("ME", held_out.major_error, "upper", held_out.major_error.upper),
        ("mE", held_out.minor_error, "upper", held_out.minor_error.upper),
    ):
        if rate.results:
            yield f"held_out/{name}", rate.share
            yield f"held_out/{name}_{limit}_limit", bound
            yield f"held_out/{name}_count", rate.events
            yield f"held_out/{name}_of", rate.results


def _certificate(certificate: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name in ("asked", "compared", "agreements"):
        if name in certificate:
            yield f"certificate/{name}", certificate[name]
    for kind, count in dict(certificate.get("kinds") or {}).items():
        yield f"certificate/{kind}", count


def version_description(column: str, report: Mapping[str, Any], certificate: Mapping[str, Any]) -> str:
    """Return the description of a version for MLflow's page."""
    evidence = report.get("evidence") or {}
    english, spanish = _LABELS.get(str(report.get("label_source", "")), ("", ""))
    kinds = dict(certificate.get("kinds") or {})
    edition, questions = certificate.get("edition", ""), int(certificate.get("asked", 0))
    differing_answers, unsafe = sum(kinds.values()), kinds.get("VME", 0)
    digest, results = str(report.get("data_sha256", ""))[:12], int(evidence.get("file_results", 0))
    organisms = int(evidence.get("organisms", 0))
    drug = _drug(column)
    return (
        f"Answers {drug[0]} ({column}) for {organisms:,} organisms. Learnt from {english or 'unknown labels'}; "
        f"{results:,} results of the file, evidence {digest}. Certified against {edition}: {questions:,} questions, "
        f"{differing_answers:,} differ, {unsafe:,} of them S where the edition says R.\n\n"
        f"Responde {drug[1]} ({column}) para {_spanish(organisms)} microorganismos. Aprendió de "
        f"{spanish or 'etiquetas desconocidas'}; {_spanish(results)} resultados del archivo, evidencia {digest}. "
        f"Certificado frente a {edition}: {_spanish(questions)} preguntas, {_spanish(differing_answers)} difieren, "
        f"{_spanish(unsafe)} de ellas S donde dice R."
    )


def _spanish(number: int) -> str:
    """Return a number with spaces between thousands; commas would be read as decimal signs."""
    return f"{number:,}".replace(",", "\u00a0")


def model_description(column: str) -> str:
    """Return the description of a registered model for MLflow's page.

    >>> model_description("AMK_NM").splitlines()[0]
    'Amikacin by CLSI: S / I / R from organism, MIC (mg/L) and specimen.'
    """
    english, spanish = _drug(column)
    test_column = parse_test_column(column)
    guideline = GUIDELINES[test_column.guideline] if test_column else ""
    return (
        f"{english} by {guideline}: S / I / R from organism, MIC (mg/L) and specimen.\n"
        "Releases of Sirena take the version in production; laboratories are answered by releases.\n\n"
        f"{spanish} según {guideline}: S / I / R a partir de microorganismo, CIM (mg/L) y muestra.\n"
        "Las publicaciones de Sirena toman la versión en producción; los laboratorios reciben respuesta de ellas."
    )


def _drug(column: str) -> tuple[str, str]:
    test_column = parse_test_column(column)
    drug = ANTIMICROBIALS.get(test_column.drug) if test_column else None
    return (drug.english, drug.spanish) if drug else (column, column)
