"""Requests and answers in Arrow's stream format.

A request is what `pyarrow.ipc.new_stream` or Polars' ``write_ipc_stream`` writes, its buffers uncompressed: one column
for the organism, the specimen and each test, texts or numbers, plain or dictionary-encoded. ``site`` in the schema's
metadata names one body site for all rows. An answer has ``organism`` and ``site`` as they were read, then ``Eti_X`` and
``Eti_X_reason`` of each test, ``Eti_X_mark`` where a row has one, ``Eti_X_ground`` with the number of each row's
ground; everything else that a JSON response has is JSON in the schema's metadata, under ``sirena``.

Rules, each with a test of like name:

- the answers are those that the same rows get in JSON;
- memory stays in proportion to the request: compressed buffers are refused before unpacking, cells are counted before
  they are made, and each text of a dictionary is made once, however many rows refer to it.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
from numpy.typing import NDArray
from pyarrow._compute import DictionaryEncodeOptions, call_function

from sirena.domain.truth_table import ANSWERS
from sirena.panel.basis import MARKS
from sirena.panel.layouts import NO_GROUND
from sirena.panel.lookup import factorise, read_column
from sirena.serving.answer_bodies import basis_of, encode_beside
from sirena.serving.arrow_messages import is_compressed
from sirena.serving.core import Interpretation, Rows
from sirena.serving.errors import MalformedBodyError, TooManyCellsError, UnsupportedMediaTypeError
from sirena.serving.ground_detail import GroundDetail
from sirena.serving.kept_columns import keeps, require_room
from sirena.serving.mic_cells import RepeatedCells, shared_cells
from sirena.serving.prepared import BASIS_SUFFIX, MARK_SUFFIX, REASON_SUFFIX, PreparedRelease
from sirena.serving.request_bodies import read_site

GROUND_SUFFIX: Final = "_ground"
MOST_MESSAGES: Final = 1000
"""Most messages of a request; each is a record batch or a dictionary."""
_HINT: Final = "send what pyarrow.ipc.new_stream writes: columns ORGANISM, AMK_NM … of texts or numbers"
_FEW: Final = 64 * 2**20
"""Most bytes of the texts that rows refer to."""


def read_stream(body: bytes) -> Rows:
    """Read the rows of a request from its body.

    Raises:
        MalformedBodyError: the body is no Arrow stream, or a column that is used holds neither texts nor numbers.
        UnsupportedMediaTypeError: the stream's buffers are compressed.
        TooManyCellsError: the body has more cells, texts or messages than one request may have.
        TooManyColumnsError: more columns name tests than any laboratory makes.
    """
    try:
        _look_at_messages(body)
        with ipc.open_stream(pa.py_buffer(body)) as reader:
            schema = reader.schema
            names = list(schema.names)
            places = [place for place, name in enumerate(names) if keeps(name)]
            batches = []
            length = 0
            for batch in reader:
                length += batch.num_rows
                require_room(max(1, len(places)), length)
                batches.append(batch.select(places))
    except (pa.ArrowException, OSError, ValueError, UnicodeError):
        raise MalformedBodyError("the body is not a stream of Arrow's", hint=_HINT) from None
    if len(set(names)) != len(names):
        raise MalformedBodyError("the column names are not distinct texts", hint="name each column once")
    _require_texts_and_numbers(schema, places)
    _validate(batches)
    columns = _columns(batches, schema, places)
    site = (schema.metadata or {}).get(b"site")
    return Rows(columns, length, read_site({"site": site.decode("latin-1")} if site is not None else None))


def _look_at_messages(body: bytes) -> None:
    """Check the number of messages and that no buffer is compressed, without reading the messages' bodies."""
    reader = ipc.MessageReader.open_stream(pa.py_buffer(body))
    for number, message in enumerate(reader):
        if number > MOST_MESSAGES:
            raise TooManyCellsError(
                f"more than {MOST_MESSAGES} record batches and dictionaries", hint="send one, or a few longer ones"
            )
        if is_compressed(message.metadata.to_pybytes()):
            raise UnsupportedMediaTypeError("the buffers are compressed", hint="send them uncompressed")


def _require_texts_and_numbers(schema: pa.Schema, places: Sequence[int]) -> None:
    for place in places:
        kind = _kind(schema.field(place).type)
        if not (_is_text(kind) or _is_number(kind) or pa.types.is_null(kind)):
            raise MalformedBodyError(f"column {place + 1} holds neither texts nor numbers", hint=_HINT)


def _validate(batches: Sequence[pa.RecordBatch]) -> None:
    try:
        for batch in batches:
            batch.validate()
        # before they are looked at: those of views, or of columns that share a buffer, may be very many
        if sum(_text_bytes(array) for batch in batches for array in batch.columns) > _FEW:
            raise TooManyCellsError("the texts are longer than MICs and names", hint=_HINT)
        for batch in batches:
            batch.validate(full=True)
    except (pa.ArrowException, ValueError):
        raise MalformedBodyError("the body is not a stream of Arrow's", hint=_HINT) from None


def _columns(batches: Sequence[pa.RecordBatch], schema: pa.Schema, places: Sequence[int]) -> dict[str, RepeatedCells]:
    """Return columns with cells as JSON would hold them, each distinct value once."""
    columns: dict[str, RepeatedCells] = {}
    names_by_kind: dict[pa.DataType, list[str]] = {}
    arrays = {schema.names[place]: [batch.column(number) for batch in batches] for number, place in enumerate(places)}
    for name, parts in arrays.items():
        kind = schema.field(name).type
        if parts and _is_text(kind) and read_column(name) is not None:
            names_by_kind.setdefault(kind, []).append(name)
        else:
            columns[name] = _cells(parts)
    for names in names_by_kind.values():
        coded = _coded(pa.concat_arrays([part for name in names for part in arrays[name]]), nulls="encode")
        positions = _indices(coded.indices, 0).reshape(len(names), -1)
        columns |= zip(names, shared_cells(coded.dictionary.to_pylist(), positions), strict=True)
    return {name: columns[name] for name in arrays}


def _cells(parts: Sequence[pa.Array]) -> RepeatedCells:
    """Return the cells of a column that is given in parts."""
    distinct: list[Any] = [None]
    positions: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    for part in parts:
        kind = _kind(part.type)
        array = part.cast(pa.float32()) if pa.types.is_float16(part.type) else part  # Arrow encodes no halves
        coded = array if pa.types.is_dictionary(array.type) else _coded(array, nulls="mask")
        values = coded.dictionary.to_pylist()
        if pa.types.is_float32(kind) or pa.types.is_float16(kind):
            digits = 4 if pa.types.is_float16(kind) else 7
            values = [None if value is None else float(f"{value:.{digits}g}") for value in values]
        positions.append(_indices(coded.indices, -len(distinct)) + len(distinct))
        distinct += values
    return RepeatedCells(distinct, np.concatenate(positions))


def _coded(array: pa.Array, nulls: Literal["mask", "encode"]) -> pa.DictionaryArray:
    """Return an array dictionary-encoded, empty cells as such ("mask") or as an entry of the dictionary ("encode").

    The array's own method would import `pyarrow.compute`, which makes 300 functions in 3 MiB that nobody here calls.
    """
    return call_function("dictionary_encode", [array], DictionaryEncodeOptions(nulls))


def _indices(indices: pa.Array, empty: int) -> NDArray[np.int64]:
    """Return indices as numbers, with `empty` for missing ones."""
    # from the buffers, since `cast` and `fill_null` import `pyarrow.compute`, and `to_pandas_dtype` imports pandas
    holds, numbers = indices.buffers()
    kind = np.dtype(str(indices.type))
    values = np.frombuffer(numbers, kind, len(indices), kind.itemsize * indices.offset).astype(np.int64, copy=False)
    if not indices.null_count:
        return values
    end = indices.offset + len(indices)
    bits = np.unpackbits(np.frombuffer(holds, np.uint8), count=end, bitorder="little")[indices.offset :]
    return np.where(bits, values, np.int64(empty))


def _kind(kind: pa.DataType) -> pa.DataType:
    """Return the type of a column's values, also if they are dictionary-encoded."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    return kind in (pa.string(), pa.large_string(), pa.string_view())


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _text_bytes(array: pa.Array) -> int:
    """Return the total length of an array's texts in bytes; views may refer to one text many times."""
    texts = array.dictionary if pa.types.is_dictionary(array.type) else array
    if not len(texts) or texts.type != pa.string_view():
        return int(texts.nbytes)
    lengths = np.frombuffer(texts.buffers()[1], np.int32, 4 * len(texts), offset=16 * texts.offset)[::4]
    return int(np.maximum(lengths, 0).sum(dtype=np.int64))


def encode_stream(release: PreparedRelease, interpretation: Interpretation, detail: GroundDetail) -> bytes:
    """Return the answers as an Arrow stream of one batch.

    Args:
        release: release that answered.
        interpretation: the answers.
        detail: how much the response says about grounds.
    """
    columns: dict[str, pa.Array] = {
        "organism": _repeated_texts(interpretation.organisms, [*interpretation.organisms.distinct]),
        "site": _repeated_texts(interpretation.sites, [site and site.value for site in interpretation.sites.distinct]),
    }
    categories, reasons = _CATEGORIES.of(interpretation.answers), _REASONS.of(interpretation.answers)
    grounds = _integers(interpretation.numbers, interpretation.numbers != NO_GROUND, pa.int32())
    marks = None if interpretation.marks is None else _MARKS.of(interpretation.marks)
    for place, answered_column in enumerate(interpretation.columns):
        name = answered_column.column.category_column
        columns[name] = categories[place]
        columns[name + REASON_SUFFIX] = reasons[place]
        if marks is not None and answered_column.marks is not None:
            columns[name + MARK_SUFFIX] = marks[place]
        if detail is not GroundDetail.NONE:
            columns[name + GROUND_SUFFIX] = grounds[place]
        if detail is GroundDetail.FULL:
            columns[name + BASIS_SUFFIX] = _texts(basis_of(release, interpretation, answered_column))
    # the numbers of each row's ground are a column, so the metadata need not repeat them
    metadata = encode_beside(release, interpretation, detail, with_rows=False)
    batch = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
    batch = batch.replace_schema_metadata({b"sirena": b"{" + metadata + b"}"})
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def _texts(texts: Sequence[str | None]) -> pa.DictionaryArray:
    distinct, positions = factorise(texts)
    return _repeated_texts(RepeatedCells(distinct, positions), distinct)


def _repeated_texts(cells: RepeatedCells, texts: Sequence[str | None]) -> pa.DictionaryArray:
    """Return cells as texts; one text is given for each distinct cell."""
    return _Texts(texts, np.int32).of(cells.positions[None])[0]


def _integers(values: NDArray[Any], holds: NDArray[np.bool_], kind: pa.DataType) -> list[pa.Array]:
    """Return an array for each line of values; a cell is empty where `holds` is False."""
    # from buffers, since `pyarrow.array` imports pandas
    masks = np.packbits(holds, axis=1, bitorder="little")
    return [
        pa.Array.from_buffers(kind, len(line), [None if is_full else pa.py_buffer(mask), pa.py_buffer(line)])
        for line, mask, is_full in zip(values, masks, np.all(holds, axis=1).tolist(), strict=True)
    ]


def _plain_texts(texts: list[str]) -> pa.StringArray:
    encoded_texts = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded_texts)], dtype=np.int32)
    return pa.Array.from_buffers(
        pa.string(), len(texts), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded_texts))]
    )


class _Texts:
    """A list of texts for which arrays are made by position; a position without a text gives an empty cell."""

    def __init__(self, texts: Sequence[str | None], kind: type[np.integer] = np.int8) -> None:
        number_of_text = {
            text: number for number, text in enumerate(dict.fromkeys(text for text in texts if text is not None))
        }
        self._numbers = np.array([0 if text is None else number_of_text[text] for text in texts], dtype=kind)
        self._holds = np.array([text is not None for text in texts], dtype=bool)
        self._texts = _plain_texts(list(number_of_text))
        self._kind = pa.from_numpy_dtype(kind)

    def of(self, positions: NDArray[np.integer]) -> list[pa.DictionaryArray]:
        """Return one array of texts for each row of a two-dimensional array of positions."""
        numbers = _integers(self._numbers.take(positions), self._holds.take(positions), self._kind)
        # the positions are ours
        return [pa.DictionaryArray.from_arrays(line, self._texts, safe=False) for line in numbers]


_CATEGORIES: Final = _Texts([answer.category.value if answer else None for answer in ANSWERS])
_REASONS: Final = _Texts([answer.reason.value if answer and answer.reason else None for answer in ANSWERS])
_MARKS: Final = _Texts([mark.value if mark else None for mark in MARKS])
