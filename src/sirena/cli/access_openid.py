"""Reading the configuration of single sign-on from the settings, for the access service."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sirena.access.openid_configuration import OpenIdConfiguration
    from sirena.settings.catalogue import Settings


def openid_configuration(settings: "Settings") -> "OpenIdConfiguration | None":
    """Return the OpenID provider in the settings; None if they name none.

    Raises:
        GroupRolesError: `SIRENA_OIDC_ROLES` cannot be read.
    """
    from sirena.access.openid_configuration import OpenIdConfiguration, read_group_roles

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


def openid_problems(settings: "Settings") -> list[str]:
    """Return what is wrong with the setting of groups' roles, a sentence each."""
    from sirena.access.openid_configuration import GroupRolesError, read_group_roles

    try:
        read_group_roles(settings.oidc_roles)
    except GroupRolesError as error:
        return [f"{error.text} ({error.hint})"]
    return []
