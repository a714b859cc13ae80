"""The pages of models and releases: lists, details, and decisions.

They show what `sirena.acts` returns. On one's own machine the pages themselves carry out a decision; behind the entry
the form is sent to the access service, which judges and records it, so the pages cannot decide there.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from anyio import to_thread
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from sirena.domain.errors import GateError, SirenaError
from sirena.web.forms import read_fields
from sirena.web.pages import NOT_FOUND, OWN_MACHINE, Pages
from sirena.web.visitor import visitor_of

if TYPE_CHECKING:
    from sirena.acts.installed_models import InstalledModels

Models = Callable[[], "InstalledModels"]
"""Function that returns the models and releases; its first call takes seconds, because MLflow is loaded."""
_SHOWN_RANGES: Final = 200
_SHOWN_ROWS: Final = 200
_MOST_FIELDS: Final = 8
_LONGEST_FIELD: Final = 4 * 1024
_STAGES: Final = ("None", "Staging", "Production", "Archived")


class NoModelsError(SirenaError):
    """The pages were started without a registry of models."""

    code = "no_models"


def no_models() -> "InstalledModels":
    """Raise `NoModelsError`, for pages without a registry.

    Raises:
        NoModelsError: always.
    """
    raise NoModelsError("these pages show no models", hint="sirena open")


def add_models(app: FastAPI, pages: Pages, installed_models: Models) -> None:
    """Add the routes of the pages that show models."""

    @app.get("/models")
    def models(request: Request, show: str = "") -> HTMLResponse:
        glances = installed_models().models()
        waiting_models = [glance for glance in glances if glance.asks_for_a_decision]
        return pages.show(
            request,
            "models.html",
            models=glances,
            listed=waiting_models if show == "attention" else glances,
            chosen=show,
            lapsed=sum(glance.glance.certificate != "valid" for glance in glances),
            waiting=sum(glance.newer_number is not None for glance in glances),
        )

    @app.get("/models/{name}/{number}")
    def version(
        request: Request,
        name: str,
        number: int,
        stage: str = "Production",
        against: int = 0,
        refused: bool = False,
        done: bool = False,
    ) -> HTMLResponse:
        from sirena.registry.versions import Stage

        judged_for = Stage.STAGING if stage == Stage.STAGING else Stage.PRODUCTION
        look = installed_models().version(name, number, judged_for, visitor_of(request).name, against)
        return pages.show(request, "version.html", look=look, refused=refused, done=done, shown_ranges=_SHOWN_RANGES)

    @app.get("/models/{name}/{number}/certificate")
    def certificate(request: Request, name: str, number: int) -> HTMLResponse:
        from sirena.certification.page_model import cut_point_rows, disagreement_rows

        certificate = installed_models().certificate(name, number)
        return pages.show(
            request,
            "certificate.html",
            name=name,
            number=number,
            certificate=certificate,
            differences=disagreement_rows(certificate.disagreements) if certificate else (),
            cut_points=cut_point_rows(certificate.cut_points) if certificate else (),
            shown_rows=_SHOWN_ROWS,
        )

    @app.get("/models/{name}/{number}/grid.svg")
    def grid(request: Request, name: str, number: int) -> Response:
        from sirena.certification.grid_chart import grid_chart
        from sirena.domain.language import Language
        from sirena.stewardship.drawing import draw

        certificate = installed_models().certificate(name, number)
        if certificate is None:
            raise HTTPException(NOT_FOUND)
        chart = grid_chart(certificate, Language(pages.language_of(request)))
        return Response(draw(chart.specification, "svg"), media_type="image/svg+xml")


def add_releases(app: FastAPI, pages: Pages, installed_models: Models) -> None:
    """Add the routes of the pages that show releases."""

    @app.get("/releases")
    def releases(request: Request) -> HTMLResponse:
        return pages.show(request, "releases.html", releases=installed_models().releases())

    @app.get("/releases/{number}")
    def release(
        request: Request,
        number: int,
        against: str = "",
        gate: bool = False,
        refused: bool = False,
        done: bool = False,
    ) -> HTMLResponse:
        models = installed_models()
        look = models.release(number, against)
        return pages.show(
            request,
            "release.html",
            look=look,
            refused=refused,
            done=done,
            members_refused=models.refused_members(number, visitor_of(request).name) if gate or refused else None,
            shown_ranges=_SHOWN_RANGES,
        )


def add_decisions(app: FastAPI, pages: Pages, installed_models: Models) -> None:
    """Add the routes that carry out decisions, on one's own machine only."""
    if pages.place is not OWN_MACHINE:
        return

    @app.post("/stage")
    async def decide(request: Request) -> RedirectResponse:
        fields = await _fields(request)
        model, number, stage = fields.get("model", ""), fields.get("version", ""), fields.get("stage", "")
        if not number.isdecimal() or stage not in _STAGES:
            raise HTTPException(NOT_FOUND)
        outcome = await to_thread.run_sync(
            _decide, installed_models, model, int(number), stage, fields.get("override", "")
        )
        return RedirectResponse(f"{address_of(model, int(number))}?{urlencode(outcome)}", 303)

    @app.post("/releases")
    async def make(request: Request) -> RedirectResponse:
        note = " ".join((await _fields(request)).get("note", "").split())
        number = await to_thread.run_sync(lambda: installed_models().make_release(note))
        return RedirectResponse(f"/releases/{number}", 303)


def address_of(model: str, number: int) -> str:
    """Return the URL path of the page of a model version or a release, without the root path.

    >>> address_of("panel_SIR", 3), address_of("modelo_AMK_NM", 2)
    ('/releases/3', '/models/modelo_AMK_NM/2')
    """
    return f"/releases/{number}" if model == "panel_SIR" else f"/models/{quote(model, safe='')}/{number}"


def _decide(installed_models: Models, model: str, number: int, stage: str, override: str) -> dict[str, str]:
    from sirena.registry.versions import Stage

    try:
        installed_models().decide(model, number, Stage(stage), override.strip())
    except GateError:
        # the page says what the gate found, in the reader's language
        return {"refused": "1", "stage": stage}
    return {"done": "1"}


async def _fields(request: Request) -> dict[str, str]:
    return await read_fields(request, most=_MOST_FIELDS, longest=_LONGEST_FIELD)
