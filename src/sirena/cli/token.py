"""``sirena token``: making, listing and revoking tokens."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sirena.access.actions import Action
from sirena.cli.json_document import AsJson, print_json
from sirena.cli.voice import in_words, say
from sirena.domain.errors import UsageError

if TYPE_CHECKING:
    from sirena.access.actions import Action
    from sirena.access.tokens import Token

_DAYS = {"d": 1.0, "h": 1 / 24, "m": 1 / 1440}


def register(app: typer.Typer) -> None:
    """Add the group of commands ``sirena token`` to the command line."""
    commands = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Tokens, with which programs use Sirena.",
    )
    commands.command("create")(create)
    commands.command("list")(list_tokens)
    commands.command("revoke")(revoke)
    app.add_typer(commands, name="token")


def create(
    user: Annotated[str, typer.Option(help="Account that the token acts as.")],
    expires: Annotated[str, typer.Option(help="How long the token is valid: 30d, 12h, 90m; at most 366d.")] = "30d",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="Action that the token is limited to (answer, browse, train …). May be repeated.", show_default=False
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="What the token is for.")] = "",
) -> None:
    """Create a token and print it.

    It is shown only now, because only its hash is stored.

    Example: sirena token create --user lis --expires 90d --scope answer
    """
    from sirena.acts.accounts_store import opened_store
    from sirena.acts.tokens import create_token

    scopes = frozenset(_action(text) for text in scope or ())
    days = _days(expires)
    settings, store = opened_store()
    token, secret = create_token(settings, store, user, name=name, days=days, scopes=scopes)
    say(f"token {token.id} of {user}, until {_day(token.expires)}; it is shown only now:", err=True)
    typer.echo(secret)


def list_tokens(
    user: Annotated[str, typer.Option(help="List only the tokens of this account.", show_default=False)] = "",
    as_json: AsJson = False,
) -> None:
    """List the tokens.

    Each is shown with id, owner, state, scopes and last use. The tokens themselves are not stored and cannot be shown.

    Example: sirena token list --user lis
    """
    from sirena.access.tokens import Tokens
    from sirena.acts.accounts_store import opened_store

    _, store = opened_store()
    now = datetime.now(UTC).timestamp()
    tokens = Tokens(store).of(user or None)
    if as_json:
        print_json([_facts(token, now) for token in tokens])
        return
    for token in tokens:
        state = "revoked" if token.revoked else "expired" if not token.holds(now) else f"until {_day(token.expires)}"
        last_use = f"last used {_day(token.last_used)}" if token.last_used else "never used"
        scopes = ",".join(sorted(token.scopes)) or in_words("all")
        state, last_use = in_words(state), in_words(last_use)
        typer.echo(f"{token.id:<13} {token.account:<24} {state:<18} {scopes:<20} {last_use:<22} {token.name}")


def _facts(token: "Token", now: float) -> dict[str, object]:
    return {
        "id": token.id,
        "account": token.account,
        "name": token.name,
        "scopes": sorted(token.scopes),
        "state": "revoked" if token.revoked else "active" if token.holds(now) else "expired",
        "expires": _day(token.expires),
        "last_used": _day(token.last_used) if token.last_used else None,
    }


def revoke(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Id of the token, as `sirena token list` shows it.")],
) -> None:
    """Revoke a token.

    It is refused within seconds.

    Example: sirena token revoke 2fffaa658676
    """
    from sirena.acts.accounts_store import opened_store
    from sirena.acts.tokens import revoke_token

    token = revoke_token(*opened_store(), identifier)
    say(f"token {token.id} of {token.account} is revoked")


def _days(text: str) -> float:
    match = re.fullmatch(r"(\d{1,6})([dhm])", text.strip())
    if not match:
        raise UsageError("--expires is a number followed by d, h or m", hint="--expires 30d")
    return int(match[1]) * _DAYS[match[2]]


def _action(text: str) -> "Action":
    usable = sorted(set(Action) - {Action.PUBLIC, Action.SWITCHED_OFF})
    if text not in usable:
        raise UsageError(f"there is no scope {text!r}", hint=f"scopes: {', '.join(usable)}")
    return Action(text)


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
