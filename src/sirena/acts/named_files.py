"""Checking the files that settings name and services read later: the hospital's rules, the gate, the policy."""

from collections.abc import Callable

from sirena.access.policy import load_policy
from sirena.certification.gate_file import load_gate
from sirena.domain.errors import SirenaError
from sirena.guidelines.editions import Editions
from sirena.settings.catalogue import Settings


def file_problems(settings: Settings) -> list[str]:
    """Return the first mistake in each of these files, one sentence each, with row and column.

    Without this check, a wrong file would be noticed only when the entry refuses all promotions.
    """
    return [
        *_error_lines("SIRENA_OVERLAY", lambda: _read_overlay(settings)),
        *_error_lines("SIRENA_GATE", lambda: load_gate(settings.gate)),
        *_error_lines("SIRENA_POLICY", lambda: load_policy(settings.policy)),
    ]


def _read_overlay(settings: Settings) -> None:
    if settings.overlay is None:
        return
    editions = Editions(settings.editions_folder)
    for name in editions.names:
        editions.load(name, in_force=settings.overlay)


def _error_lines(variable: str, reader: Callable[[], object]) -> list[str]:
    try:
        reader()
    except SirenaError as error:
        return [f"{variable}: {error.text}" + (f" ({error.hint})" if error.hint else "")]
    except OSError as error:
        return [f"{variable}: {error.filename} cannot be read: {error.strerror}"]
    return []
