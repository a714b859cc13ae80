"""Reading a network from its ``.keras`` file."""

from pathlib import Path

from sirena.training.backend import keras


def load_network(path: Path) -> keras.Model:
    """Return a network, loaded in Keras's safe mode: only Keras's own layers and operations, no code from the file."""
    return keras.saving.load_model(path, compile=False, safe_mode=True)
