"""Content digests, which show whether two trained models are the same, and whether a downloaded file is unchanged.

SHA-256 in hexadecimal throughout.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from sirena.domain.truth_table import TruthTable


class ModelToRegister(Protocol):
    """A trained model for one antimicrobial, as `training` returns it."""

    @property
    def column(self) -> str:
        """Test column that the model answers, ``AMK_NM``."""

    @property
    def network(self) -> Any:
        """The Keras model, with ``save(path)`` and ``get_weights()``."""

    @property
    def table(self) -> TruthTable:
        """Everything that the network answers, as a truth table."""

    @property
    def report(self) -> Mapping[str, Any]:
        """Report of the training: ``seed``, ``settings``, ``data_sha256``, ``label_source``, ``evidence`` and so on."""


def canonical_json(document: Any) -> bytes:
    """Return a JSON document in the one form that is hashed, stored and compared."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def table_digest(table: TruthTable) -> str:
    """Return the digest of a truth table's stored form."""
    return sha256(canonical_json(table.to_json()))


def model_digest(model: ModelToRegister, edition: str) -> str:
    """Return the digest by which a model that was logged before is recognised.

    It covers the table, the weights, and what the model was made from, but no times and places, so that a training that
    was killed and repeated finds its own versions.

    Args:
        model: the model.
        edition: guideline edition of its certificate.
    """
    weights = hashlib.sha256()
    for array in model.network.get_weights():
        values = np.ascontiguousarray(array)
        weights.update(f"{values.dtype.str}{values.shape}".encode() + values.tobytes())
    origin = {key: model.report.get(key) for key in ("seed", "settings", "label_source", "data_sha256")}
    return sha256(
        canonical_json(
            {
                "column": model.column,
                "table": table_digest(model.table),
                "weights": weights.hexdigest(),
                "origin": origin,
                "edition": edition,
            }
        )
    )


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return str(value)
