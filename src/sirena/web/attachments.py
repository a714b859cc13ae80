"""Responses that a browser saves as a file and never shows."""

from fastapi import Response


def attachment(content: bytes, name: str) -> Response:
    """Return a response that the browser saves as a file.

    Args:
        content: of the file.
        name: of the file; letters, digits, dot and dash.

    >>> attachment(b"{}", "drift.json").headers["content-disposition"]
    'attachment; filename="drift.json"'
    """
    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/octet-stream", headers=disposition)
