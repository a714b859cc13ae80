"""The HTTP application: routes that translate, and nothing else. See `core` for what is answered."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import orjson
from anyio import to_thread
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

from sirena import __version__
from sirena.domain.errors import SirenaError
from sirena.guidelines.editions import Editions
from sirena.panel.compiled import Panel
from sirena.serving.answer_bodies import encode_answers
from sirena.serving.api_description import ERRORS, INVOCATION_BODY, TENSOR_BODY, UNKNOWN_MODEL, Answers
from sirena.serving.core import PANEL_MODEL, Interpretation, interpret, model_version
from sirena.serving.docs_page import render_docs
from sirena.serving.edition_standing import edition_standing
from sirena.serving.holder import PanelHolder
from sirena.serving.inference_protocol import encode_tensors, model_metadata, read_tensors
from sirena.serving.logs import service_log
from sirena.serving.metrics import ServiceMetrics
from sirena.serving.observation import RequestObserver, error_body, observed
from sirena.serving.request_bodies import read_rows, require_json
from sirena.serving.request_reading import read_body
from sirena.serving.source import PanelSource

_JSON: Final = "application/json"
_IN_THE_LOOP: Final = 64 * 1024
"""Bodies up to this many bytes are answered in the event loop; a thread costs more than they do."""
_CODES: Final = {404: "not_found", 405: "method_not_allowed"}
_DESCRIPTION: Final = (
    "S / I / R for minimum inhibitory concentrations in mg/L. One answer per row and test column, under the column's "
    "own Eti_ name; NI always with its reason; model, version, release, guideline edition and ground beside the "
    "answers. A row's specimen (SPEC_TYPE), or params.site for all rows, tells the site of infection."
)


def create_app(
    source: PanelSource,
    *,
    max_body: int = 32 * 2**20,
    poll_seconds: float = 5.0,
    log: Any = None,
    editions: Editions = Editions(),  # noqa: B008 - frozen
) -> FastAPI:
    """Return the application; it loads its panel in the background once it is started.

    Args:
        source: where the panel comes from.
        max_body: largest request body, in bytes.
        poll_seconds: how often the source is asked for another panel, in seconds.
        log: structlog logger; JSON lines on standard output when None.
        editions: by which it is told whether the release rests on an edition in force.
    """
    logger = log if log is not None else service_log()
    metrics = ServiceMetrics()
    holder = PanelHolder(source, poll_seconds=poll_seconds, notify=lambda event, facts: logger.info(event, **facts))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        holder.start()
        yield
        holder.stop()

    app = FastAPI(
        title="Sirena", version=__version__, description=_DESCRIPTION, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    app.state.holder = holder
    app.add_middleware(RequestObserver, log=logger, metrics=metrics)
    _add_errors(app)
    _add_health(app, holder, metrics, editions)
    _add_invocations(app, holder, metrics, max_body)
    _add_inference_protocol(app, holder, metrics, max_body)
    page: list[str] = []

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        """Show this interface to a person."""
        if not page:
            page.append(render_docs(app.openapi()))
        return Response(page[0], media_type="text/html")

    return app


def _add_errors(app: FastAPI) -> None:
    def answer(
        request: Request, status: int, code: str, message: str, hint: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        facts = observed(request.scope)
        facts.error = code
        body = error_body(code, message, hint, facts.request_id)
        return Response(body, status_code=status, media_type=_JSON, headers=headers)

    @app.exception_handler(SirenaError)
    async def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, SirenaError)
        return answer(request, error.status, error.code, error.text, error.hint)

    @app.exception_handler(HTTPException)
    async def routing(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = _CODES.get(error.status_code, "http_error")
        hint = "GET /docs lists what is answered here"
        # 405 owes its Allow (RFC 9110, 15.5.6)
        return answer(request, error.status_code, code, code.replace("_", " "), hint, error.headers)


def _add_health(app: FastAPI, holder: PanelHolder, metrics: ServiceMetrics, editions: Editions) -> None:
    @app.get("/livez", tags=["health"])
    async def livez() -> Response:
        """Answer 200 while the process runs."""
        return _json({"status": "alive"})

    async def ready() -> Response:
        """Answer 200 once a panel is loaded, 503 before; a registry that fails later does not change that."""
        return _json({"status": "ready", "release": holder.require().release, "source": _source_state(holder)})

    for path in ("/ping", "/health", "/readyz"):
        app.get(path, tags=["health"], name=path.strip("/"), responses={503: ERRORS[503]})(ready)

    @app.get("/version", tags=["health"])
    async def version() -> Response:
        """Tell the program's version, the release in use, its editions and its models with their versions."""
        loaded = holder.loaded
        standing = edition_standing(loaded.panel if loaded else None, editions)
        return _json(
            {
                "sirena": __version__,
                "release": loaded.panel.release if loaded else None,
                "loaded_at": loaded.loaded_at if loaded else None,
                "source": _source_state(holder),
                "editions": list(standing.in_force),
                "not_in_force": standing.not_in_force,
                "models": {
                    f"modelo_{column}": loaded.panel.provenance.get(column, {}).get("version")
                    for column in loaded.panel.tables
                }
                if loaded
                else {},
            }
        )

    @app.get("/metrics", tags=["health"], response_class=PlainTextResponse)
    async def prometheus() -> Response:
        """Metrics in Prometheus' text format."""
        loaded = holder.loaded
        text = metrics.expose(
            release=loaded.panel.release if loaded else None,
            loaded_at=loaded.loaded_at if loaded else 0.0,
            source_up=holder.failure is None,
            editions=edition_standing(loaded.panel if loaded else None, editions).in_force,
            alarms=holder.alarms,
        )
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_invocations(app: FastAPI, holder: PanelHolder, metrics: ServiceMetrics, max_body: int) -> None:
    async def answer(request: Request, model: str) -> Response:
        panel = holder.require()
        body = await read_body(request, max_body)
        content_type = request.headers.get("content-type", "")
        work = partial(_invoke, panel, body, content_type, model)
        interpretation, content = work() if len(body) <= _IN_THE_LOOP else await to_thread.run_sync(work)
        _note(request, metrics, panel, interpretation)
        return Response(content, media_type=_JSON)

    @app.post(
        "/invocations", tags=["answers"], openapi_extra=INVOCATION_BODY, responses={200: {"model": Answers}, **ERRORS}
    )
    async def invocations(request: Request) -> Response:
        """Interpret isolates with the whole panel: every test column of the request, MLflow's scoring protocol."""
        return await answer(request, PANEL_MODEL)

    @app.post(
        "/models/{name}/invocations",
        tags=["answers"],
        openapi_extra=INVOCATION_BODY,
        responses={200: {"model": Answers}, **ERRORS, **UNKNOWN_MODEL},
    )
    async def model_invocations(name: str, request: Request) -> Response:
        """Interpret with one model of the release (modelo_AMK_NM): only the columns it answers."""
        return await answer(request, name)


def _add_inference_protocol(app: FastAPI, holder: PanelHolder, metrics: ServiceMetrics, max_body: int) -> None:
    @app.get("/v2", tags=["Open Inference Protocol"])
    async def server() -> Response:
        """Describe the server."""
        return _json({"name": "sirena", "version": __version__, "extensions": []})

    @app.get("/v2/health/live", tags=["Open Inference Protocol"])
    async def live() -> Response:
        """Answer 200 while the process runs."""
        return _json({"live": True})

    @app.get("/v2/health/ready", tags=["Open Inference Protocol"], responses={503: ERRORS[503]})
    async def server_ready() -> Response:
        """Answer 200 once a panel is loaded."""
        holder.require()
        return _json({"ready": True})

    @app.get("/v2/models/{name}", tags=["Open Inference Protocol"], responses={**UNKNOWN_MODEL, 503: ERRORS[503]})
    async def metadata(name: str) -> Response:
        """Describe a model's tensors."""
        return _json(model_metadata(holder.require(), name))

    @app.get("/v2/models/{name}/ready", tags=["Open Inference Protocol"], responses={**UNKNOWN_MODEL, 503: ERRORS[503]})
    async def model_ready(name: str) -> Response:
        """Answer 200 when the release holds the model."""
        model_version(holder.require(), name)
        return _json({"name": name, "ready": True})

    @app.post(
        "/v2/models/{name}/infer",
        tags=["Open Inference Protocol"],
        openapi_extra=TENSOR_BODY,
        responses={**ERRORS, **UNKNOWN_MODEL},
    )
    async def infer(name: str, request: Request) -> Response:
        """Interpret tensors with one model of the release, or with panel_SIR."""
        panel = holder.require()
        body = await read_body(request, max_body)
        require_json(request.headers.get("content-type", ""))
        work = partial(_infer, panel, body, name)
        interpretation, content = work() if len(body) <= _IN_THE_LOOP else await to_thread.run_sync(work)
        _note(request, metrics, panel, interpretation)
        return Response(content, media_type=_JSON)


def _invoke(panel: Panel, body: bytes, content_type: str, model: str) -> tuple[Interpretation, bytes]:
    interpretation = interpret(panel, read_rows(body, content_type), model=model)
    return interpretation, encode_answers(interpretation)


def _infer(panel: Panel, body: bytes, model: str) -> tuple[Interpretation, bytes]:
    rows, identifier = read_tensors(body)
    interpretation = interpret(panel, rows, model=model)
    return interpretation, encode_tensors(interpretation, model, model_version(panel, model), identifier)


def _note(request: Request, metrics: ServiceMetrics, panel: Panel, interpretation: Interpretation) -> None:
    facts = observed(request.scope)
    facts.rows = len(interpretation.organisms)
    facts.columns = len(interpretation.columns)
    facts.release = interpretation.release
    metrics.count_answers(panel, interpretation)


def _source_state(holder: PanelHolder) -> dict[str, Any]:
    failure, alarms = holder.failure, holder.alarms
    state: dict[str, Any] = {"state": "alarm" if alarms else "ok"}
    if failure:
        state = {"state": "failing", "code": failure.code, "since": failure.since}
    return state | ({"alarms": [{"store": one.store, "text": one.text} for one in alarms]} if alarms else {})


def _json(document: dict[str, Any]) -> Response:
    return Response(orjson.dumps(document), media_type=_JSON)
