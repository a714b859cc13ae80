"""Refusals. Their texts never repeat a password, a token or what was asked in full."""

from sirena.domain.errors import SirenaError


class NotSignedInError(SirenaError):
    """Nobody, or somebody whose credential does not hold.

    One text for every cause: whoever guesses names or passwords learns nothing from the difference.
    """

    code = "not_signed_in"
    status = 401
    cause: str = ""
    """What it was, for the record and not for the answer; empty where nothing was shown."""


class ForbiddenError(SirenaError):
    """The identity is known and may not do this."""

    code = "forbidden"
    status = 403
    who: str = ""
    """Account that asked, once it is known; for the record, not for the answer."""


class AmbiguousRequestError(SirenaError):
    """The request can be read in two ways, as tricks against access rules are."""

    code = "ambiguous_request"
    status = 403
    who: str = ""
    """Account whose credential it shows; for the record, not for the answer."""


class MethodOverrideError(AmbiguousRequestError):
    """A header asks for another method or path than the request line."""

    code = "method_override"


class ForgedIdentityError(AmbiguousRequestError):
    """The request bears headers that only the entry sets."""

    code = "forged_identity"


class SwitchedOffPollError(ForbiddenError):
    """A page of MLflow asks, in a signed-in browser, for a part of MLflow that Sirena has switched off.

    It is refused and not put on record: MLflow's pages ask again and again, and among so many refusals nobody would
    find the one that matters.
    """


class LedOnError(ForbiddenError):
    """Somebody who may not see MLflow's first page opens it in a browser, and is led to another page.

    Everybody comes to the first page after signing in, so this is no offence and does not go on record.
    """

    code = "led_on"


class LedToPagesError(LedOnError):
    """Somebody who may not see MLflow's first page is led to Sirena's pages."""

    code = "led_to_pages"


class CrossSiteError(ForbiddenError):
    """Another site makes a browser act for whoever is signed in with it."""

    code = "cross_site"


class PolicyError(SirenaError):
    """The policy file or the route table holds a line that cannot be right."""

    code = "policy"
    exit_code = 2


class AccountError(SirenaError):
    """An account or token that cannot be made, found or changed as asked."""

    code = "account"
    exit_code = 2
    status = 409
