"""TensorFlow and Keras, set up for many small networks; the modules of this package import them from here.

Arrays of a thousand numbers gain nothing from threads, and a sum over threads has no fixed order. So one thread is
faster here, and gives the same bits every time.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

# Read by the libraries while they are imported, so they stand before the imports.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

_NOT_USED: Final = ("matplotlib", "pandas", "sklearn")
"""Keras imports them where it finds them, for pictures and tables that no network of ours needs: 2 s of 4.5."""


@contextmanager
def _left_out(names: tuple[str, ...]) -> Iterator[None]:
    """Make libraries that are not imported yet seem not installed during the block."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None there is how Python says so
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _left_out(_NOT_USED):
    import keras
    import tensorflow as tf
    from keras.src.saving import saving_lib

# Keras means to remember which attributes are not saved, and looks for them under another name than it notes them by
# (3.15 and before): it made a layer for every object it saved, a third of the time that saving takes.
saving_lib.get_attr_skipset = cache(saving_lib.get_attr_skipset)

__all__ = ["keras", "tf", "use_one_thread"]


def use_one_thread() -> None:
    """Restrict TensorFlow to one thread and to deterministic operations.

    A process that has already computed something with TensorFlow keeps its threads. Its results are still equal between
    runs, because every operation used here is deterministic, but it is slower.
    """
    tf.config.experimental.enable_op_determinism()
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        return
