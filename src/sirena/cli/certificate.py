"""``sirena certificate``: the entry's TLS certificate."""

from typing import TYPE_CHECKING, Annotated

import typer

from sirena.cli.voice import say

if TYPE_CHECKING:
    from sirena.settings.catalogue import Settings


def register(app: typer.Typer) -> None:
    """Add the group of commands ``sirena certificate`` to the command line."""
    group = typer.Typer(no_args_is_help=True, help="The TLS certificate of the entry (NGINX).")
    group.command(name="show", epilog="Example: sirena certificate show")(show)
    group.command(name="renew", epilog="Example: sirena certificate renew --force")(renew)
    group.command(name="watch", epilog="Example: sirena certificate watch")(watch)
    app.add_typer(group, name="certificate")


def show() -> None:
    """Show the certificate in use.

    The command prints its source, its file and for how many days it is valid.
    """
    from sirena.server.tls.certificates import authority_file, days_left, entry_certificate

    settings = _production()
    paths = entry_certificate(settings)
    say(f"{settings.tls.value} for {settings.server_name}: {paths.chain}, {days_left(paths.chain)} days left")
    if paths.chain.parent == authority_file(settings).parent:
        say(f"clients must trust {authority_file(settings)}")


def renew(
    force: Annotated[
        bool, typer.Option("--force", help="Renew now, even if it is not due, such as after the loss of a key.")
    ] = False,
) -> None:
    """Renew the certificate.

    One of Let's Encrypt or of Sirena is renewed when it is due; of the hospital's own, the new files are used. NGINX
    starts to use the new certificate without losing a request.
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
    """Keep the certificate renewed; `sirena up` starts this.

    Twice a day the command renews it if it is due, until SIGTERM.
    """
    from sirena.server.entry import acme

    acme.watch(_production())


def _production() -> "Settings":
    from sirena.settings.catalogue import load_settings

    return load_settings().model_copy(update={"profile": "production"})
