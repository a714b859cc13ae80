"""``sirena serve``: answering over HTTP."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sirena.domain.errors import SirenaError, UsageError
from sirena.serving.memory import share_free_memory

if TYPE_CHECKING:
    from sirena.serving.among_workers import AmongWorkers
    from sirena.serving.logs import ServiceLog
    from sirena.serving.publishing import Standing
    from sirena.serving.source import MarkedPanel, PanelSource
    from sirena.settings.catalogue import Settings


def register(app: typer.Typer) -> None:
    """Add ``sirena serve`` to the command line."""
    app.command(name="serve")(serve)


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; keep the loopback address behind NGINX.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port to listen on; by default SIRENA_PORT or 5000; 0 takes a free one."),
    ] = None,
    socket: Annotated[
        Path | None,
        typer.Option(
            help="Unix socket to listen on instead of a port, in a folder of this account.", show_default=False
        ),
    ] = None,
    release: Annotated[
        str,
        typer.Option(help="Release to answer with: active (replaced when another is activated), latest, or a name."),
    ] = "active",
    panel: Annotated[
        Path | None, typer.Option(help="Answer from this panel file, without the model registry.", show_default=False)
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Number of processes that answer; by default SIRENA_SERVING_WORKERS or 1."),
    ] = None,
) -> None:
    """Answer HTTP requests with S / I / R.

    The active release answers, until Ctrl-C or SIGTERM. When another release is activated, the service loads it within
    seconds. If the registry fails, the loaded release keeps answering.

    Example: sirena serve --port 5000, then
    curl -H 'Content-Type: application/json' http://127.0.0.1:5000/invocations
    -d '{"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": "<=2"}]}'
    """
    from sirena.guidelines.editions import Editions
    from sirena.serving.application import Service, create_app
    from sirena.serving.holder import SOURCE_EVENTS
    from sirena.serving.server import bind, bind_path, run_until_signal, url_of
    from sirena.serving.source import FilePanelSource
    from sirena.serving.workers import WorkersPlan, run_workers
    from sirena.settings.catalogue import load_settings

    settings = load_settings()
    listener = bind_path(socket) if socket else bind(host, settings.port if port is None else port)
    url = url_of(listener)

    def make_source() -> "PanelSource":
        return FilePanelSource(panel) if panel else _registry_source(settings, release)

    def make_app(
        source: "PanelSource", counting: "AmongWorkers | None" = None, log: "ServiceLog | None" = None
    ) -> Service:
        editions = Editions(settings.editions_folder)
        return create_app(
            source,
            max_body=settings.max_body,
            poll_seconds=settings.poll_seconds,
            editions=editions,
            counting=counting,
            log=log,
            events_logged_elsewhere=SOURCE_EVENTS if counting else (),
        )

    def announce(name: str | None, error: SirenaError | None) -> None:
        if error is None:
            status = f"answers with {name}"
        elif not isinstance(error, UsageError):
            status = f"is not ready, and asks again every {settings.poll_seconds:g} s: {error.text}"
        # a release that does not exist is the caller's mistake; one not activated yet may come
        elif release != "active" or panel:
            raise error
        else:
            status = "waits for a release to be activated"
        typer.echo(f"Sirena {status}: {url}  (interface: {url}/docs)", err=True)

    def announce_standing(standing: "Standing") -> None:
        error = standing.failure.error() if standing.failure else None
        if error is not None and not standing.is_askable:
            raise error
        announce(standing.release, error)

    number = settings.serving_workers if workers is None else workers
    if number > 1:
        run_workers(WorkersPlan(number, listener, make_source, make_app, settings.poll_seconds), announce_standing)
        return
    # before the registry's client imports PyArrow, which asks only then whose memory to use
    share_free_memory()
    app = make_app(make_source())
    try:
        app.state.holder.refresh()
        announce(app.state.holder.require().release, None)
    except SirenaError as error:
        announce(None, error)
    run_until_signal(app, listener, on_hangup=app.state.holder.wake, protocol=app.protocol)


def _registry_source(settings: "Settings", release: str) -> "PanelSource":
    from sirena.acts.judged import is_behind_an_entry
    from sirena.acts.judged_panel import JudgedPanelSource
    from sirena.ledger.store import open_ledger
    from sirena.registry.connection import connect
    from sirena.registry.panel_cache import load_release
    from sirena.registry.releases import find_release
    from sirena.serving.source import MarkedPanel, RegistryPanelSource

    if not is_behind_an_entry(settings):
        if release == "active":
            return JudgedPanelSource(settings, open_ledger(settings))
        if settings.profile == "production":
            raise UsageError("on a server the active release answers, and no other", hint="leave --release out")

    def load() -> "MarkedPanel":
        release_panel = load_release(release, settings=settings)
        return MarkedPanel(release_panel.panel, release_panel.name)

    return RegistryPanelSource(lambda: find_release(connect(settings), release).name, load)
