"""The pages: which address shows what.

Every page works without a script; with htmx the reason of a cell and the answers to one isolate come without leaving
the page. Nothing in an address names a patient: it holds identifiers, row numbers and test columns.
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
"""Returns the names of the sessions that are open now; raises `SirenaError` when nobody can say. May block."""


def create_pages(
    answers: NamedPanel | Callable[[], NamedPanel],
    files: OpenedFiles,
    key: str,
    others: OtherEditions | None = None,
    house: Models = no_models,
    evidence_of: EvidenceOf | None = None,
    audit: AuditOf | None = None,
    rules: "LocalRules | None" = None,
    actor: "Callable[[], Actor]" = nobody,
) -> OwnMachineOnly:
    """Return the application, for one person on their own machine.

    Args:
        answers: who answers, or what says so each time.
        files: the files open at the start.
        key: what the address must hold, see `visitors`.
        others: editions a file can be compared with; those that come with Sirena by default.
        house: returns who knows models and releases.
        evidence_of: says what models were made beside; None where no registry is at hand.
        audit: compares the labels of a file; None where nothing can.
        rules: the hospital's own; None where no ledger holds any.
        actor: returns whoever acts here.
    """
    answering = (lambda: answers) if isinstance(answers, NamedPanel) else answers
    pages = Pages(answering, files, audit=audit, rules=rules, actor=actor)
    return OwnMachineOnly(application_of(pages, others or OtherEditions(), None, house, evidence_of), key)


def create_entry_pages(
    answering: Callable[[], NamedPanel],
    files: OpenedFiles,
    record: Record,
    open_sessions: OpenSessions,
    others: OtherEditions,
    house: Models = no_models,
    evidence_of: EvidenceOf | None = None,
    audit: AuditOf | None = None,
    rules: "LocalRules | None" = None,
) -> ThroughTheEntry:
    """Return the application, for whoever the entry lets in.

    Args:
        answering: returns who answers now.
        files: holds what people open.
        record: puts on record what they do.
        open_sessions: says whose files are to stay.
        others: editions a file can be compared with.
        house: returns who knows models and releases.
        evidence_of: says what models were made beside; None where no registry is at hand.
        audit: compares the labels of a file; None where nothing can.
        rules: the hospital's own; None where no ledger holds any.
    """
    pages = Pages(answering, files, BEHIND_THE_ENTRY, record, audit=audit, rules=rules)
    return ThroughTheEntry(application_of(pages, others, open_sessions, house, evidence_of))


def application_of(
    pages: Pages,
    others: OtherEditions,
    open_sessions: OpenSessions | None = None,
    house: Models = no_models,
    evidence_of: EvidenceOf | None = None,
) -> FastAPI:
    """Return the pages without a guard.

    Args:
        pages: what they need.
        others: editions a file can be compared with.
        open_sessions: says whose files are to stay; None where there are no sessions.
        house: returns who knows models and releases.
        evidence_of: says what models were made beside; None where no registry is at hand.
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
    add_files(app, pages, others, house)
    add_antibiogram(app, pages)
    add_drift(app, pages, TrainingSide(evidence_of))
    add_edition(app, pages, others)
    add_isolate(app, pages, house)
    add_models(app, pages, house)
    add_releases(app, pages, house)
    add_decisions(app, pages, house)
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
        inside = back if back.startswith(home_address) and not back.startswith(("//", "/\\")) else home_address
        chosen = RedirectResponse(inside, 303)
        if language in LANGUAGES:
            pages.keep_language(chosen, language)
        return chosen

    return app


def _add_errors(app: FastAPI, pages: Pages) -> None:
    @app.exception_handler(SirenaError)
    async def refused(request: Request, error: SirenaError) -> HTMLResponse:
        if error.status == _UNAVAILABLE:
            return pages.show(request, "error.html", error.status, error=None, cause=error.code)
        return pages.show(request, "error.html", _UNPROCESSABLE, error=error, cause=_UNPROCESSABLE)

    @app.exception_handler(RequestValidationError)
    async def odd(request: Request, _: RequestValidationError) -> HTMLResponse:
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
            for typed in pages.kept():
                typed.forget_idle()
            if open_sessions is not None:
                await to_thread.run_sync(forget_ended, pages.files, open_sessions, *pages.kept(), limiter=own_thread)
        except Exception as error:  # noqa: BLE001 - whatever it was, the next sweep is another
            _LOG.error("files wait to be forgotten: %s", type(error).__name__)


def forget_ended(files: OpenedFiles, open_sessions: OpenSessions, *typed: TypedIsolates) -> None:
    """Forget what belongs to sessions that ended; while nobody can say which did, nobody gets in either.

    Args:
        files: what is open.
        open_sessions: says which sessions are open now.
        typed: what people typed.
    """
    owned: tuple[OpenedFiles | TypedIsolates, ...] = (files, *typed)
    owners = {owner for one in owned for owner in one.owners() if owner.startswith(SESSION)}
    if not owners:
        return
    try:
        ended = owners - {f"{SESSION}{name}" for name in open_sessions()}
        for one in owned:
            one.forget_owners(ended)
    except SirenaError as error:
        _LOG.warning("files of sessions that ended wait to be forgotten: %s", error)
