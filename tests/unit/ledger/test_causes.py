"""Every cause of a refusal is one the reference explains."""

import re
from importlib.resources import files

from sirena.access import errors, openid_refusals
from sirena.access.openid_refusals import Refusal, SignInRefusedError, of_token
from sirena.domain.errors import SirenaError
from sirena.ledger.causes import LOGIN_FAILED, REFUSAL


def test_what_the_entry_calls_its_refusals_is_explained() -> None:
    """NGINX writes the cause itself; the template holds each."""
    template = files("sirena.server.entry").joinpath("templates/nginx.conf.j2").read_text(encoding="utf-8")
    refusals = re.search(r"\$ambiguous\" \$refusal \{(.*?)\}", template, re.DOTALL)
    assert refusals
    written = set(re.findall(r"[01] (\w+);", refusals[1]))
    assert len(written) > 8
    assert written <= REFUSAL.keys()


def test_what_the_access_service_calls_its_refusals_is_explained() -> None:
    """Errors that answer 401 or 403 go on record by their code."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SirenaError)]
    # who is led on is not refused, and not on record
    led = {errors.LedOnError.code, errors.LedToPagesError.code}
    codes = {kind.code for kind in kinds if kind.status in (401, 403)} - led
    assert len(codes) > 5
    assert codes <= REFUSAL.keys()


def test_every_end_of_single_sign_on_is_explained() -> None:
    """Each has a cause of its own; one that says it is not set up is on record nowhere."""
    ends = {end.cause for end in vars(openid_refusals).values() if isinstance(end, Refusal)} - {"not_set_up"}
    assert ends <= LOGIN_FAILED.keys()
    assert set(openid_refusals._OF_CLAIM.values()) <= LOGIN_FAILED.keys()
    assert of_token(SignInRefusedError(openid_refusals.TOKEN)).cause == "id_token"
