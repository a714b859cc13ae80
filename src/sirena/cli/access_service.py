"""``sirena access-service``: the service that decides for NGINX on every request."""

import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from sirena.access.policy import load_policy
from sirena.access.room import Room
from sirena.training.asking_apart import NetworkAsker


def register(app: typer.Typer) -> None:
    """Add ``sirena access-service`` to the command line."""
    app.command(name="access-service")(access_service)


def access_service(
    host: Annotated[str, typer.Option(help="Address to listen on; NGINX is its only client.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 15520,
    socket: Annotated[
        Path | None,
        typer.Option(
            help="Unix socket to listen on instead of a port, in a folder that only NGINX may enter.",
            show_default=False,
        ),
    ] = None,
    entry_log: Annotated[
        Path | None,
        typer.Option(help="NGINX's log of the requests that it refused itself; they are copied to the audit ledger."),
    ] = None,
    pages_desk: Annotated[
        Path | None,
        typer.Option(
            help="Unix socket on which the pages report events for the audit ledger, in a folder that only the "
            "pages may enter.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run the access service; `sirena up` starts it.

    It decides who may do what, until Ctrl-C or SIGTERM. NGINX consults it about every request. It also shows the
    sign-in page, and passes a change of stage on to MLflow if the account has the right and the promotion gate allows
    it.

    Example: sirena access-service --port 15520
    """
    from sirena.access.pages_desk import create_desk
    from sirena.access.service import AccessParts, create_access_app
    from sirena.access.sessions import Sessions
    from sirena.access.store import open_store
    from sirena.acts.entry_records import entry_log_at, record_events
    from sirena.acts.entry_upstream import RegistryUpstream
    from sirena.acts.judged_watch import JudgedWatch, WatchThread
    from sirena.acts.local_rules import local_rules_of
    from sirena.acts.openid_settings import openid_configuration
    from sirena.acts.rules_forms import RulesForms
    from sirena.ledger.store import open_ledger
    from sirena.serving.server import bind, bind_path, run_until_signal, serve_beside, url_of
    from sirena.settings.catalogue import load_settings

    settings = load_settings()
    policy = load_policy(settings.policy)
    engine = open_store(settings.effective_database_url)
    asker = NetworkAsker()
    upstream = RegistryUpstream(settings, asker) if settings.tracking_uri.startswith("http") else None
    listener = bind_path(socket) if socket else bind(host, port)
    app = create_access_app(
        AccessParts(
            engine,
            policy,
            session_hours=settings.session_hours,
            notify=record_events(settings),
            openid=openid_configuration(settings),
            upstream=upstream,
            rules=RulesForms(local_rules_of(settings, behind_entry=True)),
            room=Room((settings.home, Path(tempfile.gettempdir())), settings.max_upload),
            entry_log=entry_log_at(entry_log, settings) if entry_log else None,
        )
    )
    remark = "" if upstream else "; MLFLOW_TRACKING_URI names no server, so changes of stages are refused"
    typer.echo(f"Sirena decides at {url_of(listener)}/decide{remark}", err=True)
    # what answers may only read the ledger; what is found that was not judged is put on record here
    watch = WatchThread(JudgedWatch(settings, open_ledger(settings))) if upstream else nullcontext()
    desk: AbstractContextManager[None] = nullcontext()
    if pages_desk:
        sessions = Sessions(engine, hours=settings.session_hours)
        desk = serve_beside(create_desk(sessions, record_events(settings)), bind_path(pages_desk))
    with watch, desk:
        run_until_signal(app, listener)
    if upstream:
        upstream.close()
    asker.close()
    engine.dispose()
