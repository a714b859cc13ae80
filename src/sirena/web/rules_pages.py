"""The pages of the hospital's own rules: those in force, versions that wait for an approval, and one version.

They show what `sirena.acts` returns. Behind the entry the forms that save and approve are sent to the access service,
which records both; on one's own machine the pages themselves carry them out.
"""

from typing import TYPE_CHECKING, Any, Final

from anyio import to_thread
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from sirena.domain.errors import GateError, SirenaError
from sirena.domain.rule_kind import RuleKind
from sirena.guidelines.written_rules import WrittenRules
from sirena.web.attachments import attachment
from sirena.web.forms import read_fields
from sirena.web.opened_file import CODE, ROW
from sirena.web.pages import NOT_FOUND, OWN_MACHINE, Pages
from sirena.web.rules_preview import preview
from sirena.web.visitor import visitor_of

if TYPE_CHECKING:
    from sirena.acts.local_rules import LocalRules
    from sirena.acts.rules_look import RulesLook

_SHOWN_ROWS: Final = 20
"""Most isolates of one change that are named."""
_MOST_FIELDS: Final = 6
_LONGEST_TABLE: Final = 512 * 1024


class NoRulesError(SirenaError):
    """The pages were started without a ledger, which would hold the rules."""

    code = "no_rules"


def require_rules(pages: Pages) -> "LocalRules":
    """Return the installation's own rules.

    Raises:
        NoRulesError: the pages were started without a ledger.
    """
    if pages.rules is None:
        raise NoRulesError("these pages show no rules", hint="sirena open")
    return pages.rules


def look_at(pages: Pages, kind: RuleKind) -> "RulesLook":
    """Return an overview of the versions of a kind of rules.

    Raises:
        SirenaError: the ledger cannot be read.
    """
    from sirena.acts.rules_look import look_at_rules

    return look_at_rules(require_rules(pages), kind)


def kind_of(text: str) -> RuleKind:
    """Return the kind of rules that an address names.

    Raises:
        HTTPException: 404, there is no such kind.
    """
    if text not in list(RuleKind):
        raise HTTPException(NOT_FOUND)
    return RuleKind(text)


def add_rules(app: FastAPI, pages: Pages) -> None:
    """Add the routes of the pages that show rules."""

    @app.get("/rules")
    def all_rules(request: Request) -> HTMLResponse:
        looks = [look_at(pages, kind) for kind in RuleKind]
        return pages.show(request, "rules.html", looks=looks)

    @app.get("/rules/{kind}/{number}")
    def version(
        request: Request, kind: str, number: int, file: str = "", refused: bool = False, done: bool = False
    ) -> HTMLResponse:
        look = look_at(pages, kind_of(kind))
        if not 0 < number <= len(look.versions):
            raise HTTPException(NOT_FOUND)
        rules_version = look.versions[number - 1]
        author = visitor_of(request).name or pages.actor()["who"]
        if done and rules_version.author == author:
            pages.drafts[look.kind].forget_owners({visitor_of(request).owner})
        standing = look.standing(rules_version)
        is_shown = standing in ("waiting", "coming")
        return pages.show(
            request,
            "rules_version.html",
            look=look,
            version=rules_version,
            standing=standing,
            is_author=rules_version.author == author,
            alone=require_rules(pages).alone,
            refused=refused,
            done=done,
            **(
                shown_preview(request, pages, look.kind, WrittenRules(rules_version.name, rules_version.content), file)
                if is_shown
                else {"previewed": False}
            ),
        )

    @app.get("/rules/{kind}/{number}/file")
    def send(kind: str, number: int) -> Response:
        versions = require_rules(pages).versions(kind_of(kind))
        if not 0 < number <= len(versions):
            raise HTTPException(NOT_FOUND)
        return attachment(versions[number - 1].content, versions[number - 1].name)


def add_rule_decisions(app: FastAPI, pages: Pages) -> None:
    """Add the routes that save and approve rules, on one's own machine only."""
    if pages.place is not OWN_MACHINE:
        return

    @app.post("/rules/save")
    async def save(request: Request) -> RedirectResponse:
        from sirena.acts.rules_forms import RulesForms

        fields = await read_fields(request, most=_MOST_FIELDS, longest=_LONGEST_TABLE)
        saved_number = await to_thread.run_sync(lambda: RulesForms(require_rules(pages)).save(fields, pages.actor()))
        return RedirectResponse(f"/rules/{saved_number}?done=1", 303)

    @app.post("/rules/approve")
    async def approve(request: Request) -> RedirectResponse:
        from sirena.acts.rules_forms import RulesForms

        fields = await read_fields(request, most=_MOST_FIELDS, longest=_LONGEST_TABLE)
        forms = RulesForms(require_rules(pages))
        try:
            approved = await to_thread.run_sync(lambda: forms.approve(fields, pages.actor()))
        except GateError:
            # the page says why, in the reader's language
            kind, number = kind_of(fields.get("kind", "")), fields.get("version", "")
            return RedirectResponse(f"/rules/{kind}/{int(number)}?refused=1", 303)
        return RedirectResponse(f"/rules/{approved}?done=1", 303)


def shown_preview(
    request: Request, pages: Pages, kind: RuleKind, table: WrittenRules, identifier: str
) -> dict[str, Any]:
    """Return the values with which a page shows what rules would change in an open file.

    Args:
        request: request of the visitor.
        pages: what all pages need, with the open files.
        kind: kind of the rules.
        table: rules to be compared with those in force.
        identifier: identifier of the file; empty means the file used last.
    """
    files = pages.files.all(visitor_of(request).owner)
    opened_file = pages.require(request, identifier) if identifier else (files[0][1] if files else None)
    outcome = preview(opened_file, require_rules(pages), kind, table) if opened_file is not None else None
    return {
        "previewed": True,
        "files": files,
        "identifier": identifier or (files[0][0] if files else ""),
        "file": opened_file,
        "outcome": outcome,
        "shown_rows": _SHOWN_ROWS,
        "ROW": ROW,
        "CODE": CODE,
    }
