"""Whether the guideline editions of the release in use are in force, for ``/version`` and ``/metrics``."""

from collections.abc import Sequence
from dataclasses import dataclass

from sirena.domain.errors import SirenaError
from sirena.guidelines.editions import Editions
from sirena.panel.compiled import Panel


@dataclass(frozen=True, slots=True)
class EditionStanding:
    """Which guideline editions of a panel are in force today."""

    in_force: dict[str, bool]
    """By name of each edition that the panel's models were certified against: whether it is in force."""
    not_in_force: Sequence[str]
    """A sentence for each edition that is not in force, or why this is not known."""


def edition_standing(panel: Panel | None, editions: Editions) -> EditionStanding:
    """Return which editions of a panel are in force today; empty without a panel."""
    facts = panel.provenance.values() if panel is not None else ()
    names = sorted({str(fact["edition"]) for fact in facts if fact.get("edition")})
    try:
        return EditionStanding({name: editions.is_in_force(name) for name in names}, editions.lapses(names))
    except SirenaError as error:
        return EditionStanding({}, [f"which editions are in force cannot be told: {error.text}"])
