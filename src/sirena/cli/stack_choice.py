"""Which stack a command means: the profile asked for, the one brought up last, or the setting."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sirena.operations.stack import Stack

_PROFILES: Final = ("embedded", "production")


def chosen_stack(profile: str) -> "Stack":
    """Return the stack of this `SIRENA_HOME`.

    Args:
        profile: as given on the command line; empty means the one brought up last, or `SIRENA_PROFILE`.

    Raises:
        UsageError: there is no such profile.
    """
    from sirena.domain.errors import UsageError
    from sirena.operations.settings import load_settings
    from sirena.operations.stack import Stack

    settings = load_settings()
    profile = profile or settings.profile
    if profile not in _PROFILES:
        raise UsageError(f"no profile {profile!r}", hint=f"one of: {', '.join(_PROFILES)}")
    return Stack(settings.model_copy(update={"profile": profile}), _body_routes())


def prepare_ledger(stack: "Stack") -> None:
    """Make the audit ledger's table as a role that no service can enter as; again is harmless.

    Raises:
        SirenaError: the database refuses.
    """
    from pydantic import SecretStr

    from sirena.ledger.store import open_as_owner

    if stack.settings.profile == "production":
        url = SecretStr(stack.database().owner_url())
        open_as_owner(stack.settings.model_copy(update={"database_owner_url": url})).create("sirena")


def _body_routes() -> tuple[str, ...]:
    from sirena.access.routes import body_route_locations

    return tuple(body_route_locations())


def remember(stack: "Stack") -> None:
    """Keep which profile was brought up, so that `down` and `status` mean the same one."""
    from sirena.operations.settings import profile_file

    stack.settings.home.mkdir(parents=True, exist_ok=True)
    profile_file(stack.settings).write_text(stack.settings.profile + "\n", encoding="utf-8")
