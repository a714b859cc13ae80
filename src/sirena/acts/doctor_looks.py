"""All checks of `sirena doctor`: those of `server`, and those that need accounts, ledger or single sign-on."""

import asyncio
from typing import Final

from sirena.access.openid_configuration import GroupRolesError
from sirena.access.openid_refusals import SignInRefusedError
from sirena.acts.ledger_condition import ledger_condition
from sirena.acts.openid_settings import openid_configuration
from sirena.acts.settings_look import look_at_settings
from sirena.acts.stack_choice import chosen_stack
from sirena.acts.upgrade_look import look, own_files
from sirena.server.checks.entry_conditions import entry_conditions
from sirena.server.checks.examination import examine
from sirena.server.checks.finding import AS_ROOT, Area, CheckReport, CheckVerdict
from sirena.server.checks.network import within
from sirena.server.checks.standing import StackStanding, StackState
from sirena.server.object_store.s3 import LOOK_SECONDS
from sirena.server.production_stack import ProductionStack
from sirena.server.stack import Stack
from sirena.settings.catalogue import Settings, SettingsError

_PROVIDER_REMEDIES: Final = {
    "provider_away": "check SIRENA_OIDC_ISSUER, firewall and proxy: "
    "`curl -sS {issuer}/.well-known/openid-configuration` must answer from here",
    "provider_certificate": "copy the authority's certificate into /usr/local/share/ca-certificates, "
    "then `update-ca-certificates`",
    "provider_document": "set SIRENA_OIDC_ISSUER to the letter as `issuer` stands in "
    "{issuer}/.well-known/openid-configuration, and have the provider sign ID tokens by RS256, PS256 or ES256",
}


def examine_installation(profile: str, check_report: CheckReport) -> dict[str, str]:
    """Make all checks of `sirena doctor`, and change nothing.

    Args:
        profile: profile of the stack; empty means the one last started, or the one in the settings.
        check_report: report that the findings are noted in.

    Returns:
        Profile and home of the stack; empty if the settings cannot be read.
    """
    try:
        stack = chosen_stack(profile)
    except SettingsError as error:
        # nobody knows what to look at
        check_report.note(Area.SETTINGS, "settings", CheckVerdict.WRONG, error.text, error.hint)
        return {}
    except OSError as error:
        message = f"{error.filename} cannot be read by this account"
        check_report.note(Area.SETTINGS, "settings", CheckVerdict.WRONG, message, AS_ROOT)
        return {}
    standing = StackStanding.of(stack.supervisor)
    look_at_settings(stack.settings, check_report)
    examine(stack.settings, standing, check_report)
    if isinstance(stack, ProductionStack):
        look_at_provider(stack.settings, check_report)
    look_at_parts(stack, standing, check_report)
    look_at_databases(stack, standing, check_report)
    return {"profile": stack.settings.profile, "home": str(stack.settings.home)}


def look_at_provider(settings: Settings, check_report: CheckReport) -> None:
    """Check that the OpenID provider answers and its metadata can be used."""
    try:
        configuration = openid_configuration(settings)
    except GroupRolesError:
        # a problem of the settings, and said there
        return
    if configuration is None:
        return
    from sirena.access.openid_provider import OpenIdProvider

    issuer = configuration.issuer.rstrip("/")
    try:
        within(LOOK_SECONDS, lambda: asyncio.run(OpenIdProvider(configuration).require_answer()))
    except TimeoutError:
        message, remedy = f"{issuer} did not answer within {LOOK_SECONDS:.0f} s", _PROVIDER_REMEDIES["provider_away"]
        check_report.note(Area.NETWORK, "single sign-on", CheckVerdict.WRONG, message, remedy.format(issuer=issuer))
    except SignInRefusedError as error:
        cause = error.refusal.cause
        remedy = _PROVIDER_REMEDIES[cause].format(issuer=issuer)
        check_report.note(Area.NETWORK, "single sign-on", CheckVerdict.WRONG, f"{issuer}: {cause}", remedy)
    else:
        check_report.note(Area.NETWORK, "single sign-on", CheckVerdict.WELL, f"{issuer} answers")


def look_at_parts(stack: Stack, standing: StackStanding, check_report: CheckReport) -> None:
    """Note the state of a running stack's parts and of the ledger, as `sirena status` shows it."""
    if standing.state is not StackState.RUNNING:
        return
    with check_report.looking(Area.STACK, "parts"):
        parts = stack.health()
        for part in parts:
            if not part.well:
                check_report.note(
                    Area.STACK, part.name, CheckVerdict.WRONG, part.state, f"`sirena logs {part.name}`; `sirena up`"
                )
        well = [part.name for part in parts if part.well]
        if well:
            check_report.note(Area.STACK, "parts", CheckVerdict.WELL, f"{len(well)} well: {', '.join(well)}")
        check_report.findings.append(ledger_condition(stack.settings, parts))
        if isinstance(stack, ProductionStack):
            check_report.findings += entry_conditions(stack.standing_entry())


def look_at_databases(stack: Stack, standing: StackStanding, check_report: CheckReport) -> None:
    """Note what `sirena upgrade --check` shows, if that needs nothing to be started or created."""
    production = stack if isinstance(stack, ProductionStack) else None
    if standing.state is StackState.HIDDEN or (production and standing.state is StackState.NONE):
        return
    with check_report.looking(Area.DATABASES, "revisions"):
        if production and not production.database().part().health.is_well():
            message, remedy = "PostgreSQL is down", "`sirena up`; or `sirena upgrade --check`, which starts it to look"
            check_report.note(Area.DATABASES, "revisions", CheckVerdict.UNSEEN, message, remedy)
            return
        if not production and not own_files(stack.settings):
            return
        for finding in look(stack):
            message = f"{finding.revision or 'nothing yet'}, as needed"
            if finding.is_due:
                message = f"{finding.revision}, and {finding.needed_revision} is needed"
            verdict = CheckVerdict.WRONG if finding.is_due else CheckVerdict.WELL
            check_report.note(
                Area.DATABASES, finding.subject, verdict, message, "sirena upgrade" if finding.is_due else ""
            )
