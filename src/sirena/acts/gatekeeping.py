"""What ``promote`` and ``release activate`` share: the registry, the approver and the gate."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from threading import Lock

from sirena.acts.rules_in_force import overlay_in_force
from sirena.certification.gate import load_gate
from sirena.guidelines.editions import Edition, Editions
from sirena.registry.connection import Registry, connect
from sirena.registry.judging import RegisteredJudge
from sirena.registry.proof import Prover
from sirena.settings.catalogue import Settings, load_settings


def open_registry() -> Registry:
    """Connect to the MLflow that the settings name."""
    return connect(load_settings())


def judge_for(
    registry: Registry, overlay: Path | None, *, approver: str = "", prover: Prover | None = None
) -> RegisteredJudge:
    """Return the gate for an approver.

    Args:
        registry: of the versions.
        overlay: the hospital's own rules that are in force on top of the editions they name; None means those that were
            approved, or the file of `SIRENA_OVERLAY`.
        approver: account that decides; empty means the current user, or the account signed in at an entry.
        prover: proves what is judged, on the server, where no client's word counts.
    """
    settings = registry.settings
    edition = rules_in_force(settings, overlay)
    return RegisteredJudge(registry, load_gate(settings.gate), approver or settings.effective_user, edition, prover)


def rules_in_force(settings: Settings, overlay: Path | None = None) -> Callable[[str], Edition]:
    """Return a function from an edition's name to the edition with the rules in force; it reads each edition once.

    Args:
        settings: name the folder of editions.
        overlay: the hospital's own rules that are in force; None means those that were approved, or the file of
            `SIRENA_OVERLAY`.
    """
    rules = overlay or overlay_in_force(settings)
    editions = Editions(settings.editions_folder)
    lock = Lock()

    @lru_cache
    def load(name: str) -> Edition:
        return editions.load(name, in_force=rules)

    def edition(name: str) -> Edition:
        # an edition with an overlay is named "CLSI 2025 + rules.csv"; which rules are in force is not its to say
        with lock:
            return load(name.partition(" + ")[0])

    return edition
