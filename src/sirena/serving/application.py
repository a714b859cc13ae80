"""The HTTP application: its routes only translate between HTTP and `core`."""

import os
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
from anyio import to_thread
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from sirena import __version__
from sirena.domain.errors import SirenaError
from sirena.guidelines.editions import Editions
from sirena.serving.answering import Answering, Question
from sirena.serving.api_description import ANSWERED, ERRORS, INVOCATION_BODY, TENSOR_BODY, UNKNOWN_MODEL
from sirena.serving.asked_traces import open_traces
from sirena.serving.core import PANEL_MODEL, model_version
from sirena.serving.direct import DirectProtocol, answering_directly
from sirena.serving.docs_page import render_docs
from sirena.serving.edition_standing import edition_standing
from sirena.serving.holder import PANEL_LOADED, PanelHolder
from sirena.serving.hot_path import INFER, INVOCATIONS, MODEL_INVOCATIONS, HotPath
from sirena.serving.inference_protocol import model_metadata
from sirena.serving.logs import ServiceLog
from sirena.serving.long_bodies import LongBodies
from sirena.serving.memory import share_free_memory
from sirena.serving.metrics import PanelFacts, ServiceMetrics, expose
from sirena.serving.observation import RequestObserver, RequestRecorder, error_body, observed
from sirena.serving.request_reading import read_headers
from sirena.serving.shadow import Shadow
from sirena.serving.source import PanelSource
from sirena.serving.totals import Alone, Counting, Totals

_JSON: Final = "application/json"
_LONG_AT_ONCE: Final = 2
"""Long bodies that a service of one process answers at once; PyArrow computes beside Python."""
_LONG_AT_ONCE_AMONG_WORKERS: Final = 1
"""The same of each of several workers, which have no core to spare for a second."""
_LARGEST_HELD: Final = 4
"""Bodies of the largest length that are held at once: they arrive, wait or are answered."""
_CODES: Final = {404: "not_found", 405: "method_not_allowed"}
_DESCRIPTION: Final = (
    "S / I / R for minimum inhibitory concentrations in mg/L. One answer per row and test column, under the column's "
    "own Eti_ name; NI always with its reason; model, version, release, guideline edition and ground beside the "
    "answers. A row's specimen (SPEC_TYPE), or params.site for all rows, tells the site of infection."
)


class Service(FastAPI):
    """FastAPI, with the routes that answer isolates in front of it."""

    hot_path: HotPath
    protocol: type[DirectProtocol]
    """Protocol class for its connections, which answers small requests before an application is called."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self.hot_path(scope, receive, send)


def create_app(
    source: PanelSource,
    *,
    max_body: int = 32 * 2**20,
    poll_seconds: float = 5.0,
    log: ServiceLog | None = None,
    editions: Editions = Editions(),  # noqa: B008 - frozen
    counting: Counting | None = None,
    events_logged_elsewhere: Collection[str] = (),
) -> Service:
    """Return the application; after its start it loads the panel in the background.

    Args:
        source: source of the panel.
        max_body: largest request body, in bytes.
        poll_seconds: seconds between two questions to the source whether there is another panel.
        log: log of the service; None to write to standard output.
        editions: guideline editions, to say whether the release's are in force.
        counting: gives the counts of the whole service; None if this process is the whole service.
        events_logged_elsewhere: events of the panel that another process of the service already logs.
    """
    logger = log if log is not None else ServiceLog()
    traces = open_traces(os.environ)

    service_counting = Alone() if counting is None else counting

    def notify(event: str, facts: dict[str, str]) -> None:
        if event not in events_logged_elsewhere:
            logger.info(event, **facts)
        if event == PANEL_LOADED:
            metrics.count_load()
            if traces is not None:
                traces.add_reload(facts)

    holder = PanelHolder(source, poll_seconds=poll_seconds, notify=notify)
    shadow = Shadow(source, notify)
    metrics = ServiceMetrics()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        share_free_memory()
        holder.start()
        shadow.start()
        service_counting.start(lambda: Totals(metrics.tallies, shadow.state))
        yield
        service_counting.stop()
        shadow.stop()
        holder.stop()
        if traces is not None:
            await to_thread.run_sync(traces.close)
        logger.write()

    recorder = RequestRecorder(logger, metrics) if traces is None else traces.recorder(logger, metrics)
    at_once = _LONG_AT_ONCE if counting is None else _LONG_AT_ONCE_AMONG_WORKERS
    long_bodies = LongBodies(at_once, _LARGEST_HELD * max_body)
    answering = Answering(holder, metrics, shadow, long_bodies, max_body)
    app = Service(
        title="Sirena", version=__version__, description=_DESCRIPTION, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    app.hot_path = HotPath(super(Service, app).__call__, answering, recorder)
    app.protocol = answering_directly(answering, recorder)
    app.state.holder = holder
    app.add_middleware(RequestObserver, recorder=recorder)
    _add_errors(app)
    _add_health(app, holder, metrics, service_counting, editions)
    _add_shadow(app, service_counting)
    _add_invocations(app, answering)
    _add_inference_protocol(app, holder, answering)
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
    async def known_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, SirenaError)
        return answer(request, error.status, error.code, error.text, error.hint)

    @app.exception_handler(HTTPException)
    async def routing(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = _CODES.get(error.status_code, "http_error")
        hint = "GET /docs lists what is answered here"
        # 405 owes its Allow (RFC 9110, 15.5.6)
        return answer(request, error.status_code, code, code.replace("_", " "), hint, error.headers)


def _add_health(
    app: FastAPI, holder: PanelHolder, metrics: ServiceMetrics, counting: Counting, editions: Editions
) -> None:
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
        loaded_panel = holder.loaded_panel
        editions_standing = edition_standing(loaded_panel.panel if loaded_panel else None, editions)
        return _json(
            {
                "sirena": __version__,
                "release": loaded_panel.panel.release if loaded_panel else None,
                "loaded_at": loaded_panel.loaded_at if loaded_panel else None,
                "source": _source_state(holder),
                "editions": list(editions_standing.in_force),
                "not_in_force": editions_standing.not_in_force,
                "models": {
                    f"modelo_{column}": loaded_panel.panel.provenance.get(column, {}).get("version")
                    for column in loaded_panel.panel.tables
                }
                if loaded_panel
                else {},
            }
        )

    @app.get("/metrics", tags=["health"], response_class=PlainTextResponse)
    async def prometheus() -> Response:
        """Metrics in Prometheus' text format."""
        loaded_panel = holder.loaded_panel
        totals = await counting.totals()
        facts = PanelFacts(
            release=loaded_panel.panel.release if loaded_panel else None,
            loaded_at=loaded_panel.loaded_at if loaded_panel else 0.0,
            loads=counting.loads(metrics.loads),
            source_up=holder.failure is None,
            editions=edition_standing(loaded_panel.panel if loaded_panel else None, editions).in_force,
            alarms=holder.alarms,
        )
        text = expose(totals.tallies, totals.shadow, facts)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_shadow(app: FastAPI, counting: Counting) -> None:
    @app.get("/shadow", tags=["health"])
    async def tell_shadow() -> Response:
        """Tell what the release that answers unseen would change: counts since it, or the active one, was loaded."""
        return _json((await counting.totals()).shadow.to_json())


def _add_invocations(app: FastAPI, answering: Answering) -> None:
    @app.post(INVOCATIONS, tags=["answers"], openapi_extra=INVOCATION_BODY, responses={**ANSWERED, **ERRORS})
    async def invocations(request: Request) -> Response:
        """Interpret isolates with the whole panel: every test column of the request, MLflow's scoring protocol."""
        return await _answer(answering, Question(INVOCATIONS, PANEL_MODEL, tensors=False), request)

    @app.post(
        MODEL_INVOCATIONS,
        tags=["answers"],
        openapi_extra=INVOCATION_BODY,
        responses={**ANSWERED, **ERRORS, **UNKNOWN_MODEL},
    )
    async def model_invocations(name: str, request: Request) -> Response:
        """Interpret with one model of the release (modelo_AMK_NM): only the columns it answers."""
        return await _answer(answering, Question(MODEL_INVOCATIONS, name, tensors=False), request)


async def _answer(answering: Answering, question: Question, request: Request) -> Response:
    """Answer a request that came through FastAPI, because `HotPath` did not recognise its path."""
    facts = observed(request.scope)
    query = request.scope["query_string"]
    reply = await answering.answer(question, query, read_headers(request.scope["headers"]), request.receive, facts)
    return Response(reply.content, media_type=reply.media_type.decode())


def _add_inference_protocol(app: FastAPI, holder: PanelHolder, answering: Answering) -> None:
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

    @app.post(INFER, tags=["Open Inference Protocol"], openapi_extra=TENSOR_BODY, responses={**ERRORS, **UNKNOWN_MODEL})
    async def infer(name: str, request: Request) -> Response:
        """Interpret tensors with one model of the release, or with panel_SIR."""
        return await _answer(answering, Question(INFER, name, tensors=True), request)


def _source_state(holder: PanelHolder) -> dict[str, Any]:
    failure, alarms = holder.failure, holder.alarms
    state: dict[str, Any] = {"state": "alarm" if alarms else "ok"}
    if failure:
        state = {"state": "failing", "code": failure.code, "since": failure.since}
    return state | ({"alarms": [{"store": alarm.store, "text": alarm.text} for alarm in alarms]} if alarms else {})


def _json(document: dict[str, Any]) -> Response:
    return Response(orjson.dumps(document), media_type=_JSON)
