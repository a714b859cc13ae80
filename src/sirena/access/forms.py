"""Routes of the forms of Sirena's pages, and reading what such a form sends."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request

from sirena.access.errors import AmbiguousRequestError

_LONGEST: Final = 16 * 1024


def form_routes(answers: Mapping[str, Callable[..., Any]]) -> APIRouter:
    """Return a POST route for each form.

    Args:
        answers: the handler of each form, by path.
    """
    router = APIRouter()
    for path, answer in answers.items():
        router.add_api_route(path, answer, methods=["POST"], include_in_schema=False)
    return router


async def read_form(request: Request, *, longest: int = _LONGEST) -> dict[str, str]:
    """Return the fields of a form that occur exactly once; others are left out.

    Args:
        request: the request, whose body is the form.
        longest: maximum size of the form, in bytes.

    Raises:
        AmbiguousRequestError: the body is not a URL-encoded form, or is too long.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > longest:
            raise AmbiguousRequestError("the form is too long")
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise AmbiguousRequestError("the form is sent as application/x-www-form-urlencoded")
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=10, errors="strict")
    except ValueError as error:
        raise AmbiguousRequestError("the form cannot be read") from error
    return {name: values[0] for name, values in fields.items() if len(values) == 1}
