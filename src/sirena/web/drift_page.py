"""The page of drift: how a quarter of an open file differs from the year before and from the training data.

Rules, each with a test of like name:

- every figure is that of the command line: `stewardship.drift` measures for both;
- a period that the file does not have is ignored, so that no address makes the page fail.
"""

import json
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from sirena.domain.errors import UsageError
from sirena.domain.language import Language
from sirena.panel.frame import Isolates
from sirena.stewardship.drawing import draw
from sirena.stewardship.drift import Drift, measure_drift
from sirena.stewardship.drift_charts import drift_chart
from sirena.stewardship.drift_populations import TrainingCounts
from sirena.stewardship.drift_words import drift_document, percent, points, what_is_compared
from sirena.stewardship.isolates import CountableIsolates
from sirena.stewardship.periods import Period, quarter_of
from sirena.stewardship.results import interpret_results
from sirena.web.antibiogram_query import years_of
from sirena.web.attachments import attachment
from sirena.web.opened_file import OpenedFile
from sirena.web.pages import NOT_FOUND, Pages
from sirena.web.records import downloaded_facts
from sirena.web.training_side import TrainingSide

WHOLE: Final = "all"
"""Period that means the whole file."""
_PICTURES: Final = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
FORMS: Final = ("json", *_PICTURES)
"""Formats that a browser may download, by the end of the file's name."""


@dataclass(frozen=True)
class DriftLook:
    """The drift measured for the page, its chart and its downloads."""

    drift: Drift | None
    """The measured drift; None if nothing can be compared."""

    @property
    def size(self) -> int:
        """Approximate size in memory, in bytes."""
        return len(repr(self.drift))


def add_drift(app: FastAPI, pages: Pages, training: TrainingSide) -> None:
    """Add the routes of the pages that show drift.

    Args:
        app: the application.
        pages: what all pages need.
        training: returns the counts of the models' training evidence.
    """

    def drift_of(opened_file: OpenedFile, period: str) -> Drift | None:
        training_counts = training.of(opened_file.answers)
        is_whole = period == WHOLE and training_counts is not None
        chosen_period = Period.read(period) if not is_whole and period in periods_of(opened_file.countable) else None
        question = ("drift", is_whole, chosen_period, training_counts is not None)
        return opened_file.looks.look(
            question, lambda: DriftLook(measure(opened_file, training_counts, chosen_period, is_whole=is_whole))
        ).drift

    def measure(
        opened_file: OpenedFile, training_counts: TrainingCounts | None, chosen_period: Period | None, *, is_whole: bool
    ) -> Drift | None:
        results = interpret_results(Isolates.of_file(opened_file.file), opened_file.answers.table_of)
        try:
            return measure_drift(
                opened_file.countable,
                results,
                opened_file.answers.table_of,
                training=training_counts,
                period=chosen_period,
                whole=is_whole,
            )
        except UsageError:
            return None

    def picture_of(request: Request, drift: Drift | None, form: str) -> bytes:
        chart = drift and drift_chart(drift, Language(pages.language_of(request)))
        if not chart:
            raise HTTPException(NOT_FOUND)
        return draw(chart.specification, form)

    @app.get("/files/{identifier}/drift")
    def show(request: Request, identifier: str, period: str = "") -> HTMLResponse:
        opened_file = pages.require(request, identifier)
        language = Language(pages.language_of(request))
        drift = drift_of(opened_file, period)
        return pages.show(
            request,
            "drift.html",
            identifier=identifier,
            opened_file=opened_file,
            period=period,
            periods=periods_of(opened_file.countable),
            whole=WHOLE,
            drift=drift,
            charted=drift is not None and drift_chart(drift, language) is not None,
            what=lambda comparison: what_is_compared(comparison, language),
            points=lambda share: points(share, language),
            percent=lambda share: percent(share, language),
            forms=list(FORMS),
        )

    @app.get("/files/{identifier}/drift/chart")
    def picture(request: Request, identifier: str, period: str = "") -> Response:
        opened_file = pages.require(request, identifier)
        return Response(picture_of(request, drift_of(opened_file, period), "svg"), media_type=_PICTURES["svg"])

    @app.get("/files/{identifier}/drift/{form}")
    def send(request: Request, identifier: str, form: str, period: str = "") -> Response:
        opened_file = pages.require(request, identifier)
        drift = drift_of(opened_file, period)
        if form not in FORMS or drift is None:
            raise HTTPException(NOT_FOUND)
        content = _document(opened_file, drift) if form == "json" else picture_of(request, drift, form)
        pages.record("file_downloaded", downloaded_facts(request, opened_file, "drift", form, len(content)))
        return attachment(content, f"drift.{form}")


def _document(opened_file: OpenedFile, drift: Drift) -> bytes:
    columns = (column.model_column for column in opened_file.file.mic_columns.values())
    return json.dumps(
        drift_document(drift, opened_file.answers.source_of(columns)), ensure_ascii=False, indent=2
    ).encode()


def periods_of(isolates: CountableIsolates) -> list[str]:
    """Return the quarters and years of a file that can be compared, the last first: ``2025-Q4``, ``2025``.

    Args:
        isolates: isolates of the file.
    """
    days = isolates.frame["date"].drop_nulls().unique().sort(descending=True)
    return [*dict.fromkeys(map(quarter_of, days)), *years_of(isolates)]
