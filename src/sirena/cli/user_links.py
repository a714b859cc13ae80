"""``sirena user link`` and ``unlink``: linking accounts to persons of the OpenID provider."""

from typing import Annotated

import typer

from sirena.cli.voice import say

_Name = Annotated[str, typer.Argument(help="Account.")]


def register(commands: typer.Typer) -> None:
    """Add the commands to ``sirena user``."""
    commands.command("link")(link)
    commands.command("unlink")(unlink)


def link(
    name: _Name,
    subject: Annotated[
        str,
        typer.Option(help="The provider's own name of the person (`sub`); the ledger tells it with `name_taken`."),
    ],
    issuer: Annotated[
        str, typer.Option(help="The provider, to the letter; by default SIRENA_OIDC_ISSUER.", show_default=False)
    ] = "",
) -> None:
    """Let a person of the OpenID provider enter as an account that is there already.

    From then on the provider says who enters and with which roles: the account's password goes and its sessions end;
    tokens go on. Make sure that the account and the identity are the same person's.

    Example: sirena user link maria --subject 8f14e45f-ceea-467f-a0e6-1c9d2f3b4a5c
    """
    from sirena.acts.accounts import link_account
    from sirena.acts.accounts_store import opened_store
    from sirena.domain.errors import UsageError

    settings, store = opened_store()
    issuer = issuer or settings.oidc_issuer
    if not issuer:
        raise UsageError("no provider is named", hint="--issuer, or set SIRENA_OIDC_ISSUER")
    if issuer != settings.oidc_issuer:
        say("note: SIRENA_OIDC_ISSUER names another provider, so nobody of this one enters now", err=True)
    link_account(settings, store, name, issuer, subject)
    say(f"{name} is {subject} at {issuer}; it has no password of its own")


def unlink(name: _Name) -> None:
    """Take an account from its person of the OpenID provider; its sessions end, tokens and roles stay.

    Nobody enters it by the provider then. For a password of its own: `sirena user password`; to bar it: `sirena user
    disable`.

    Example: sirena user unlink maria
    """
    from sirena.acts.accounts import unlink_account
    from sirena.acts.accounts_store import opened_store

    issuer = unlink_account(*opened_store(), name)
    say(f"{name} is nobody's at {issuer} any more")
