"""The names in the ledger of the causes of a refusal. `docs/reference/audit-events.md` is made from this file too."""

from typing import Final

LOGIN_FAILED: Final = {
    "password": "name and password do not belong together, or there is no such account",
    "locked": "too many wrong passwords; none is looked at for a while",
    "unknown": "a token that looks like Sirena's, which never gave it",
    "foreign": "a token of another program, for another audience",
    "revoked": "a token that was revoked",
    "expired": "a token whose time is over",
    "disabled": "the account is disabled",
    "state": "single sign-on: not begun in this browser, used already, or too old",
    "provider": "single sign-on: the provider said no, or refused the code",
    "provider_away": "single sign-on: the provider does not answer",
    "provider_certificate": "single sign-on: nobody vouches for the provider's certificate",
    "provider_document": "single sign-on: the provider's own description cannot be used",
    "id_token": "single sign-on: the provider's token cannot be read, or speaks of two persons",
    "id_token_signature": "single sign-on: no published key of the provider signed its token",
    "id_token_issuer": "single sign-on: the token is of another issuer",
    "id_token_audience": "single sign-on: the token is meant for another program",
    "id_token_time": "single sign-on: the token is expired, from the future, or without an end",
    "id_token_nonce": "single sign-on: the token is of another sign-in",
    "id_token_access_token": "single sign-on: the token belongs to another access token",
    "no_role": "single sign-on: none of the person's groups has a role here",
    "name_taken": "single sign-on: another account has the person's name",
}
"""Causes of the event `login_failed`, with their meaning."""

REFUSAL: Final = {
    "not_signed_in": "nothing was shown that could say who asks",
    "token_refused": "a token that does not hold; `login_failed` says why",
    "session_refused": "a browser's session that ended, or never was",
    "password_refused": "a password that does not hold; `login_failed` says why",
    "credential_unreadable": "an `Authorization` header that cannot be read",
    "forbidden": "the account may not do this, or nobody may",
    "foreign_file": "an open file of another session on the pages",
    "cross_site": "another site made a browser ask",
    "ambiguous_request": "it can be read in two ways",
    "method_override": "a header asks for another method or path",
    "forged_identity": "headers that only the entry sets",
    "ambiguous_path": "refused by NGINX: a path that can be read in two ways",
    "malformed_request": "refused by NGINX: no proper HTTP",
    "internal_place": "refused by NGINX: a place of the entry's own",
    "unknown_method": "refused by NGINX: a method nobody uses",
    "too_slow": "refused by NGINX: a request that did not come to its end",
    "body_too_large": "refused by NGINX",
    "address_too_long": "refused by NGINX",
    "other_host": "refused by NGINX: another host's name",
    "too_many_requests": "refused by NGINX: a flood",
    "not_offered": "refused by NGINX: direct transfers to the object store",
    "no_decision": "refused by NGINX: the access service did not answer",
}
"""Causes of the event `refusal`, with their meaning."""
