"""Whether a release rests on guideline editions in force, for ``sirena status`` and ``sirena release``."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sirena.server.checks.finding import CheckFinding, CheckVerdict, about
from sirena.server.parts.connections import connection_to_service
from sirena.server.supervision.health_report import PartHealth
from sirena.settings.catalogue import Settings

if TYPE_CHECKING:
    from sirena.registry.connection import Registry
    from sirena.registry.releases import Release

_finding: Final = about("guideline")
REMEDY: Final = "train on the edition in force and make a new release: docs/howto/yearly-edition.md"
_SECONDS: Final = 10.0


def lapsed_editions(registry: "Registry", release: "Release") -> list[str]:
    """Return a sentence for each guideline edition of a release's members that is not in force today.

    Raises:
        SirenaError: the release's file cannot be read.
    """
    # `sirena status` asks the service alone, and does not wait for the editions and MLflow's client
    from sirena.guidelines.editions import Editions
    from sirena.registry.releases import release_members

    editions = Editions(registry.settings.editions_folder)
    return editions.lapses(member.edition for member in release_members(registry, release))


def guideline_condition(settings: Settings, parts: Sequence[PartHealth]) -> CheckFinding:
    """Return the condition of the guideline editions of the release that answers, as the service reports it.

    Args:
        settings: settings of the stack.
        parts: health of the parts; the service must be healthy to be asked.
    """
    if not any(part.name == "service" and part.well for part in parts):
        return _finding(CheckVerdict.WARNING, "not known: the service does not run", "sirena up")
    try:
        with connection_to_service(settings).open("/version", seconds=_SECONDS) as answer:
            version = json.load(answer)
    except (OSError, ValueError):
        return _finding(CheckVerdict.WARNING, "not known: the service does not answer", "sirena status")
    if version.get("not_in_force"):
        return _finding(CheckVerdict.WARNING, "; ".join(version["not_in_force"]), REMEDY)
    editions = ", ".join(version.get("editions") or ())
    return _finding(CheckVerdict.WELL, f"{editions}: in force" if editions else "no release answers yet")
