"""Writing a page as PDF, tagged for screen readers (PDF/UA), without network requests."""

from pathlib import Path
from typing import Final

from sirena.whonet.errors import UnavailableFileError

_VARIANT: Final = "pdf/ua-1"


def write_pdf(page: str, path: Path) -> None:
    """Write a page that contains everything it shows as PDF.

    Raises:
        UnavailableFileError: a system library (Pango) is missing.
    """
    try:
        # needs Debian's libpango, which no other command does
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError:
        raise UnavailableFileError(
            "a PDF cannot be made: the library Pango is missing",
            hint="apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; or write .html",
        ) from None
    within = URLFetcher(allowed_protocols=["data"], fail_on_errors=True)
    path.write_bytes(HTML(string=page, url_fetcher=within).write_pdf(pdf_variant=_VARIANT))
