"""Reading bodies as rows: MLflow's scoring forms in JSON, and CSV.

- ``dataframe_split``: ``{"columns": [...], "data": [[...], ...]}``;
- ``dataframe_records``, ``instances``, ``inputs`` as a list: ``[{"ORGANISM": "eco", "AMK_NM": "<=2"}, ...]``;
- ``inputs`` (or ``instances``) as an object: ``{"ORGANISM": ["eco"], "AMK_NM": ["<=2"]}``, or one row of bare values;
- CSV with a header row; the header shows the delimiter (``, ; tab |``), so ``;`` with decimal commas works.

``{"params": {"site": "urine"}}`` in addition names one body site for every row; else the column ``SPEC_TYPE`` decides,
and other params are ignored, as MLflow's own clients may send them. Columns that name neither test, organism nor
specimen are dropped (see `kept_columns`). An object with the same key twice is refused, like two columns of one name.
No error echoes the input.
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import orjson

from sirena.domain.site import Site
from sirena.panel.sites import chosen_site
from sirena.serving.core import Rows
from sirena.serving.errors import MalformedBodyError, UnsupportedMediaTypeError
from sirena.serving.kept_columns import MOST_COLUMNS, keeps, kept_columns, kept_records, require_room

_COLON: Final = ord(":")
_SHORT_BODY: Final = 4096
"""Bytes up to which NumPy counts no faster than Python; for longer bodies it is ten times as fast."""
_DELIMITERS: Final = ",;\t|"
_HINT: Final = 'send {"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": "<=2"}]}; GET /docs shows every form'
JSON_TYPES: Final = ("application/json",)
CSV_TYPES: Final = ("text/csv",)
ARROW_TYPE: Final = "application/vnd.apache.arrow.stream"


def read_rows(body: bytes, content_type: str) -> Rows:
    """Return the rows of a body, read by its content type.

    Raises:
        UnsupportedMediaTypeError: the content type is neither JSON nor CSV, or not in UTF-8.
        MalformedBodyError: the body is not one of the forms above.
    """
    if is_json(content_type):
        return read_document(load_json(body))
    if _media_type(content_type) in CSV_TYPES:
        return _read_csv(body)
    raise UnsupportedMediaTypeError(
        "the content type is not read here", hint=f"use application/json, text/csv or {ARROW_TYPE}"
    )


def is_json(content_type: str) -> bool:
    """Tell whether a content type is JSON.

    Raises:
        UnsupportedMediaTypeError: a character set other than UTF-8 is declared.

    >>> is_json("application/json; charset=utf-8"), is_json("text/csv")
    (True, False)
    """
    return content_type in JSON_TYPES or _media_type(content_type) in JSON_TYPES


def is_arrow(content_type: str) -> bool:
    """Tell whether a content type is Arrow's stream.

    >>> is_arrow("application/vnd.apache.arrow.stream"), is_arrow("application/json")
    (True, False)
    """
    return content_type not in JSON_TYPES and content_type.partition(";")[0].strip().lower() == ARROW_TYPE


def require_json(content_type: str) -> None:
    """Check that a content type is JSON.

    Raises:
        UnsupportedMediaTypeError: the content type is not JSON.
    """
    if not is_json(content_type):
        raise UnsupportedMediaTypeError("the content type is not read here", hint="use application/json")


def _media_type(content_type: str) -> str:
    """Return the media type without parameters.

    Raises:
        UnsupportedMediaTypeError: a character set other than UTF-8 is declared.
    """
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedMediaTypeError("the character set is not read here", hint="send UTF-8")
    return media


def load_json(body: bytes) -> Any:
    """Return parsed JSON, also with the NaN and Infinity that Python's and MLflow's clients write.

    Raises:
        MalformedBodyError: the body is not JSON in UTF-8, is nested too deeply, or has an object with the same key
            twice.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        # orjson keeps to the standard; MLflow's client sends NaN for an empty cell of a data frame
        return _load_strictly(body)
    # orjson takes the last of two values; the standard library can tell and is several times slower, so it is asked
    # only where the body may hold more members than were read: each has one colon outside of texts
    members = _count_members(document)
    if _count_colons(body) != members and _colons_outside_texts(body) != members:
        return _load_strictly(body)
    return document


def _load_strictly(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_distinct_members)
    except (ValueError, RecursionError):
        raise MalformedBodyError("the body is not valid JSON in UTF-8", hint=_HINT) from None


def _distinct_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedBodyError("an object holds a key twice", hint="name each column once in a record")
    return members


def _count_members(document: Any) -> int:
    """Return the number of members of the outer objects; deeper objects are not counted."""
    if not isinstance(document, dict):
        return 0
    count = len(document)
    for value in document.values():
        if isinstance(value, dict):
            count += len(value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            count += sum([len(item) for item in value if isinstance(item, dict)])
    return count


def _count_colons(body: bytes) -> int:
    if len(body) < _SHORT_BODY:
        return body.count(b":")
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == _COLON))


def _colons_outside_texts(body: bytes) -> int:
    if b"\\" in body:
        body = body.replace(rb"\\", b"").replace(rb"\"", b"")
    return b"".join(body.split(b'"')[::2]).count(b":")


def read_document(document: Any) -> Rows:
    """Return the rows of a JSON document in one of the forms that this module's docstring lists.

    Raises:
        MalformedBodyError: the document has none of these forms.
    """
    if not isinstance(document, dict):
        raise MalformedBodyError("the body is not a JSON object", hint=_HINT)
    present = [form for form in _FORMS if form in document]
    if len(present) != 1:
        raise MalformedBodyError(f"the body holds {len(present)} of {', '.join(_FORMS)}; it must hold one", hint=_HINT)
    rows = _FORMS[present[0]](document[present[0]])
    return replace(rows, site=read_site(document.get("params")))


def only_record(document: Any) -> tuple[dict[str, Any], Site | None] | None:
    """Return the single record of a document, and the body site that the document names; None for any other document.

    Raises:
        MalformedBodyError: its params name an unknown body site.
    """
    if not isinstance(document, dict) or len(document) != 1 + ("params" in document):
        return None
    form = next(iter(document))
    records = document[form]
    if form not in _RECORD_FORMS or type(records) is not list or len(records) != 1:
        return None
    record = records[0]
    if type(record) is not dict or len(record) > MOST_COLUMNS:
        return None
    return record, read_site(document.get("params"))


def read_site(parameters: Any) -> Site | None:
    """Return the body site that a request's parameters name for all rows; None to take it from the specimens.

    Raises:
        MalformedBodyError: the named body site is unknown.
    """
    name = parameters.get("site") if isinstance(parameters, dict) else None
    if name is None:
        return None
    try:
        return chosen_site(name if isinstance(name, str) else "")
    except ValueError as error:
        raise MalformedBodyError(f"the parameter site {error}", hint="name one of them, or leave it out") from None


def _read_split(value: Any) -> Rows:
    columns = value.get("columns") if isinstance(value, dict) else None
    data = value.get("data") if isinstance(value, dict) else None
    if not isinstance(columns, list) or not isinstance(data, list):
        raise MalformedBodyError("dataframe_split holds a list of columns and a list of data", hint=_HINT)
    return _by_position(columns, data, first_row=1)


def _read_records(value: Any) -> Rows:
    if not isinstance(value, list):
        raise MalformedBodyError("the records are not a list", hint=_HINT)
    for position, record in enumerate(value):
        if not isinstance(record, dict):
            raise MalformedBodyError(f"record {position + 1} is not an object of column names and values", hint=_HINT)
    return Rows(kept_records(value), len(value))


def _read_either(value: Any) -> Rows:
    if not isinstance(value, dict):
        return _read_records(value)
    if not any(isinstance(cells, list) for cells in value.values()):
        return _read_records([value])
    lengths = {len(cells) if isinstance(cells, list) else -1 for cells in value.values()}
    if len(lengths) != 1 or -1 in lengths:
        raise MalformedBodyError("the columns are not lists of one length", hint=_HINT)
    return Rows(kept_columns(value), lengths.pop())


_FORMS: Final[dict[str, Callable[[Any], Rows]]] = {
    "dataframe_split": _read_split,
    "dataframe_records": _read_records,
    "inputs": _read_either,
    "instances": _read_either,
}
_RECORD_FORMS: Final = frozenset(_FORMS) - {"dataframe_split"}


def _read_csv(body: bytes) -> Rows:
    try:
        text = body.decode("utf-8-sig")
        header = text.partition("\n")[0]
        delimiter = max(_DELIMITERS, key=header.count)
        table = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter, strict=True) if row]
    except (ValueError, csv.Error):
        raise MalformedBodyError(
            "the body is not valid CSV in UTF-8",
            hint="send a header row with ORGANISM and test columns, then one row each",
        ) from None
    if not table:
        raise MalformedBodyError("the CSV has no header row", hint="the first line names the columns: ORGANISM,AMK_NM")
    return _by_position([name.strip() for name in table[0]], table[1:], first_row=2)


def _by_position(names: Sequence[Any], data: Sequence[Any], *, first_row: int) -> Rows:
    """Return rows, given as lists of values, as columns.

    Raises:
        MalformedBodyError: a name is not a text or occurs twice, or a row is not a list of as many values as names.
    """
    if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise MalformedBodyError("the column names are not distinct texts", hint="name each column once")
    for position, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(names):
            raise MalformedBodyError(
                f"row {position + first_row} is not a list of {len(names)} values",
                hint="give every row one value a column",
            )
    places = [place for place, name in enumerate(names) if keeps(name)]
    require_room(len(places), len(data))
    return Rows({names[place]: [row[place] for row in data] for place in places}, len(data))
