"""Requests to an OpenID provider: reading its metadata, exchanging a code for an ID token, and verifying the token.

An ID token is accepted if all of this is true, and refused otherwise:

- it is signed with a key the provider publishes, by an asymmetric algorithm (neither ``none`` nor a shared secret);
- ``iss`` is the configured issuer, ``aud`` holds Sirena's client id (and ``azp``, if there are several, is that id);
- it is neither expired nor from the future (a minute of difference between clocks is tolerated);
- ``nonce`` is the one of this sign-in; ``at_hash``, if present, belongs to the access token.

The provider's metadata and keys are read anew when they are older than `FRESH_SECONDS`, so that new keys work soon, and
never more often, so that nobody can make Sirena flood the provider.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.common.urls import add_params_to_uri
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from sirena.access.openid_claims import says_enough
from sirena.access.openid_configuration import OpenIdConfiguration
from sirena.access.openid_refusals import (
    AWAY,
    PROVIDER,
    TOKEN,
    UNTRUSTED,
    UNUSABLE,
    Refusal,
    SignInRefusedError,
    of_token,
)

FRESH_SECONDS: Final = 5.0
_TIMEOUT_SECONDS: Final = 5.0
_LEEWAY_SECONDS: Final = 60
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class ProviderMetadata:
    """What a provider publishes: its metadata and the keys that sign its tokens."""

    metadata: Mapping[str, Any]
    keys: KeySet


class OpenIdProvider:
    """Requests to one OpenID provider; used in one event loop."""

    def __init__(self, configuration: OpenIdConfiguration, clock: Callable[[], float] = time.monotonic) -> None:
        self._configuration = configuration
        self._clock = clock
        # the system's authorities, where a hospital installs its own
        self._tls = ssl.create_default_context()
        self._question_lock = asyncio.Lock()
        self._last_answer: tuple[float, ProviderMetadata | Refusal] | None = None

    async def require_answer(self) -> None:
        """Check that the provider's metadata hold all that signing in needs.

        Raises:
            SignInRefusedError: the provider does not answer, its TLS certificate is not trusted, or its metadata cannot
                be used; the error says which.
        """
        await self._ask()

    async def address_for_signing_in(self, state: str, nonce: str, verifier: str) -> str:
        """Return the URL at the provider where a browser signs in.

        Raises:
            SignInRefusedError: the provider does not answer, or its metadata cannot be used.
        """
        provider = await self._ask()
        async with self._client(provider) as client:
            address, _ = client.create_authorization_url(
                provider.metadata["authorization_endpoint"], state=state, code_verifier=verifier, nonce=nonce
            )
        return str(address)

    async def claims_for_code(self, code: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """Exchange a code for an ID token, verify it, and return its claims, completed by the userinfo endpoint's.

        Raises:
            SignInRefusedError: the provider does not answer, refuses the code, or its token is not valid.
        """
        provider = await self._ask()
        async with self._client(provider) as client:
            try:
                answer = await client.fetch_token(
                    provider.metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                )
                claims = self._proved_claims(answer, nonce, provider)
                if not says_enough(claims, self._configuration) and "userinfo_endpoint" in provider.metadata:
                    more = await client.get(provider.metadata["userinfo_endpoint"])
                    return _joined_claims(claims, more.raise_for_status().json())
            except (JoseError, UnicodeError, TypeError) as error:
                # TypeError: what Authlib makes of a claim of another kind than the standard's
                raise SignInRefusedError(of_token(error)) from error
            except AuthlibBaseError as error:
                raise SignInRefusedError(PROVIDER) from error
            except (httpx2.HTTPError, ValueError) as error:
                raise SignInRefusedError(AWAY) from error
        return claims

    async def address_for_signing_out(self) -> str | None:
        """Return the URL where a browser signs out at the provider; None if there is none, or no answer."""
        try:
            provider = await self._ask()
        except SignInRefusedError:
            return None
        endpoint = provider.metadata.get("end_session_endpoint")
        if not endpoint:
            return None
        configuration = self._configuration
        return str(
            add_params_to_uri(
                endpoint,
                {
                    "client_id": configuration.client_id,
                    "post_logout_redirect_uri": configuration.after_logout_url,
                },
            )
        )

    def _proved_claims(self, answer: Mapping[str, Any], nonce: str, provider: ProviderMetadata) -> Mapping[str, Any]:
        configuration = self._configuration
        raw = answer.get("id_token")
        if not isinstance(raw, str):
            raise SignInRefusedError(TOKEN)
        registry = JWSRegistry(algorithms=_signing_algorithms(provider.metadata), strict_check_header=False)
        token = jwt.decode(raw, provider.keys, registry=registry)
        claims = CodeIDToken(
            token.claims,
            token.header,
            {
                "iss": {"essential": True, "value": configuration.issuer},
                "aud": {"essential": True, "value": configuration.client_id},
                "sub": {"essential": True},
            },
            {
                "nonce": nonce,
                "client_id": configuration.client_id,
                "access_token": answer.get("access_token"),
            },
        )
        claims.validate(leeway=_LEEWAY_SECONDS)
        return dict(claims)

    async def _ask(self) -> ProviderMetadata:
        """Return the provider's metadata and keys; callers at the same time wait for one reading."""
        async with self._question_lock:
            if self._last_answer is None or self._clock() - self._last_answer[0] >= FRESH_SECONDS:
                self._last_answer = self._clock(), await self._read()
            answer = self._last_answer[1]
        if isinstance(answer, Refusal):
            raise SignInRefusedError(answer)
        return answer

    async def _read(self) -> ProviderMetadata | Refusal:
        issuer = self._configuration.issuer
        async with httpx2.AsyncClient(verify=self._tls, timeout=_TIMEOUT_SECONDS) as client:
            try:
                address = issuer.rstrip("/") + "/.well-known/openid-configuration"
                metadata = (await client.get(address)).raise_for_status().json()
                if not _may_be_trusted(metadata, issuer) or not _signing_algorithms(metadata):
                    return UNUSABLE
                keys = (await client.get(metadata["jwks_uri"])).raise_for_status().json()
                signing_keys = [key for key in keys["keys"] if key.get("use", "sig") == "sig"]
                return ProviderMetadata(metadata, KeySet.import_key_set({"keys": signing_keys}))
            except httpx2.HTTPError as error:
                return UNTRUSTED if _is_about_trust(error) else AWAY
            except (ValueError, KeyError, TypeError, AttributeError, JoseError):
                return UNUSABLE

    def _client(self, provider: ProviderMetadata) -> AsyncOAuth2Client:
        configuration = self._configuration
        secret = configuration.client_secret()
        return AsyncOAuth2Client(
            configuration.client_id,
            secret or None,
            token_endpoint_auth_method=_authentication(provider.metadata) if secret else "none",
            scope=configuration.scopes,
            redirect_uri=configuration.callback_url,
            code_challenge_method="S256",
            verify=self._tls,
            timeout=_TIMEOUT_SECONDS,
        )


def _may_be_trusted(metadata: Mapping[str, Any], issuer: str) -> bool:
    """Tell whether metadata name this issuer, and their endpoints use the scheme of the issuer's address."""
    if metadata.get("issuer") != issuer:
        return False
    scheme = issuer.partition("://")[0]
    return all(str(metadata.get(name, "")).startswith(f"{scheme}://") for name in _ENDPOINTS)


def _signing_algorithms(metadata: Mapping[str, Any]) -> list[str]:
    """Return the asymmetric algorithms that a provider announces; joserfc takes an empty list for its own choice."""
    announced = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    return [name for name in _ALGORITHMS if name in announced]


def _is_about_trust(error: BaseException | None) -> bool:
    """Tell whether an error was caused by TLS, such as a certificate of an unknown authority."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None


def _authentication(metadata: Mapping[str, Any]) -> str:
    methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"


def _joined_claims(claims: Mapping[str, Any], more: object) -> Mapping[str, Any]:
    """Return the ID token's claims, completed by those of the userinfo endpoint; both must name one subject."""
    if not isinstance(more, Mapping) or more.get("sub") != claims["sub"]:
        raise SignInRefusedError(TOKEN)
    return {**more, **claims}
