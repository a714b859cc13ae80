"""What every page needs: the panel that answers, the open files, and the templates in each language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.exceptions import HTTPException

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.category import Category
from sirena.domain.organisms import ORGANISMS
from sirena.domain.rule_kind import RuleKind
from sirena.guidelines.written_rules import RulesSource
from sirena.texts.messages import translate
from sirena.web.answers import NamedPanel
from sirena.web.audited_labels import AuditOf
from sirena.web.language import (
    LANGUAGES,
    choose_language,
    spell_count,
    spell_day,
    spell_limits,
    spell_moment,
    spell_part,
    spell_share,
    translations,
)
from sirena.web.opened_file import OpenedFile
from sirena.web.opened_files import OpenedFiles
from sirena.web.records import Record, keep_no_record, refused_facts
from sirena.web.typed_isolates import TypedIsolates
from sirena.web.uploads import Uploads
from sirena.web.visitor import visitor_of

if TYPE_CHECKING:
    from sirena.acts.local_rules import Actor, LocalRules

NOT_FOUND: Final = 404
_LONGEST_DRAFT: Final = 512 * 1024


def nobody() -> "Actor":
    """Return an actor without a name; behind the entry the access service knows who acts."""
    return {"who": ""}


@dataclass(frozen=True)
class PagesPlace:
    """Addresses and cookies of the pages, on one's own machine or behind the entry (NGINX)."""

    root: str = ""
    """Prefix of the paths of all pages: empty, or ``/app``."""
    language_cookie: str = "sirena_language"
    """Name of the cookie with the language that a person chose."""
    is_secure: bool = False
    """True when the pages are served by TLS."""
    decisions: str = "/stage"
    """Path to which decisions on models are sent."""
    releases: str = "/releases"
    """Path to which the form for making a release is sent."""
    rule_decisions: str = "/rules"
    """Path of decisions on rules: forms are sent to ``save`` and ``approve`` below it."""


OWN_MACHINE: Final = PagesPlace()
_ENTRY: Final = {"models": "/", "account": "/auth/account", "leave": "/auth/logout"}
"""Paths of the entry outside of the pages."""
BEHIND_THE_ENTRY: Final = PagesPlace(
    "/app",
    "__Host-sirena_language",
    is_secure=True,
    decisions="/auth/stage",
    releases="/auth/release",
    rule_decisions="/auth/rules",
)
"""The addresses behind the entry; the cookie of the language is the same as for the sign-in pages."""


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("sirena.web"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    environment.filters["count"] = lambda number: spell_count(number, language)
    environment.globals["share"] = lambda part, whole: spell_share(part, whole, language)
    environment.filters["moment"] = lambda moment: spell_moment(moment, language)
    environment.filters["day"] = lambda day: spell_day(day, language)
    environment.globals["rate"] = lambda rate: spell_part(rate.events, rate.results, language)
    environment.globals["limits"] = lambda rate: spell_limits(rate.lower, rate.upper, language)
    environment.globals["translate"] = lambda text: translate(text, language)
    environment.globals["Category"] = Category
    environment.globals["drugs"] = ANTIMICROBIALS
    environment.globals["species"] = ORGANISMS
    return environment


@dataclass(frozen=True)
class Pages:
    """Renderer of the pages, with all that the pages need."""

    current_answers: Callable[[], NamedPanel]
    """Function that returns the panel that answers now, since another release may be activated at any time."""
    files: OpenedFiles
    place: PagesPlace = OWN_MACHINE
    record: Record = keep_no_record
    audit: AuditOf | None = None
    """Audits the labels of a file; None without that function, and then there are no such pages."""
    typed_isolates: TypedIsolates = field(default_factory=TypedIsolates)
    searches: TypedIsolates = field(default_factory=TypedIsolates)
    """Text that each owner searches for in each file, by identifier; it may be a specimen number, so no address holds
    it."""
    rules: "LocalRules | None" = None
    """The hospital's own rules; None without a ledger, and then there are no such pages."""
    actor: "Callable[[], Actor]" = nobody
    """Function that returns the user of one's own machine, for the ledger."""
    drafts: Mapping[RuleKind, TypedIsolates] = field(
        default_factory=lambda: {kind: TypedIsolates(longest=_LONGEST_DRAFT) for kind in RuleKind}
    )
    """Drafts of rules, by kind."""
    uploads: Uploads = field(default_factory=Uploads)
    environments: dict[str, Environment] = field(
        default_factory=lambda: {language: _environment(language) for language in LANGUAGES}
    )
    """Environments of the templates, by language."""

    def show(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page: a template rendered in the reader's language.

        Args:
            request: the request to answer, which determines the language.
            template: file name of the template.
            status: HTTP status.
            values: further values for the template.
        """
        language = self.language_of(request)
        page = self.environments[language].get_template(template)
        shared = {
            # a file stays answered as it was opened, whatever was activated since
            "answers": values["opened_file"].answers if "opened_file" in values else self.current_answers(),
            "root": self.place.root,
            "visitor": visitor_of(request),
            "entry": _ENTRY,
            "acts": self.place.decisions,
            "release_acts": self.place.releases,
            "own_machine": self.place is OWN_MACHINE,
            "language": language,
            "others": [other for other in LANGUAGES if other != language],
            "path": request.url.path,
            "query": request.url.query,
            "categories": list(Category),
            "can_audit": self.audit is not None,
            "has_rules": self.rules is not None,
            "rule_acts": self.place.rule_decisions,
        }
        return HTMLResponse(page.render(shared | values), status)

    def text_stores(self) -> tuple[TypedIsolates, ...]:
        """The stores of what people typed or opened."""
        return (self.typed_isolates, self.searches, *self.drafts.values())

    def own_expert_rules(self) -> RulesSource | None:
        """Return the hospital's own expert rules in force; None if there are none.

        Raises:
            SirenaError: the ledger cannot be read.
        """
        return self.rules.in_force(RuleKind.EXPERT).source if self.rules is not None else None

    def require(self, request: Request, identifier: str, *, to_correct: bool = False) -> OpenedFile:
        """Return an open file, or raise an error if the visitor may not see it.

        Args:
            request: request of the visitor; a file that another person opened is refused, and the refusal recorded.
            identifier: identifier of the file.
            to_correct: True also returns a file without a column for the organism, so that this can be corrected.

        Raises:
            NoOrganismColumnError: no column names the organism, and `to_correct` is False.
            HTTPException: 404, the file is not open, or is another person's.
            UnrecordedError: the refusal cannot be recorded.
        """
        opened_file = self.files.get(identifier, visitor_of(request).owner)
        if opened_file is None:
            self.refuse_anothers(request, identifier)
            raise HTTPException(NOT_FOUND)
        if not opened_file.has_organisms and not to_correct:
            replace(opened_file.file, organism_column=None).require_organism()
        return opened_file

    def refuse_anothers(self, request: Request, identifier: str) -> None:
        """Refuse a file that another person opened: record the refusal, and raise 404.

        Args:
            request: request of the visitor.
            identifier: identifier of the file; nothing happens if it is not open, or is the visitor's own.

        Raises:
            HTTPException: 404, the file is another person's.
            UnrecordedError: the refusal cannot be recorded.
        """
        if self.files.is_of_another(identifier, visitor_of(request).owner):
            self.record("refusal", refused_facts(request, "foreign_file"))
            raise HTTPException(NOT_FOUND)

    def language_of(self, request: Request) -> str:
        """Return the language that the reader chose, or else the language of their browser."""
        chosen_language = request.cookies.get(self.place.language_cookie)
        return choose_language(chosen_language, request.headers.get("accept-language", ""))

    def keep_language(self, response: Response, language: str) -> None:
        """Make the browser keep the language that a person chose, in a cookie."""
        name, is_secure = self.place.language_cookie, self.place.is_secure
        response.set_cookie(name, language, httponly=True, secure=is_secure, samesite="strict")
