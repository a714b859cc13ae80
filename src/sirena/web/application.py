"""The application of Sirena's web pages, with all their routes.

Every page works without a script; with htmx the reason of a cell and the answers to one isolate are shown without
leaving the page. No address names a patient: it holds identifiers, row numbers and test columns.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from sirena.domain.errors import SirenaError
from sirena.web.answers import NamedPanel
from sirena.web.antibiogram_pages import add_antibiogram
from sirena.web.audited_labels import AuditOf
from sirena.web.drift_page import add_drift
from sirena.web.edition_page import add_edition
from sirena.web.entry_visitors import THREADS, ThroughTheEntry
from sirena.web.file_pages import add_files
from sirena.web.isolate_page import add_isolate
from sirena.web.labels_page import add_labels
from sirena.web.language import LANGUAGES
from sirena.web.mapping_page import add_mapping
from sirena.web.model_pages import Models, add_decisions, add_models, add_releases, no_models
from sirena.web.opened_files import OpenedFiles
from sirena.web.other_editions import OtherEditions
from sirena.web.pages import BEHIND_THE_ENTRY, NOT_FOUND, Pages, nobody
from sirena.web.records import Record
from sirena.web.rules_draft import add_rules_draft
from sirena.web.rules_pages import add_rule_decisions, add_rules
from sirena.web.training_side import EvidenceOf, TrainingSide
from sirena.web.typed_isolates import TypedIsolates
from sirena.web.upload import LARGEST_FILE, MOST_BYTES
from sirena.web.visitor import SESSION, visitor_of
from sirena.web.visitors import OwnMachineOnly

if TYPE_CHECKING:
    from sirena.acts.local_rules import Actor, LocalRules

_SWEEP_SECONDS: Final = 5
_UNPROCESSABLE: Final = 422
_UNAVAILABLE: Final = 503
_STATIC: Final = Path(__file__).with_name("static")
_LOG = logging.getLogger(__name__)
OpenSessions = Callable[[], Collection[str]]
"""Function that returns the names of the open sessions; it raises `SirenaError` if it cannot find out. May block."""


def create_pages(
    answers: NamedPanel | Callable[[], NamedPanel],
    files: OpenedFiles,
    key: str,
    other_editions: OtherEditions | None = None,
    installed_models: Models = no_models,
    evidence_of: EvidenceOf | None = None,
    audit: AuditOf | None = None,
    rules: "LocalRules | None" = None,
    actor: "Callable[[], Actor]" = nobody,
) -> OwnMachineOnly:
    """Return the application of the pages for one person on their own machine.

    Args:
        answers: the panel that answers, or a function that returns it, called for each request.
        files: the open files.
        key: secret part of the printed address, see `visitors`.
        other_editions: guideline editions with which a file can be compared; None means those that come with Sirena.
        installed_models: returns the models and releases.
        evidence_of: returns the counts of models' training evidence; None without a registry.
        audit: function that audits the labels of a file; None to have no label audit.
        rules: the hospital's own rules; None without a ledger.
        actor: returns the user of this machine, for the ledger.
    """
    current_answers = (lambda: answers) if isinstance(answers, NamedPanel) else answers
    pages = Pages(current_answers, files, audit=audit, rules=rules, actor=actor)
    return OwnMachineOnly(
        application_of(pages, other_editions or OtherEditions(), None, installed_models, evidence_of), key
    )


def create_entry_pages(
    current_answers: Callable[[], NamedPanel],
    files: OpenedFiles,
    record: Record,
    open_sessions: OpenSessions,
    other_editions: OtherEditions,
    installed_models: Models = no_models,
    evidence_of: EvidenceOf | None = None,
    audit: AuditOf | None = None,
    rules: "LocalRules | None" = None,
) -> ThroughTheEntry:
    """Return the application of the pages behind the entry.

    Args:
        current_answers: returns the panel that answers now.
        files: the open files.
        record: function that records what people do.
        open_sessions: returns the open sessions; files of ended sessions are forgotten.
        other_editions: guideline editions with which a file can be compared.
        installed_models: returns the models and releases.
        evidence_of: returns the counts of models' training evidence; None without a registry.
        audit: function that audits the labels of a file; None to have no label audit.
        rules: the hospital's own rules; None without a ledger.
    """
    pages = Pages(current_answers, files, BEHIND_THE_ENTRY, record, audit=audit, rules=rules)
    return ThroughTheEntry(application_of(pages, other_editions, open_sessions, installed_models, evidence_of))


def application_of(
    pages: Pages,
    other_editions: OtherEditions,
    open_sessions: OpenSessions | None = None,
    installed_models: Models = no_models,
    evidence_of: EvidenceOf | None = None,
) -> FastAPI:
    """Return the application of the pages without checking who sends requests.

    Args:
        pages: what all pages need.
        other_editions: guideline editions with which a file can be compared.
        open_sessions: returns the open sessions; None if there are no sessions.
        installed_models: returns the models and releases.
        evidence_of: returns the counts of models' training evidence; None without a registry.
    """

    @asynccontextmanager
    async def sweeping(_: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        sweep = asyncio.create_task(_sweep(pages, open_sessions))
        yield
        sweep.cancel()

    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=sweeping,
        max_body_size=MOST_BYTES,
        redirect_slashes=False,
    )
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    _add_errors(app, pages)
    add_files(app, pages, other_editions, installed_models)
    add_antibiogram(app, pages)
    add_drift(app, pages, TrainingSide(evidence_of))
    add_edition(app, pages, other_editions)
    add_isolate(app, pages, installed_models)
    add_models(app, pages, installed_models)
    add_releases(app, pages, installed_models)
    add_decisions(app, pages, installed_models)
    add_labels(app, pages)
    add_mapping(app, pages)
    add_rules_draft(app, pages)
    add_rules(app, pages)
    add_rule_decisions(app, pages)
    home_address = f"{pages.place.root}/"

    @app.get("/")
    def home(request: Request) -> HTMLResponse:
        files = pages.files.all(visitor_of(request).owner)
        return pages.show(request, "home.html", files=files, largest=LARGEST_FILE)

    @app.get("/language/{language}")
    def language(language: str, back: str = home_address) -> RedirectResponse:
        own_address = back if back.startswith(home_address) and not back.startswith(("//", "/\\")) else home_address
        response = RedirectResponse(own_address, 303)
        if language in LANGUAGES:
            pages.keep_language(response, language)
        return response

    return app


def _add_errors(app: FastAPI, pages: Pages) -> None:
    @app.exception_handler(SirenaError)
    async def known_error(request: Request, error: SirenaError) -> HTMLResponse:
        if error.status == _UNAVAILABLE:
            return pages.show(request, "error.html", error.status, error=None, cause=error.code)
        return pages.show(request, "error.html", _UNPROCESSABLE, error=error, cause=_UNPROCESSABLE)

    @app.exception_handler(RequestValidationError)
    async def invalid_request(request: Request, _: RequestValidationError) -> HTMLResponse:
        # an address that no page of ours leads to, such as ?page=two
        return pages.show(request, "error.html", NOT_FOUND, error=None, cause=NOT_FOUND)

    @app.exception_handler(HTTPException)
    async def missing(request: Request, error: HTTPException) -> HTMLResponse:
        return pages.show(request, "error.html", error.status_code, error=None, cause=error.status_code)


async def _sweep(pages: Pages, open_sessions: OpenSessions | None) -> None:
    own_thread = CapacityLimiter(1)  # not one of those that pages may keep busy
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        try:
            pages.files.forget_idle()
            for store in pages.text_stores():
                store.forget_idle()
            if open_sessions is not None:
                await to_thread.run_sync(
                    forget_ended, pages.files, open_sessions, *pages.text_stores(), limiter=own_thread
                )
        except Exception as error:  # noqa: BLE001 - whatever it was, the next sweep is another
            _LOG.error("files wait to be forgotten: %s", type(error).__name__)


def forget_ended(files: OpenedFiles, open_sessions: OpenSessions, *text_stores: TypedIsolates) -> None:
    """Forget the files and texts of ended sessions; if it cannot be found out which sessions ended, log that.

    Args:
        files: the open files.
        open_sessions: returns the open sessions.
        text_stores: stores of texts that people typed.
    """
    stores: tuple[OpenedFiles | TypedIsolates, ...] = (files, *text_stores)
    owners = {owner for store in stores for owner in store.owners() if owner.startswith(SESSION)}
    if not owners:
        return
    try:
        ended_owners = owners - {f"{SESSION}{name}" for name in open_sessions()}
        for store in stores:
            store.forget_owners(ended_owners)
    except SirenaError as error:
        _LOG.warning("files of sessions that ended wait to be forgotten: %s", error)
