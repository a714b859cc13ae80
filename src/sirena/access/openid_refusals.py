"""The ways in which single sign-on can fail: each with a cause for the ledger and a text for the person."""

from dataclasses import dataclass, replace
from typing import Final

from joserfc.errors import ClaimError, JoseError

from sirena.domain.errors import SirenaError


@dataclass(frozen=True)
class Refusal:
    """A way in which a sign-in fails."""

    cause: str
    """Name of the cause in the ledger."""
    status: int
    """HTTP status of the answer."""
    spanish: str
    english: str


NOT_SET_UP: Final = Refusal(
    "not_set_up",
    404,
    "Aquí no hay inicio de sesión único.",
    "Single sign-on is not set up here.",
)
STATE: Final = Refusal(
    "state",
    403,
    "Este inicio de sesión no empezó en este navegador, ya se usó o ha caducado. Empiece de nuevo.",
    "This sign-in was not begun in this browser, was used already, or is too old. Begin again.",
)
PROVIDER: Final = Refusal(
    "provider",
    403,
    "El proveedor de identidad no le dejó entrar, o usted lo canceló.",
    "The identity provider did not let you in, or you cancelled.",
)
AWAY: Final = Refusal(
    "provider_away",
    503,
    "El proveedor de identidad no responde. Inténtelo más tarde o entre con usuario y contraseña.",
    "The identity provider does not answer. Try later, or sign in with name and password.",
)
UNTRUSTED: Final = replace(AWAY, cause="provider_certificate")
"""The provider's TLS certificate is of no authority that this machine trusts."""
UNUSABLE: Final = replace(AWAY, cause="provider_document")
"""The provider's metadata cannot be read, name another issuer, or leave out what Sirena needs."""
TOKEN: Final = Refusal(
    "id_token",
    403,
    "La respuesta del proveedor de identidad no es válida para Sirena. Avise a quien la administra.",
    "The identity provider's answer does not hold for Sirena. Tell its administrator.",
)
_OF_CLAIM: Final = {
    "iss": "id_token_issuer",
    "aud": "id_token_audience",
    "azp": "id_token_audience",
    "exp": "id_token_time",
    "iat": "id_token_time",
    "nbf": "id_token_time",
    "nonce": "id_token_nonce",
    "at_hash": "id_token_access_token",
}
"""Cause in the ledger by the claim that is wrong."""
_OF_SIGNATURE: Final = (
    "bad_signature",
    "unsupported_algorithm",
    "conflict_algorithm",
    "invalid_key_id",
    "missing_key",
    "invalid_key_type",
    "unsupported_key_alg",
    "key_parameter",
)
"""Codes of joserfc for a token that no published key signed."""
NO_GROUP: Final = Refusal(
    "no_role",
    403,
    "Su cuenta es correcta, pero ninguno de sus grupos tiene un papel en Sirena. Pídalo a quien la administra.",
    "Your account is fine, but none of your groups has a role in Sirena. Ask its administrator for one.",
)
NAME_TAKEN: Final = Refusal(
    "name_taken",
    403,
    "En Sirena ya hay otra cuenta con su nombre y no es esta. Avise a quien la administra.",
    "Sirena already has another account of your name, which is not this one. Tell its administrator.",
)
DISABLED: Final = Refusal(
    "disabled",
    403,
    "Su cuenta de Sirena está desactivada.",
    "Your account in Sirena is disabled.",
)


def of_token(error: Exception) -> Refusal:
    """Return the refusal for an error of an ID token: a cause for the ledger, and the same text for every person."""
    if isinstance(error, ClaimError):
        return replace(TOKEN, cause=_OF_CLAIM.get(error.claim, TOKEN.cause))
    if isinstance(error, JoseError) and error.error in _OF_SIGNATURE:
        return replace(TOKEN, cause="id_token_signature")
    return TOKEN


class SignInRefusedError(SirenaError):
    """A sign-in by single sign-on failed."""

    code = "openid"

    def __init__(self, refusal: Refusal, who: str = "", subject: str = "") -> None:
        super().__init__(refusal.english)
        self.refusal = refusal
        self.status = refusal.status
        self.who = who
        """Account concerned, once it is known."""
        self.subject = subject
        """The provider's name for the person, if an administrator could link it to an account; else empty."""
