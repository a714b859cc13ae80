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
    """A page of MLflow in a signed-in browser looks whether there is what Sirena does not use.

    Refused like any other and not put on record: these pages look again and again, so each person who browses would
    leave such refusals all day, and among them nobody would find the one that matters.
    """


class LedOnError(ForbiddenError):
    """Somebody at a browser opens the first page, which is MLflow's, and has another place here: they are led there.

    After signing in everybody is sent to the first page, so nothing is amiss and nothing goes on record.
    """

    code = "led_on"


class LedToPagesError(LedOnError):
    """The same, of somebody whose place is Sirena's pages."""

    code = "led_to_pages"


class CrossSiteError(ForbiddenError):
    """Another site makes a browser act for whoever is signed in with it."""

    code = "cross_site"


class PolicyError(SirenaError):
    """The policy file or the route table says something that cannot be meant."""

    code = "policy"
    exit_code = 2


class AccountError(SirenaError):
    """An account or token that cannot be made, found or changed as asked."""

    code = "account"
    exit_code = 2
    status = 409
