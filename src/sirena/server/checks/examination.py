"""All checks of the machine, in the order in which a start would fail."""

from sirena.server.checks.accounts import look_at_accounts
from sirena.server.checks.conditions import certificate_condition, conditions
from sirena.server.checks.finding import AS_ROOT, Area, CheckReport, CheckVerdict
from sirena.server.checks.foreign_access import look_at_foreign_access
from sirena.server.checks.machine import look_at_clock, look_at_memory
from sirena.server.checks.network import look_at_authority, look_at_name, look_at_s3
from sirena.server.checks.places import look_at_places, look_at_server_places
from sirena.server.checks.ports import look_at_listening, look_at_ports
from sirena.server.checks.programs import look_at_programs
from sirena.server.checks.standing import StackStanding, StackState
from sirena.settings.catalogue import CertificateSource, Settings


def examine(settings: Settings, standing: StackStanding, check_report: CheckReport) -> None:
    """Run all checks that need neither the database of accounts nor the ledger.

    Args:
        settings: settings of the stack, with the intended profile.
        standing: state of the stack.
        check_report: receives the findings.
    """
    is_running = standing.state is StackState.RUNNING
    look_at_programs(settings, check_report)
    look_at_memory(settings, check_report, is_running=is_running)
    look_at_clock(check_report)
    look_at_accounts(settings, check_report, standing)
    look_at_places(settings, check_report, standing)
    with check_report.looking(Area.PORTS, "ports"):
        look_at_ports(settings, check_report, standing)
    if settings.profile == "production":
        _examine_server(settings, standing, check_report)
    _look_at_conditions(settings, standing, check_report)


def _examine_server(settings: Settings, standing: StackStanding, check_report: CheckReport) -> None:
    look_at_server_places(settings, check_report, standing)
    look_at_listening(settings, check_report, standing)
    look_at_name(settings, check_report)
    look_at_s3(settings, check_report)
    look_at_authority(settings, check_report)
    look_at_foreign_access(settings, check_report, standing)


def _look_at_conditions(settings: Settings, standing: StackStanding, check_report: CheckReport) -> None:
    """Note what `sirena status` shows; before a first start only the hospital's own TLS certificate can be checked."""
    with check_report.looking(Area.STACK, "conditions"):
        if standing.state in (StackState.DOWN, StackState.RUNNING):
            # the disk is the machine's, and was looked at there
            conditions_seen = [condition for condition in conditions(settings) if condition.name != "disk"]
        elif settings.profile == "production" and settings.tls is CertificateSource.FILES:
            conditions_seen = [certificate_condition(settings)]
        else:
            conditions_seen = []
        check_report.findings += conditions_seen
    if standing.state is StackState.NONE:
        command = "sirena up" + (" --profile production" if settings.profile == "production" else "")
        check_report.note(Area.STACK, "parts", CheckVerdict.WELL, f"never brought up here; `{command}` does")
    elif standing.state is StackState.DOWN:
        check_report.note(Area.STACK, "parts", CheckVerdict.WARNING, "everything is down", "sirena up")
    elif standing.state is StackState.HIDDEN:
        text = "another account's, which this one may not ask"
        check_report.note(Area.STACK, "parts", CheckVerdict.UNSEEN, text, AS_ROOT)
