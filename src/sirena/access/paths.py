"""Reading a request target so that Sirena and the server that answers the request mean the same path.

A rule on paths works only if everybody parses paths alike. So a path that two parsers might read differently is not
repaired but refused:

- it starts with one ``/`` and holds no empty segment (``//``), no ``.`` or ``..``, no segment ending in a dot or space;
- no backslash, no ``;`` (path parameters), no control character, nothing outside printable ASCII;
- percent escapes are complete, decode to UTF-8 once, and never hide a separator, dot, percent sign or control
  character;
- case matters: ``/API`` is not ``/api`` but an unknown path;
- a query parameter that names a resource occurs once; ``path`` does not lead out of a folder; ``_method`` is refused.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes

from sirena.access.errors import AmbiguousRequestError

LONGEST: Final = 8192
"""Longest request target read, in characters."""
_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PLAIN: Final = re.compile(r"[!-~]*")
_FORBIDDEN_RAW: Final = frozenset('\\;#"<>^`{|}')
_FORBIDDEN_DECODED: Final = frozenset("/\\;%.?#")
_ENCODED: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_SINGLE: Final = frozenset({"name", "alias", "version", "path", "run_id", "run_uuid", "experiment_id", "stage"})


@dataclass(frozen=True)
class RequestTarget:
    """A request target that can be read in one way only."""

    path: str
    """Decoded path, ``/api/2.0/mlflow/runs/get``."""
    query: dict[str, str]
    """Query parameters; of a repeated one, the last value. Those that name a resource cannot be repeated."""


def read_target(raw: str) -> RequestTarget:
    """Return a request target, which is the path and query of a request line, in parts.

    Args:
        raw: path and query, undecoded.

    Raises:
        AmbiguousRequestError: the target can be read in more than one way.
    """
    if len(raw) > LONGEST:
        raise AmbiguousRequestError("the request target is too long")
    if not _PLAIN.fullmatch(raw):
        raise AmbiguousRequestError("the request target holds a character that must be escaped")
    path, _, query = raw.partition("?")
    return RequestTarget(_read_path(path), _read_query(query))


def _read_path(raw: str) -> str:
    if not raw.startswith("/") or "//" in raw or _FORBIDDEN_RAW & set(raw) or _ESCAPE.search(raw):
        raise AmbiguousRequestError("the path is not in its plain form")
    if "%" in raw:
        raw = _ENCODED.sub(lambda escape: _decode(escape.group()), raw)
    for segment in raw.split("/"):
        if segment.endswith((".", " ")) or segment.startswith(" "):
            raise AmbiguousRequestError("a part of the path ends in a dot or a space")
    return raw


def _decode(escaped_text: str) -> str:
    try:
        text = unquote_to_bytes(escaped_text).decode("utf-8")
    except UnicodeDecodeError as error:
        raise AmbiguousRequestError("the path holds an escape that is not UTF-8") from error
    if _FORBIDDEN_DECODED & set(text) or not text.isprintable():
        raise AmbiguousRequestError("the path hides a character behind an escape")
    return text


def _read_query(raw: str) -> dict[str, str]:
    if _ESCAPE.search(raw):
        raise AmbiguousRequestError("the query holds an incomplete escape")
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError as error:
        raise AmbiguousRequestError("the query cannot be read") from error
    query: dict[str, str] = {}
    for key, value in pairs:
        if key in query and key in _SINGLE:
            raise AmbiguousRequestError(f"the query names {key} twice")
        if "\0" in key or "\0" in value:
            raise AmbiguousRequestError("the query holds a zero byte")
        query[key] = value
    if "_method" in query:
        raise AmbiguousRequestError("the method of a request stands in its request line")
    if any(part in ("..", ".") for part in re.split(r"[/\\]", query.get("path", ""))):
        raise AmbiguousRequestError("the path of the file leaves its folder")
    return query
