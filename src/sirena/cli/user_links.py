"""``sirena user link`` and ``unlink``: linking accounts to persons of the OpenID provider."""

from typing import Annotated

import typer

from sirena.cli.voice import say
from sirena.domain.errors import UsageError

_Name = Annotated[str, typer.Argument(help="Name of the account.")]


def register(commands: typer.Typer) -> None:
    """Add the commands to ``sirena user``."""
    commands.command("link")(link)
    commands.command("unlink")(unlink)


def link(
    name: _Name,
    subject: Annotated[
        str,
        typer.Option(
            help="Identifier of the person at the provider (`sub`); the audit ledger shows it in the refusals with"
            " cause `name_taken`."
        ),
    ],
    issuer: Annotated[
        str,
        typer.Option(
            help="URL of the provider, exactly as it names itself; by default SIRENA_OIDC_ISSUER.", show_default=False
        ),
    ] = "",
) -> None:
    """Link an account to a person of the OpenID provider.

    From then on the person signs in as this account. From then on the provider decides who signs in and with which
    roles. The account loses its password and its sessions end; its tokens stay valid. Make sure that account and
    identity belong to the same person.

    Example: sirena user link maria --subject 8f14e45f-ceea-467f-a0e6-1c9d2f3b4a5c
    """
    from sirena.acts.accounts import link_account
    from sirena.acts.accounts_store import opened_store

    settings, store = opened_store()
    issuer = issuer or settings.oidc_issuer
    if not issuer:
        raise UsageError("no provider is named", hint="--issuer, or set SIRENA_OIDC_ISSUER")
    if issuer != settings.oidc_issuer:
        say("note: SIRENA_OIDC_ISSUER names another provider, so nobody can sign in through this one now", err=True)
    link_account(settings, store, name, issuer, subject)
    say(f"{name} is linked to {subject} at {issuer}; it has no password")


def unlink(name: _Name) -> None:
    """Unlink an account from its person of the OpenID provider.

    Its sessions end; its tokens and roles stay. Then nobody can sign in to the account through the provider. To give it
    a password: `sirena user password`; to disable it: `sirena user disable`.

    Example: sirena user unlink maria
    """
    from sirena.acts.accounts import unlink_account
    from sirena.acts.accounts_store import opened_store

    issuer = unlink_account(*opened_store(), name)
    say(f"{name} is linked to nobody at {issuer} any more")
