"""Compiling a network into a truth table: ask it everything it can be asked, and write down what it says."""

from collections.abc import Sequence

import numpy as np

from sirena.domain.category import Category, Reason
from sirena.domain.mic import CODES, Mic
from sirena.domain.truth_table import ANSWER_CODES, Answer, TruthTable
from sirena.training.backend import keras, tf
from sirena.training.network import CATEGORY, MIC, NO_REASON, ORGANISM, REASON


def compile_network(network: keras.Model, column: str, organisms: Sequence[str]) -> TruthTable:
    """Ask a network for every organism and every MIC.

    Args:
        network: from `network.answering_network`, or its file loaded again.
        column: test column answered.
        organisms: its vocabulary.
    """
    texts = [str(Mic.from_code(code)) for code in range(CODES)]
    asked = {
        ORGANISM: tf.repeat(tf.constant(list(organisms)), CODES),
        MIC: tf.tile(tf.constant(texts), [len(organisms)]),
    }
    answered = network(asked)
    said = np.char.add(
        np.char.add(answered[CATEGORY].numpy().astype(np.str_), "|"), answered[REASON].numpy().astype(np.str_)
    )
    distinct, inverse = np.unique(said, return_inverse=True)
    codes = np.array([_answer_code(*text.split("|")) for text in distinct], dtype=np.uint8)
    return TruthTable(
        column=column,
        organisms=tuple(organisms),
        cells=codes[inverse].reshape(len(organisms), CODES),
        absent=Reason.NOT_IN_VOCABULARY,
    )


def _answer_code(category: str, reason: str) -> int:
    return ANSWER_CODES[Answer(Category(category), None if reason == NO_REASON else Reason(reason))]
