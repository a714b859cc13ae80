"""The page on which a person types one isolate and reads its answers; a reload keeps it (`typed_isolates`)."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from sirena.domain.antimicrobials import ANTIMICROBIALS, FIRST_PANEL
from sirena.domain.errors import SirenaError
from sirena.domain.organisms import ORGANISMS
from sirena.domain.site import Site
from sirena.guidelines.rows import Guideline
from sirena.panel.sites import read_specimen
from sirena.stewardship.condition import FIELDS
from sirena.stewardship.expert_rules import ExpertRule, load_expert_rules
from sirena.web.answers import NamedPanel
from sirena.web.approvals import approval_of
from sirena.web.explanation import CellExplanation, explain
from sirena.web.forms import read_fields
from sirena.web.model_pages import Models
from sirena.web.pages import Pages
from sirena.web.reported_isolate import mechanisms_of_rules, rules_of_isolate
from sirena.web.visitor import visitor_of

_LOG = logging.getLogger(__name__)
_PAGE: Final = "isolate.html"
_MOST_FIELDS: Final = len(ANTIMICROBIALS) + len(FIELDS) + 10
_LONGEST_FIELD: Final = 8 * 1024
_FIELDS: Final = frozenset({"organism", "specimen", "guideline", *FIELDS, *ANTIMICROBIALS})


def add_isolate(app: FastAPI, pages: Pages, installed_models: Models) -> None:
    """Add the page on which a person types one isolate and reads its categories.

    Args:
        app: the application.
        pages: what all pages need.
        installed_models: returns the models and releases.
    """
    names = sorted(organism.name for organism in ORGANISMS.values())

    @app.get("/isolate")
    def ask(request: Request) -> HTMLResponse:
        return show(request, _PAGE, pages.typed_isolates.of(visitor_of(request).owner))

    @app.post("/isolate")
    async def answer(request: Request) -> HTMLResponse:
        form = await read_fields(request, most=_MOST_FIELDS, longest=_LONGEST_FIELD)
        pages.typed_isolates.keep(
            visitor_of(request).owner, {name: text for name, text in form.items() if name in _FIELDS}
        )
        template = "answers.html" if "HX-Request" in request.headers else _PAGE
        return await to_thread.run_sync(show, request, template, form)

    @app.post("/isolate/clear")
    def clear(request: Request) -> RedirectResponse:
        pages.typed_isolates.forget_owners({visitor_of(request).owner})
        return RedirectResponse(f"{pages.place.root}/isolate", 303)

    def show(request: Request, template: str, form: Mapping[str, str]) -> HTMLResponse:
        answers, rules = pages.current_answers(), _expert_rules(pages)
        explanations, rule_of_test = _answer_isolate(answers, rules or (), form)
        form_values: dict[str, Any] = {}
        if template == _PAGE:
            mechanisms = mechanisms_of_rules(answers, rules or ())
            form_values = _drugs(pages.language_of(request)) | {
                "organisms": names,
                "mechanisms": mechanisms,
                "asked": form,
            }
        return pages.show(
            request,
            template,
            **form_values,
            without_rules=rules is None,
            answered=explanations,
            reported=rule_of_test,
            approval=approval_of(installed_models, answers, visitor_of(request)) if explanations else None,
        )


def _expert_rules(pages: Pages) -> Sequence[ExpertRule] | None:
    """Return the expert rules in force; None if the hospital's own cannot be read."""
    try:
        return load_expert_rules(pages.own_expert_rules())
    except SirenaError as error:
        _LOG.warning("the hospital's own expert rules are not at hand: %s", error.code)
        return None


def _answer_isolate(
    answers: NamedPanel, rules: Sequence[ExpertRule], form: Mapping[str, str]
) -> tuple[list[CellExplanation], dict[str, str]]:
    """Return the answers to an isolate, and by test column the rule that reports R."""
    letter = Guideline(form["guideline"]).letter if form.get("guideline") in list(Guideline) else "N"
    site = read_specimen(form.get("specimen")) or Site.UNKNOWN
    organism = form.get("organism", "")
    mics = {f"{drug}_{letter}M": mic for drug in ANTIMICROBIALS if (mic := form.get(drug, "").strip())}
    mechanisms = {field: sign for field in FIELDS if (sign := form.get(field))}
    explanations = [explain(answers, column, organism, mic, site) for column, mic in mics.items()]
    return explanations, rules_of_isolate(answers, rules, organism, site, mics, mechanisms)


def _drugs(language: str) -> dict[str, Any]:
    def names_of(codes: Iterable[str]) -> list[tuple[str, str]]:
        names = [(code, getattr(ANTIMICROBIALS[code], "spanish" if language == "es" else "english")) for code in codes]
        return sorted(names, key=lambda pair: pair[1].casefold())

    return {
        "first_drugs": names_of(FIRST_PANEL),
        "other_drugs": names_of(code for code in ANTIMICROBIALS if code not in FIRST_PANEL),
        "guidelines": list(Guideline),
        "sites": list(Site),
    }
