"""The certificate as one page a microbiologist reads: Spanish and English, on screen or paper, no outside resource."""

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
"""Rows of a table on the page; beyond them the page says how many more the JSON names."""


def render_page(
    certificate: Certificate,
    *,
    language: str = "es",
    held_out: Agreement | None = None,
    held_out_by_organism: dict[str, Agreement] | None = None,
    verdict: Verdict | None = None,
) -> str:
    """Write the page; everything on it is escaped, model names included.

    Args:
        certificate: what to show.
        language: ``es`` or ``en``, shown first; the reader may switch.
        held_out: agreement with isolates the model was not trained on, when there are any.
        held_out_by_organism: the same by organism code.
        verdict: what the gate said, when it was asked.

    Raises:
        UsageError: an unknown language.
    """
    if language not in LANGUAGES:
        raise UsageError(f"no page in language {language}", hint=f"known are {', '.join(LANGUAGES)}")
    parsed = parse_test_column(certificate.column)
    return _template().render(
        c=certificate,
        language=language,
        drug=ANTIMICROBIALS.get(parsed.drug) if parsed else None,
        level=verdict_level(certificate),
        unsafe_cells=sum(entry.cells for entry in certificate.unsafe),
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
    """Write a fraction in per cent, never rounding an incomplete one up to 100."""
    if share != share:
        return "–"
    text = f"{100 * share:.2f}"
    return ("99.99" if text == "100.00" and share < 1 else text.replace("100.00", "100")) + "\u202f%"


def _rate(rate: Rate) -> str:
    if not rate.results:
        return "–"
    return f"{rate.events} / {rate.results} ({100 * rate.lower:.1f}–{100 * rate.upper:.1f}\u202f%)"
