"""Reading a request's body, no further than allowed."""

from fastapi import Request

from sirena.serving.errors import BodyTooLargeError, UnsupportedMediaTypeError
from sirena.serving.observation import observed


async def read_body(request: Request, maximum: int) -> bytes:
    """Return the body.

    The declared length is believed when it is too large, and the bytes are counted in any case.

    Args:
        request: the request.
        maximum: largest body read, in bytes.

    Raises:
        BodyTooLargeError: there is more.
        UnsupportedMediaTypeError: the body is compressed.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaTypeError("the content encoding is not read here", hint="send the body uncompressed")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > maximum:
        raise _too_large(maximum)
    chunks = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > maximum:
            raise _too_large(maximum)
        chunks.append(chunk)
    observed(request.scope).bytes_in = size
    return b"".join(chunks)


def _too_large(maximum: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"the body is larger than {maximum} bytes",
        hint="send fewer rows a request, or use `sirena interpret` for files",
    )
