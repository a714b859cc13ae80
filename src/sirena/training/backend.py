"""TensorFlow and Keras, set up for many tiny networks; every module of this package takes them from here.

Arrays of a thousand numbers gain nothing from threads, and a sum over threads has no fixed order: one thread is
faster here and gives the same bits every time.
"""

import os
from functools import cache

# Read by the libraries while they are imported, so they stand before the imports.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import keras
import tensorflow as tf
from keras.src.saving import saving_lib

# Keras means to remember which attributes are not saved, and looks for them under another name than it notes them by
# (3.15 and before): it made a layer for every object it saved, a third of the time that saving takes.
saving_lib.get_attr_skipset = cache(saving_lib.get_attr_skipset)

__all__ = ["keras", "tf", "use_one_thread"]


def use_one_thread() -> None:
    """Bind TensorFlow to one thread and to deterministic operations.

    A process that has already computed something with TensorFlow keeps its threads: results are then equal between
    runs all the same, because every operation used here is deterministic, only slower.
    """
    tf.config.experimental.enable_op_determinism()
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        return
