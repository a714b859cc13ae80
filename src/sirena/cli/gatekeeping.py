"""What ``promote`` and ``release activate`` share: the registry, the approver and the gate."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sirena.registry.connection import Registry
    from sirena.registry.judging import RegisteredJudge


def open_registry() -> "Registry":
    """Connect to the MLflow the environment names."""
    from sirena.operations.settings import load_settings
    from sirena.registry.connection import connect

    return connect(load_settings())


def judge_for(registry: "Registry", overlay: Path | None, *, approver: str = "") -> "RegisteredJudge":
    """Return the gate for an approver.

    Args:
        registry: where.
        overlay: the hospital's own rules that are in force on top of each certificate's edition, if any.
        approver: who decides; empty means the current user.
    """
    from sirena.certification.gate import load_gate
    from sirena.guidelines.editions import load_edition
    from sirena.registry.judging import RegisteredJudge

    @lru_cache
    def digest(edition: str) -> str:
        # an edition with an overlay is named "CLSI 2025 + rules.csv"; the rules are given by --overlay
        return load_edition(edition.partition(" + ")[0], overlay=overlay).digest

    settings = registry.settings
    return RegisteredJudge(registry, load_gate(settings.gate), approver or settings.effective_user, digest)
