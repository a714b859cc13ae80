"""``sirena certificate``: the entry's TLS certificate."""

from typing import TYPE_CHECKING, Annotated

import typer

from sirena.cli.voice import say

if TYPE_CHECKING:
    from sirena.settings.catalogue import Settings


def register(app: typer.Typer) -> None:
    """Add the group of commands ``sirena certificate`` to the command line."""
    group = typer.Typer(no_args_is_help=True, help="The entry's certificate.")
    group.command(name="show", epilog="Example: sirena certificate show")(show)
    group.command(name="renew", epilog="Example: sirena certificate renew --force")(renew)
    group.command(name="watch", epilog="Example: sirena certificate watch")(watch)
    app.add_typer(group, name="certificate")


def show() -> None:
    """Tell where the certificate in force comes from, where it lies and for how many days it is valid."""
    from sirena.server.tls.certificates import authority_file, days_left, entry_certificate

    settings = _production()
    paths = entry_certificate(settings)
    say(f"{settings.tls.value} for {settings.server_name}: {paths.chain}, {days_left(paths.chain)} days left")
    if paths.chain.parent == authority_file(settings).parent:
        say(f"clients must trust {authority_file(settings)}")


def renew(
    force: Annotated[bool, typer.Option("--force", help="Now, even when it is not due: a lost key, a drill.")] = False,
) -> None:
    """Renew Let's Encrypt's certificate or our own when it is due, or take up the hospital's new files.

    The entry takes it up without losing a request.
    """
    from sirena.acts.stack_choice import production_stack
    from sirena.server.entry import acme
    from sirena.server.tls.certificates import days_left, entry_certificate, self_made
    from sirena.settings.catalogue import CertificateSource

    settings = _production()
    if settings.tls is CertificateSource.LETS_ENCRYPT:
        acme.renew(settings, force=force)
    elif settings.tls is CertificateSource.SELF_MADE:
        self_made(settings, anew=force)
    production_stack(settings).reload_entry()
    say(f"{days_left(entry_certificate(settings).chain)} days left")


def watch() -> None:
    """Renew twice a day when due, until SIGTERM; `sirena up` runs this itself."""
    from sirena.server.entry import acme

    acme.watch(_production())


def _production() -> "Settings":
    from sirena.settings.catalogue import load_settings

    return load_settings().model_copy(update={"profile": "production"})
