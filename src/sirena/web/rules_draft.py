"""The page on which a person writes rules, sees what they would change, and saves them as a version.

Rules, each with a test of like name:

- a draft is kept in memory, so that Reload and Back lose nothing, and is forgotten when the session ends;
- a table that is not valid cannot be saved, and the page names row and column.
"""

import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from sirena.domain.errors import SirenaError
from sirena.domain.rule_kind import RuleKind
from sirena.web.forms import read_fields
from sirena.web.pages import NOT_FOUND, Pages
from sirena.web.rules_form import LONGEST_FIELD, MOST_FIELDS, Row, fields_of, form_of, rows_of, signed
from sirena.web.rules_pages import kind_of, look_at, require_rules, shown_preview
from sirena.web.visitor import visitor_of

_UNPROCESSABLE = 422


async def _form(request: Request) -> dict[str, str]:
    return await read_fields(request, most=MOST_FIELDS, longest=LONGEST_FIELD)


def add_rules_draft(app: FastAPI, pages: Pages) -> None:
    """Add the routes of the pages on which rules are written."""

    @app.get("/rules/{kind}/edit")
    def edit(request: Request, kind: str, file: str = "") -> HTMLResponse:
        from sirena.acts.rule_tables import table_of

        rules = require_rules(pages)
        look = look_at(pages, kind_of(kind))
        draft = pages.drafts[look.kind].of(visitor_of(request).owner)
        base = draft.get("base", "") if draft else str(look.in_force.number if look.in_force else "")
        rows = rows_of(look.kind, draft) if draft else look.rows
        table = table_of(look.kind, rows)
        error, preview_values = None, {"previewed": False}
        if draft:
            try:
                rules.check(look.kind, table)
                preview_values = shown_preview(request, pages, look.kind, table, file)
            except SirenaError as known_error:
                error = known_error
        return pages.show(
            request,
            "rules_edit.html",
            _UNPROCESSABLE if error else 200,
            look=look,
            rows=rows,
            fields=fields_of(look.kind, rules.editions.names),
            is_draft=bool(draft),
            differs=rows != look.rows,
            base=base,
            table=table.content.decode(),
            error=error,
            **preview_values,
        )

    @app.post("/rules/{kind}/edit")
    def write(request: Request, kind: str, form: Annotated[dict[str, str], Depends(_form)]) -> RedirectResponse:
        rule_kind, base = kind_of(kind), form.get("base", "")
        rows = signed(rows_of(rule_kind, form), _before(rule_kind, base), _author(request), datetime.date.today())
        _keep(request, rule_kind, rows, base)
        return RedirectResponse(
            f"{pages.place.root}/rules/{rule_kind}/edit#{'new' if 'more' in form else 'outcome'}", 303
        )

    @app.post("/rules/{kind}/begin")
    def begin(request: Request, kind: str, form: Annotated[dict[str, str], Depends(_form)]) -> RedirectResponse:
        rule_kind, number = kind_of(kind), form.get("base", "")
        if not number:
            pages.drafts[rule_kind].forget_owners({visitor_of(request).owner})
        else:
            _keep(request, rule_kind, _before(rule_kind, number), number)
        return RedirectResponse(f"{pages.place.root}/rules/{rule_kind}/edit", 303)

    def _author(request: Request) -> str:
        return visitor_of(request).name or str(pages.actor()["who"])

    def _before(kind: RuleKind, base: str) -> list[Row]:
        """Return the rules from which a draft was begun."""
        from sirena.acts.rules_look import rows_of_version

        if not base:
            return look_at(pages, kind).rows
        if not base.isdecimal():
            raise HTTPException(NOT_FOUND)
        return rows_of_version(require_rules(pages).version(kind, int(base)))

    def _keep(request: Request, kind: RuleKind, rows: list[Row], base: str) -> None:
        form = form_of(kind, rows) | {"base": base, "draft": "1"}
        pages.drafts[kind].keep(visitor_of(request).owner, form)
