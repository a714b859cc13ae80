"""Errors that refuse a request. Their texts never echo a password, a token or the whole request."""

from sirena.domain.errors import SirenaError


class NotSignedInError(SirenaError):
    """The request has no credential, or one that is not valid.

    The text is the same for every cause, so that whoever guesses names or passwords learns nothing from it.
    """

    code = "not_signed_in"
    status = 401
    cause: str = ""
    """Cause for the ledger, which the answer does not show; empty where the request had no credential."""


class ForbiddenError(SirenaError):
    """The sender of the request is known and may not do this, or nobody may."""

    code = "forbidden"
    status = 403
    who: str = ""
    """Account of the sender, once it is known; for the ledger, not for the answer."""


class AmbiguousRequestError(SirenaError):
    """The request can be read in two ways; such requests are used to evade access rules."""

    code = "ambiguous_request"
    status = 403
    who: str = ""
    """Account whose credential the request has; for the ledger, not for the answer."""


class MethodOverrideError(AmbiguousRequestError):
    """A header asks for another method or path than the request line."""

    code = "method_override"


class ForgedIdentityError(AmbiguousRequestError):
    """The request bears headers that only the entry sets."""

    code = "forged_identity"


class SwitchedOffPollError(ForbiddenError):
    """A page of MLflow asks, in a signed-in browser, for a part of MLflow that Sirena has switched off.

    This refusal is not recorded: MLflow's pages ask again and again, and nobody would find a refusal that matters among
    so many.
    """


class LedOnError(ForbiddenError):
    """A person who may not see MLflow's first page opens it in a browser, and is redirected to another page.

    Everybody gets to MLflow's first page after signing in, so this is not recorded as a refusal.
    """

    code = "led_on"


class LedToPagesError(LedOnError):
    """A person who may not see MLflow's first page is redirected to Sirena's pages."""

    code = "led_to_pages"


class CrossSiteError(ForbiddenError):
    """A page of another site made a browser send a request in the name of the person signed in."""

    code = "cross_site"


class PolicyError(SirenaError):
    """The policy file or the route table cannot be read, or holds something that Sirena does not know."""

    code = "policy"
    exit_code = 2


class AccountError(SirenaError):
    """An account or token cannot be made, found or changed as requested."""

    code = "account"
    exit_code = 2
    status = 409
