"""What counts as the same model."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from sirena.certification.asking import ask_table
from sirena.domain.mic import CODES
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.editions import editions, load_edition
from sirena.guidelines.interpreter import compile_tables
from sirena.registry.digests import canonical_json, model_digest


class Network:
    """Weights, as Keras hands them out."""

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def get_weights(self) -> list[Any]:
        """Return one array."""
        return [np.full((2, 3), self.weight, dtype=np.float32)]


@dataclass(frozen=True)
class Trained:
    """A trained model without Keras."""

    column: str = "AMK_NM"
    network: Network = field(default_factory=lambda: Network(1.0))
    table: TruthTable = field(default_factory=lambda: TruthTable("AMK_NM", ("eco",), np.ones((1, CODES), np.uint8)))
    report: dict[str, Any] = field(default_factory=lambda: {"seed": 1, "data_sha256": "a", "seconds": 3.0})


def test_times_do_not_make_another_model() -> None:
    """A repeated training took another time and is the same model."""
    again = Trained(report={"seconds": 99.0, "data_sha256": "a", "seed": 1, "when": "later"})
    assert model_digest(Trained(), "CLSI 2025") == model_digest(again, "CLSI 2025")


@pytest.mark.parametrize(
    "other",
    [
        Trained(network=Network(1.0000001)),
        Trained(table=TruthTable("AMK_NM", ("kpn",), np.ones((1, CODES), np.uint8))),
        Trained(table=TruthTable("AMK_NM", ("eco",), np.full((1, CODES), 2, np.uint8))),
        Trained(report={"seed": 2, "data_sha256": "a"}),
        Trained(report={"seed": 1, "data_sha256": "b"}),
    ],
)
def test_behaviour_weights_and_origin_make_another_model(other: Trained) -> None:
    """Anything the model is or was made from counts."""
    assert model_digest(Trained(), "CLSI 2025") != model_digest(other, "CLSI 2025")


def test_the_edition_of_the_certificate_counts() -> None:
    """The same network certified against another edition is another version."""
    assert model_digest(Trained(), "CLSI 2025") != model_digest(Trained(), "EUCAST 2025")


def test_equal_documents_have_one_spelling() -> None:
    """Order of keys and NumPy's own numbers do not matter."""
    assert canonical_json({"b": np.int64(1), "a": [np.float32(0.5)]}) == canonical_json({"a": [0.5], "b": 1})


@pytest.mark.parametrize("name", editions())
def test_a_table_of_the_reference_is_certified_as_it_is_stored(name: str) -> None:
    """Else a certificate of it is refused as one of other answers; some drugs have several rows for an organism."""
    for table in compile_tables(load_edition(name), ("AMK", "CZT", "DFX", "OMC", "PEN")).values():
        stored = TruthTable.from_json(json.loads(canonical_json(table.to_json())))
        assert ask_table(stored).digest == ask_table(table).digest, table.column
