"""Whether the release in use rests on guideline editions that are in force, told by ``/version`` and ``/metrics``."""

from collections.abc import Sequence
from dataclasses import dataclass

from sirena.domain.errors import SirenaError
from sirena.guidelines.editions import Editions
from sirena.panel.compiled import Panel


@dataclass(frozen=True, slots=True)
class EditionStanding:
    """How the editions of a panel stand today."""

    in_force: dict[str, bool]
    """By name of each edition that the models of the panel were certified against."""
    not_in_force: Sequence[str]
    """A sentence for each that is not, or why nobody can tell."""


def edition_standing(panel: Panel | None, editions: Editions) -> EditionStanding:
    """Return how the editions of a panel stand today; nothing for no panel."""
    facts = panel.provenance.values() if panel is not None else ()
    names = sorted({str(fact["edition"]) for fact in facts if fact.get("edition")})
    try:
        return EditionStanding({name: editions.is_in_force(name) for name in names}, editions.lapses(names))
    except SirenaError as error:
        return EditionStanding({}, [f"which editions are in force cannot be told: {error.text}"])
