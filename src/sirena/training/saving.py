"""Reading a network from its ``.keras`` file."""

from pathlib import Path

from sirena.training.backend import keras


def load_network(path: Path) -> keras.Model:
    """Load a network, in Keras's safe mode: layers and operations of Keras only, no code from the file."""
    return keras.saving.load_model(path, compile=False, safe_mode=True)
