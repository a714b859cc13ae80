"""Reading a request's headers and body from ASGI, up to the allowed length."""

from collections.abc import Callable, Mapping, Sequence

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from sirena.serving.errors import BodyTooLargeError, UnsupportedMediaTypeError


def read_headers(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return the headers by lower-case name; the first, if several have the same name."""
    return dict(reversed(headers))


async def read_body(
    headers: Mapping[bytes, bytes], receive: Receive, maximum: int, count: Callable[[int], None]
) -> bytes:
    """Return the body of a request.

    A declared length that is too large is refused at once; the bytes are counted in any case.

    Args:
        headers: headers from `read_headers`.
        receive: ASGI function that returns the messages with the body.
        maximum: maximum size of the body, in bytes.
        count: called with the length of each piece, in bytes.

    Raises:
        BusyError: from `count`.
        BodyTooLargeError: the body is larger than `maximum`.
        UnsupportedMediaTypeError: the body is compressed.
        ClientDisconnect: the client left before the end of the body.
    """
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise UnsupportedMediaTypeError("the content encoding is not read here", hint="send the body uncompressed")
    content_length = headers.get(b"content-length", b"")
    if content_length.isdigit() and int(content_length[:20]) > maximum:
        raise _too_large(maximum)
    chunks: list[bytes] = []
    size = 0
    has_more = True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > maximum:
            raise _too_large(maximum)
        count(len(chunk))
        chunks.append(chunk)
        has_more = message.get("more_body", False)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(maximum: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"the body is larger than {maximum} bytes",
        hint="send fewer rows a request, or use `sirena interpret` for files",
    )
