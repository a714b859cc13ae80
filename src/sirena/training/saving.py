"""The network as a ``.keras`` file."""

import warnings
from pathlib import Path

from sirena.training.backend import keras


def save_network(network: keras.Model, path: Path) -> None:
    """Write a network; the file appears whole or not at all.

    Args:
        network: from `network.answering_network`.
        path: ends in ``.keras``.
    """
    beside = path.with_name(f".{path.stem}.partial.keras")
    with warnings.catch_warnings():
        # Keras 3.15 asks NumPy 2 for a copy in a way NumPy has deprecated; nothing a user could act on.
        warnings.filterwarnings("ignore", message="__array__ implementation", category=DeprecationWarning)
        network.save(beside)
    beside.replace(path)


def load_network(path: Path) -> keras.Model:
    """Load a network, in Keras's safe mode: layers and operations of Keras only, no code from the file."""
    return keras.saving.load_model(path, compile=False, safe_mode=True)
