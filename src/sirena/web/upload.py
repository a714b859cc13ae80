"""Receiving a file from a browser in memory, never on a disk."""

from typing import Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from sirena.domain.errors import SirenaError

MOST_BYTES: Final = 200 * 1024**2
"""Bytes of the largest request body accepted."""
LARGEST_FILE: Final = MOST_BYTES - 4 * 1024
"""Bytes of the largest file that fits into such a body, within its form."""


class UploadError(SirenaError):
    """The browser sent no file."""

    code = "upload"


class _InMemory(MultiPartParser):
    spool_max_size = MOST_BYTES + 1


async def take_file(request: Request, field: str) -> tuple[str, bytes]:
    """Return name and content of the file in a form.

    Args:
        request: request with a form of ``multipart/form-data``; the application limits its size.
        field: name of the form's field.

    Raises:
        UploadError: the form has no file.
    """
    refusal = UploadError("no file came with the form", hint="Choose a file and send it again.")
    try:
        form = await _InMemory(request.headers, request.stream(), max_files=1, max_fields=4).parse()
    except (MultiPartException, KeyError) as error:
        raise refusal from error
    upload = form.get(field)
    if not isinstance(upload, UploadFile) or not upload.filename:
        raise refusal
    content = await upload.read()
    await form.close()
    return upload.filename, content
