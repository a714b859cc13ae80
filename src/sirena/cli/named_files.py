"""Checking the files that settings name and services read later: the hospital's rules, the gate, the policy."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sirena.settings.catalogue import Settings


def file_problems(settings: "Settings") -> list[str]:
    """Return the first thing that is wrong in each of these files, a sentence each, by row and column.

    Without this check, a wrong file would be noticed only when the entry refuses all promotions.
    """
    from sirena.access.policy import load_policy
    from sirena.certification.gate_file import load_gate

    return [
        *_told("SIRENA_OVERLAY", lambda: _read_overlay(settings)),
        *_told("SIRENA_GATE", lambda: load_gate(settings.gate)),
        *_told("SIRENA_POLICY", lambda: load_policy(settings.policy)),
    ]


def _read_overlay(settings: "Settings") -> None:
    from sirena.guidelines.editions import Editions

    if settings.overlay is None:
        return
    editions = Editions(settings.editions_folder)
    for name in editions.names:
        editions.load(name, in_force=settings.overlay)


def _told(variable: str, read: Callable[[], object]) -> list[str]:
    from sirena.domain.errors import SirenaError

    try:
        read()
    except SirenaError as error:
        return [f"{variable}: {error.text}" + (f" ({error.hint})" if error.hint else "")]
    except OSError as error:
        return [f"{variable}: {error.filename} cannot be read: {error.strerror}"]
    return []
