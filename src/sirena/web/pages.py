"""What every page needs: who answers, the open files, and templates in each language."""

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
    """Return nobody: behind the entry the access service knows who acts."""
    return {"who": ""}


@dataclass(frozen=True)
class PagesPlace:
    """Where the pages lie, and what follows from it."""

    root: str = ""
    """With what every address of theirs begins: empty, or ``/app``."""
    language_cookie: str = "sirena_language"
    """Holds the language somebody chose."""
    is_secure: bool = False
    """True behind TLS."""
    decisions: str = "/stage"
    """Where decisions about models are sent."""
    releases: str = "/releases"
    """Where the wish for a release is sent."""
    rule_decisions: str = "/rules"
    """Where decisions about rules are sent: ``save`` and ``approve`` below it."""


OWN_MACHINE: Final = PagesPlace()
_ENTRY: Final = {"models": "/", "account": "/auth/account", "leave": "/auth/logout"}
"""Places of the entry beside the pages."""
BEHIND_THE_ENTRY: Final = PagesPlace(
    "/app",
    "__Host-sirena_language",
    is_secure=True,
    decisions="/auth/stage",
    releases="/auth/release",
    rule_decisions="/auth/rules",
)
"""The language is the one that the pages for signing in speak."""


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
    """Shows pages of open files."""

    answering: Callable[[], NamedPanel]
    """Returns who answers now: another release may be activated meanwhile."""
    files: OpenedFiles
    place: PagesPlace = OWN_MACHINE
    record: Record = keep_no_record
    audit: AuditOf | None = None
    """Compares the labels of a file; None where nothing can, so there are no such pages."""
    typed: TypedIsolates = field(default_factory=TypedIsolates)
    searches: TypedIsolates = field(default_factory=TypedIsolates)
    """What each owner searches in each of their files, by its identifier: it may be a specimen's number."""
    rules: "LocalRules | None" = None
    """The hospital's own rules; None where no ledger holds any, so there are no such pages."""
    actor: "Callable[[], Actor]" = nobody
    """Returns who acts on one's own machine."""
    drafts: Mapping[RuleKind, TypedIsolates] = field(
        default_factory=lambda: {kind: TypedIsolates(longest=_LONGEST_DRAFT) for kind in RuleKind}
    )
    """Rules that somebody is writing."""
    uploads: Uploads = field(default_factory=Uploads)
    environments: dict[str, Environment] = field(
        default_factory=lambda: {language: _environment(language) for language in LANGUAGES}
    )
    """Templates by language."""

    def show(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Render a template in the reader's language.

        Args:
            request: says the language.
            template: file name.
            status: of HTTP.
            values: what the template names.
        """
        language = self.language_of(request)
        page = self.environments[language].get_template(template)
        shared = {
            # a file stays answered as it was opened, whatever was activated since
            "answers": values["opened"].answers if "opened" in values else self.answering(),
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

    def kept(self) -> tuple[TypedIsolates, ...]:
        """Return all that people typed and that is kept for them."""
        return (self.typed, self.searches, *self.drafts.values())

    def own_expert_rules(self) -> RulesSource | None:
        """Return the hospital's own expert rules in force; None when there are none.

        Raises:
            SirenaError: nobody can say.
        """
        return self.rules.in_force(RuleKind.EXPERT).source if self.rules is not None else None

    def require(self, request: Request, identifier: str, *, to_correct: bool = False) -> OpenedFile:
        """Return an open file.

        Args:
            request: of whoever asks; what another opened is refused, on record.
            identifier: of the file.
            to_correct: its columns are asked for; without it a file must have organisms.

        Raises:
            NoOrganismColumnError: nobody has said yet which column names the organism.
            HTTPException: 404, it is not, or no longer, there, or another's.
            UnrecordedError: the refusal cannot be put on record.
        """
        opened = self.files.get(identifier, visitor_of(request).owner)
        if opened is None:
            self.refuse_anothers(request, identifier)
            raise HTTPException(NOT_FOUND)
        if not opened.has_organisms and not to_correct:
            replace(opened.file, organism_column=None).require_organism()
        return opened

    def refuse_anothers(self, request: Request, identifier: str) -> None:
        """Refuse a file that another opened, on record.

        Args:
            request: of whoever asks.
            identifier: of the file; one that nobody has open, or the own, passes.

        Raises:
            HTTPException: 404, it is another's.
            UnrecordedError: the refusal cannot be put on record.
        """
        if self.files.is_of_another(identifier, visitor_of(request).owner):
            self.record("refusal", refused_facts(request, "foreign_file"))
            raise HTTPException(NOT_FOUND)

    def language_of(self, request: Request) -> str:
        """Return the language a reader chose, else their browser's."""
        chosen = request.cookies.get(self.place.language_cookie)
        return choose_language(chosen, request.headers.get("accept-language", ""))

    def keep_language(self, response: Response, language: str) -> None:
        """Have the browser keep the language somebody chose."""
        name, is_secure = self.place.language_cookie, self.place.is_secure
        response.set_cookie(name, language, httponly=True, secure=is_secure, samesite="strict")
