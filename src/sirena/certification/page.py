"""The certificate as one page for a microbiologist, in Spanish and English, for screen or paper."""

from functools import lru_cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from sirena.certification.agreement import Agreement, Rate
from sirena.certification.certificate import Certificate
from sirena.certification.comparison import Kind
from sirena.certification.gate import Verdict
from sirena.certification.page_model import cut_point_rows, disagreement_rows, verdict_level
from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.errors import UsageError
from sirena.domain.test_column import parse_test_column

LANGUAGES: Final = ("es", "en")
MOST_ROWS: Final = 400
"""Most rows of a table on the page; the page says how many more the JSON has."""


def render_page(
    certificate: Certificate,
    *,
    language: str = "es",
    held_out: Agreement | None = None,
    held_out_by_organism: dict[str, Agreement] | None = None,
    verdict: Verdict | None = None,
) -> str:
    """Return the certificate's page as HTML; every text on it is escaped, model names included.

    Args:
        certificate: the certificate.
        language: language shown first, ``es`` or ``en``; the reader may switch.
        held_out: agreement with isolates that the model was not trained on, if there are any.
        held_out_by_organism: the same agreement by organism code.
        verdict: the gate's verdict, if there is one.

    Raises:
        UsageError: the language is unknown.
    """
    if language not in LANGUAGES:
        raise UsageError(f"no page in language {language}", hint=f"known are {', '.join(LANGUAGES)}")
    test_column = parse_test_column(certificate.column)
    return _template().render(
        c=certificate,
        language=language,
        drug=ANTIMICROBIALS.get(test_column.drug) if test_column else None,
        level=verdict_level(certificate),
        unsafe_cells=sum(entry.cells for entry in certificate.unsafe_disagreements),
        rows=disagreement_rows(certificate.disagreements),
        beyond_rows=disagreement_rows(certificate.beyond),
        cut_points=cut_point_rows(certificate.cut_points),
        has_network=any(point.network_susceptible is not None for point in certificate.cut_points),
        reasons=sorted(set(certificate.refusals) | set(certificate.reference_refusals)),
        held_out=held_out,
        held_out_by_organism=held_out_by_organism or {},
        verdict=verdict,
        most_rows=MOST_ROWS,
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("sirena.certification"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda value: f"{value:,}".replace(",", "\u202f")
    environment.filters["percent"] = _percent
    environment.filters["rate"] = _rate
    environment.globals["Kind"] = Kind
    return environment.get_template("certificate.html.j2")


def _percent(share: float) -> str:
    """Return a fraction in per cent; a fraction below 1 is never rounded up to 100."""
    if share != share:
        return "–"
    text = f"{100 * share:.2f}"
    return ("99.99" if text == "100.00" and share < 1 else text.replace("100.00", "100")) + "\u202f%"


def _rate(rate: Rate) -> str:
    if not rate.results:
        return "–"
    return f"{rate.events} / {rate.results} ({100 * rate.lower:.1f}–{100 * rate.upper:.1f}\u202f%)"
