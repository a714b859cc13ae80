"""What a page gives to be taken away, and never to be opened in its place."""

from fastapi import Response


def attachment(content: bytes, name: str) -> Response:
    """Return a file for the browser to keep.

    Args:
        content: of the file.
        name: under which it is kept; letters, digits, dot and dash.

    >>> attachment(b"{}", "drift.json").headers["content-disposition"]
    'attachment; filename="drift.json"'
    """
    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/octet-stream", headers=disposition)
