"""What is sealed for a cluster, and opened there."""

import pickle

import pyarrow as pa
import pytest
from cryptography.exceptions import InvalidTag

from sirena.engine.sealing import Seal

NAMES = pa.table({"LAST_NAME": ["Nobody", None, "Whatsoever"] * 1_000, "ROW": range(3_000), "NONE": [None] * 3_000})


def test_what_is_opened_is_what_was_sealed() -> None:
    """Columns, texts and empty things come back as they were."""
    seal = Seal.random()
    thing = (NAMES, pa.py_buffer(b"text"), pa.py_buffer(b""), [True, None], "text")
    table, *rest = seal.decrypt(seal.encrypt(thing))
    assert table == NAMES
    assert table.validate(full=True) is None
    assert rest == [*thing[1:]]


def test_what_is_sealed_tells_nothing() -> None:
    """Neither text nor pickle can be found in it, and the same thing is never sealed alike."""
    seal = Seal.random()
    once, again = (bytes(seal.encrypt(NAMES)) for _ in range(2))
    assert b"Whatsoever" in pickle.dumps(NAMES)
    assert b"Whatsoever" not in once
    assert b"pyarrow" not in once
    assert once[100:200] != again[100:200]


def test_what_another_key_sealed_or_somebody_changed_is_not_opened() -> None:
    """Nothing is unpickled of it."""
    seal = Seal.random()
    sealed = seal.encrypt(NAMES)
    with pytest.raises(InvalidTag):
        Seal.random().decrypt(sealed)
    memoryview(sealed)[1_000] ^= 1
    with pytest.raises(InvalidTag):
        seal.decrypt(sealed)


def test_some_rows_of_a_long_batch_are_sealed_without_the_others() -> None:
    """Whoever reads a file batch by batch sends each row once."""
    (batch,) = NAMES.set_column(0, "LAST_NAME", NAMES["LAST_NAME"].dictionary_encode()).to_batches()
    seal = Seal.random()
    sealed = seal.encrypt(batch.slice(1_000, 10))
    assert memoryview(sealed).nbytes < 3_000
    assert seal.decrypt(sealed) == batch.slice(1_000, 10)
