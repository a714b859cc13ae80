"""Reading the configuration of single sign-on from the settings, for the access service."""

from sirena.access.openid_configuration import GroupRolesError, OpenIdConfiguration, read_group_roles
from sirena.settings.catalogue import Settings


def openid_configuration(settings: Settings) -> OpenIdConfiguration | None:
    """Return the OpenID provider in the settings; None if the settings name no provider.

    Raises:
        GroupRolesError: `SIRENA_OIDC_ROLES` cannot be read.
    """
    if not settings.oidc_issuer:
        return None
    return OpenIdConfiguration(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        group_roles=read_group_roles(settings.oidc_roles),
        entry_url=settings.entry_url,
        client_secret=lambda: settings.openid_client_secret,
        scopes=settings.oidc_scopes,
        name_claim=settings.oidc_name_claim,
        groups_claim=settings.oidc_groups_claim,
        label=settings.oidc_label,
    )


def openid_problems(settings: Settings) -> list[str]:
    """Return what is wrong with the setting `SIRENA_OIDC_ROLES`, one sentence for each problem."""
    try:
        read_group_roles(settings.oidc_roles)
    except GroupRolesError as error:
        return [f"{error.text} ({error.hint})"]
    return []
