"""``sirena user``: making and changing accounts and their roles."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sirena.access.actions import Role
from sirena.cli import user_links
from sirena.cli.json_document import AsJson, print_json
from sirena.cli.voice import in_words, say
from sirena.domain.errors import UsageError

if TYPE_CHECKING:
    from sirena.access.actions import Role


def register(app: typer.Typer) -> None:
    """Add the group of commands ``sirena user`` to the command line."""
    commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Accounts and their roles.")
    commands.command("add")(add)
    commands.command("list")(list_accounts)
    commands.command("password")(password)
    commands.command("roles")(roles)
    commands.command("disable")(disable)
    commands.command("enable")(enable)
    user_links.register(commands)
    app.add_typer(commands, name="user")


def add(
    name: Annotated[
        str, typer.Argument(help="Name of the account, of a-z, 0-9, '.', '_', '@', '-'; the audit ledger shows it.")
    ],
    role: Annotated[
        list[str],
        typer.Option(help="Role: viewer, clinician, scientist, approver, operator or admin. May be repeated."),
    ],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input, one line.")
    ] = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Set no password: the account can be used only with tokens.")
    ] = False,
) -> None:
    """Create an account.

    The command prompts twice for the password, unless --password-stdin is given.

    Example: sirena user add maria --role scientist
    """
    from sirena.acts.accounts import add_account
    from sirena.acts.accounts_store import opened_store

    if password_stdin and no_password:
        raise UsageError("--password-stdin and --no-password exclude each other")
    granted_roles = frozenset(_role(text) for text in role)
    settings, store = opened_store()
    account = add_account(settings, store, name, granted_roles, None if no_password else _password(password_stdin))
    say(f"{account.name} may enter as {', '.join(sorted(account.roles))}")


def list_accounts(as_json: AsJson = False) -> None:
    """List accounts with their roles and state.

    Example: sirena user list
    """
    from sirena.access.accounts import Accounts
    from sirena.access.external_identities import ExternalIdentities
    from sirena.acts.accounts_store import opened_store

    _, store = opened_store()
    accounts, external = Accounts(store).everybody(), ExternalIdentities(store).accounts()
    if not accounts and not as_json:
        say("no accounts yet; make one with `sirena user add NAME --role ROLE`", err=True)
    now = datetime.now(UTC).timestamp()
    rows = []
    for account in accounts:
        account_state = "disabled" if account.disabled else "locked" if account.locked_until > now else "active"
        without = "single sign-on" if account.name in external else "tokens only"
        signs_in = "password" if account.password_hash else without
        roles = sorted(account.roles)
        rows.append({"name": account.name, "roles": roles, "state": account_state, "signs_in_by": signs_in})
        if not as_json:
            state, sign_in_words = in_words(account_state), in_words(signs_in)
            typer.echo(f"{account.name:<24} {','.join(roles):<32} {state:<12} {sign_in_words}")
    if as_json:
        print_json(rows)


def password(
    name: Annotated[str, typer.Argument(help="Name of the account.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input, one line.")
    ] = False,
) -> None:
    """Change the password of an account.

    The command prompts twice for it, unless --password-stdin is given. The old password is refused and the account's
    sessions end within seconds; a lock after wrong passwords is removed. Tokens stay valid; to revoke one: `sirena
    token revoke`.

    Example: sirena user password maria
    """
    from sirena.acts.accounts import change_password
    from sirena.acts.accounts_store import opened_store

    change_password(*opened_store(), name, lambda: _password(password_stdin))
    say(f"{name} has another password; its sessions are ended")


def roles(
    name: Annotated[str, typer.Argument(help="Name of the account.")],
    role: Annotated[list[str], typer.Option(help="Role that the account gets; it loses all others. May be repeated.")],
) -> None:
    """Replace the roles of an account.

    Sessions that are open get the new roles within seconds. An account with single sign-on gets its roles from the
    provider's groups; they cannot be changed here.

    Example: sirena user roles maria --role scientist --role approver
    """
    from sirena.acts.accounts import change_roles
    from sirena.acts.accounts_store import opened_store

    granted_roles = frozenset(_role(text) for text in role)
    change_roles(*opened_store(), name, granted_roles)
    say(f"{name} may enter as {', '.join(sorted(granted_roles))}")


def enable(name: Annotated[str, typer.Argument(help="Name of the account.")]) -> None:
    """Enable a disabled account again, and unlock it.

    Its former sessions and tokens stay invalid.

    Example: sirena user enable maria
    """
    from sirena.acts.accounts import enable_account
    from sirena.acts.accounts_store import opened_store

    enable_account(*opened_store(), name)
    say(f"{name} is enabled and not locked; sessions and tokens that were ended stay so")


def disable(name: Annotated[str, typer.Argument(help="Name of the account.")]) -> None:
    """Disable an account.

    Its sessions and tokens end within seconds; its entries in the audit ledger stay.

    Example: sirena user disable maria
    """
    from sirena.acts.accounts import disable_account
    from sirena.acts.accounts_store import opened_store

    disable_account(*opened_store(), name)
    say(f"{name} is disabled; sessions and tokens are revoked")


def _role(text: str) -> "Role":
    if text not in set(Role):
        raise UsageError(f"there is no role {text!r}", hint=f"roles: {', '.join(Role)}")
    return Role(text)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt(in_words("Password"), hide_input=True, confirmation_prompt=in_words("Repeat it")))
