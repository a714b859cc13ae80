"""Choosing the stack that a command acts on: by the given profile, the profile started last, or the setting."""

from functools import partial
from typing import Final

from sirena import __version__
from sirena.access.routes import body_route_locations
from sirena.acts.tables import make_or_require
from sirena.domain.errors import UsageError
from sirena.host.whole_files import replace_whole
from sirena.server.embedded_stack import EmbeddedStack
from sirena.server.production_stack import ProductionStack
from sirena.server.stack import Stack
from sirena.settings.catalogue import Settings, load_settings, profile_file

_PROFILES: Final = ("embedded", "production")


def chosen_stack(profile: str) -> Stack:
    """Return the stack of this `SIRENA_HOME`, embedded or production.

    Args:
        profile: profile given on the command line; empty means the one started last, or `SIRENA_PROFILE`.

    Raises:
        UsageError: there is no such profile.
    """
    settings = load_settings()
    profile = profile or settings.profile
    if profile not in _PROFILES:
        raise UsageError(f"no profile {profile!r}", hint=f"one of: {', '.join(_PROFILES)}")
    settings = settings.model_copy(update={"profile": profile})
    if profile == "embedded":
        return EmbeddedStack(settings)
    return production_stack(settings)


def production_stack(settings: Settings) -> ProductionStack:
    """Return the production stack, with the functions that write the entry's configuration and make Sirena's tables."""
    return ProductionStack(settings, tuple(body_route_locations()), partial(make_or_require, settings))


def remember(stack: Stack) -> None:
    """Store which profile was started, so that `down` and `status` act on the same one."""
    stack.settings.home.mkdir(parents=True, exist_ok=True)
    replace_whole(profile_file(stack.settings), f"{stack.settings.profile}\n".encode())


def note_release(stack: Stack, release: str = __version__) -> None:
    """Store which release of Sirena runs here now, so that `upgrade` can say from which release it upgrades."""
    replace_whole(stack.settings.home / "release", f"{release}\n".encode())


def noted_release(stack: Stack) -> str:
    """Return the release of Sirena that ran here last; empty if no stack was started yet."""
    file = stack.settings.home / "release"
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""
