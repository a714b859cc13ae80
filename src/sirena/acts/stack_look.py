"""The state of an installation's parts, and of what they need, as `sirena status` shows it."""

from dataclasses import dataclass

from sirena.acts.guideline_condition import guideline_condition
from sirena.acts.ledger_condition import ledger_condition
from sirena.acts.release_condition import release_condition
from sirena.acts.stack_choice import chosen_stack
from sirena.host.accounts import PreparationError
from sirena.server.checks.conditions import conditions
from sirena.server.checks.entry_conditions import entry_conditions
from sirena.server.checks.finding import CheckFinding, CheckVerdict
from sirena.server.checks.standing import StackStanding, StackState
from sirena.server.production_stack import ProductionStack
from sirena.server.supervision.health_report import PartHealth


@dataclass(frozen=True)
class StackLook:
    """What was found of an installation at one moment."""

    parts: list[PartHealth]
    conditions: list[CheckFinding]
    """Conditions of disk, certificate, backup, restore drill, entry, guideline, audit ledger and release."""

    @property
    def worst(self) -> CheckVerdict:
        """The gravest verdict of all; a part that is not well is wrong."""
        if not all(part.well for part in self.parts):
            return CheckVerdict.WRONG
        return CheckVerdict.worst(condition.verdict for condition in self.conditions)


def look_at_stack(profile: str) -> StackLook:
    """Return the state of an installation.

    Args:
        profile: profile of the stack; empty means the one last started, or the one in the settings.

    Raises:
        PreparationError: the parts belong to another account, and this one may not see their state.
    """
    stack = chosen_stack(profile)
    if StackStanding.of(stack.supervisor).state is StackState.HIDDEN:
        raise PreparationError(
            f"the parts below {stack.settings.home} belong to another account, and this one may not see their state",
            hint="use the account that runs `sirena up`; for a monitor, add a line to sudoers",
        )
    parts = stack.health()
    settings = stack.settings
    entry = entry_conditions(stack.standing_entry()) if isinstance(stack, ProductionStack) else ()
    of_answers = [check(settings, parts) for check in (guideline_condition, ledger_condition, release_condition)]
    return StackLook(parts, [*conditions(settings), *entry, *of_answers])
