"""``sirena serve``: answer over HTTP."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sirena.serving.source import MarkedPanel, PanelSource
    from sirena.settings.catalogue import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="serve")(serve)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; behind NGINX it stays loopback.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; SIRENA_PORT or 5000 by default; 0 takes a free one.")
    ] = None,
    socket: Annotated[
        Path | None,
        typer.Option(help="Unix socket to listen on instead, in a folder of this account.", show_default=False),
    ] = None,
    release: Annotated[
        str, typer.Option(help="Release to answer with: active (followed when it changes), latest, or a name.")
    ] = "active",
    panel: Annotated[
        Path | None, typer.Option(help="Answer from this panel file and ask no registry.", show_default=False)
    ] = None,
) -> None:
    """Answer S / I / R over HTTP with the active release, until Ctrl-C or SIGTERM.

    A newly activated release is taken up within seconds. When the registry fails, the loaded release goes on answering.

    Example: sirena serve --port 5000, then
    curl -H 'Content-Type: application/json' http://127.0.0.1:5000/invocations
    -d '{"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": "<=2"}]}'
    """
    from sirena.domain.errors import SirenaError, UsageError
    from sirena.guidelines.editions import Editions
    from sirena.serving.application import create_app
    from sirena.serving.server import bind, bind_path, run_until_signal, url_of
    from sirena.serving.source import FilePanelSource
    from sirena.settings.catalogue import load_settings

    settings = load_settings()
    bound = bind_path(socket) if socket else bind(host, settings.port if port is None else port)
    source: PanelSource = FilePanelSource(panel) if panel else _registry_source(settings, release)
    editions = Editions(settings.editions_folder)
    app = create_app(source, max_body=settings.max_body, poll_seconds=settings.poll_seconds, editions=editions)
    url = url_of(bound)
    try:
        app.state.holder.refresh()
        answering = f"answers with {app.state.holder.require().release}"
    except UsageError:
        # a release that does not exist is the caller's mistake; one not activated yet may come
        if release != "active" or panel:
            bound.close()
            raise
        answering = "waits for a release to be activated"
    except SirenaError as error:
        answering = f"is not ready, and asks again every {settings.poll_seconds:g} s: {error.text}"
    typer.echo(f"Sirena {answering}: {url}  (interface: {url}/docs)", err=True)
    run_until_signal(app, bound, on_hangup=app.state.holder.wake, protocol=app.protocol)


def _registry_source(settings: "Settings", release: str) -> "PanelSource":
    from sirena.acts.judged import is_behind_an_entry
    from sirena.acts.judged_panel import JudgedPanelSource
    from sirena.domain.errors import UsageError
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
        loaded = load_release(release, settings=settings)
        return MarkedPanel(loaded.panel, loaded.name)

    return RegistryPanelSource(lambda: find_release(connect(settings), release).name, load)
