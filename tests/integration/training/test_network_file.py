"""A network's file is Keras's own: whoever has Keras can ask it."""

import sys
from pathlib import Path

import numpy as np

from sirena.training.compiling import compile_network
from sirena.training.fitting import TrainedModel, train_models
from sirena.training.saving import load_network
from tests.laboratories import laboratory
from tests.networks import save_network
from tests.prepared_interpreter import run_prepared


def test_the_file_loads_with_keras_alone_and_answers_the_same(tmp_path: Path) -> None:
    """A process that has never heard of Sirena loads the file, in safe mode, and asks it in text."""
    (trained,) = train_models(laboratory())
    assert isinstance(trained, TrainedModel)
    path = tmp_path / "model.keras"
    save_network(trained.network, path)
    script = (
        "import keras, sys, tensorflow as tf\n"
        f"model = keras.saving.load_model({str(path)!r})\n"
        "answer = model({'organism': tf.constant(['eco', 'eco', 'xyz']), 'mic': tf.constant(['4', '>64', '4']), "
        "'site': tf.constant(['unknown', 'blood', 'csf'])})\n"
        "assert not [name for name in sys.modules if name.startswith('sirena')]\n"
        "print([text.decode() for text in answer['category'].numpy()])"
    )
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "PATH": "/usr/bin"}
    process = run_prepared([sys.executable, "-c", script], env=environment, timeout=300)
    again = compile_network(load_network(path), trained.column, trained.table.keys)

    assert list(tmp_path.iterdir()) == [path]
    assert process.stdout.strip() == "['S', 'R', 'NI']", process.stderr
    np.testing.assert_array_equal(again.cells, trained.table.cells)
