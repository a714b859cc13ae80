"""Writing networks to files."""

import warnings
from pathlib import Path

from sirena.training.backend import keras


def save_network(network: keras.Model, path: Path) -> None:
    """Write a network to a ``.keras`` file."""
    with warnings.catch_warnings():
        # Keras 3.15 asks NumPy 2 for a copy in a way NumPy has deprecated
        warnings.filterwarnings("ignore", message="__array__ implementation", category=DeprecationWarning)
        network.save(path)
