"""Reading the forms of our own pages."""

from typing import Final
from urllib.parse import parse_qs

from fastapi import Request

from sirena.access.errors import AmbiguousRequestError

_LONGEST: Final = 16 * 1024


async def read_form(request: Request, *, longest: int = _LONGEST) -> dict[str, str]:
    """Return the fields of a form, those that stand once.

    Args:
        request: with the form.
        longest: bytes it may have.

    Raises:
        AmbiguousRequestError: it is no form of ours, or too long.
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
