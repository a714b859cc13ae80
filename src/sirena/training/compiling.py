"""Compiling a network into a truth table, by asking it every possible question."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from sirena.domain.category import Category, Reason
from sirena.domain.mic import CODES, Mic
from sirena.domain.site import Site
from sirena.domain.truth_table import ANSWER_CODES, Answer, TruthTable, key_of, split_key
from sirena.training.backend import keras, tf
from sirena.training.network import CATEGORY, MIC, NO_REASON, ORGANISM, REASON, SITE


def compile_network(network: keras.Model, column: str, keys: Sequence[str]) -> TruthTable:
    """Return the truth table of a network's answers for every key and every MIC.

    Args:
        network: a model from `network.answering_network`, or one loaded again from its file.
        column: test column that the network answers.
        keys: the network's vocabulary: organism codes, with a body site if that matters.

    >>> from sirena.domain.mic import encode_mics
    >>> from sirena.training.network import CutPoints, answering_network
    >>> groups, names = np.array([[0, 1]], dtype=np.int32), np.array([["S", "I", "R"]])
    >>> network = answering_network("modelo_AMK_NM", CutPoints.of(2), ("eco",), groups, names, centre=0.0, scale=1.0)
    >>> answers = compile_network(network, "AMK_NM", ["eco"]).look_up(["eco"], encode_mics(["1", "2"]))
    >>> (answers == ANSWER_CODES[Answer(Category.S)]).tolist()
    [[True, False]]
    """
    texts = [str(Mic.from_code(code)) for code in range(CODES)]
    questions = [_question(key, set(keys)) for key in keys]
    inputs = {
        ORGANISM: tf.repeat(tf.constant([organism for organism, _ in questions]), CODES),
        SITE: tf.repeat(tf.constant([site for _, site in questions]), CODES),
        MIC: tf.tile(tf.constant(texts), [len(keys)]),
    }
    outputs = network(inputs)
    answers = zip(outputs[CATEGORY].numpy().tolist(), outputs[REASON].numpy().tolist(), strict=True)
    codes = [_answer_code(category, reason) for category, reason in answers]
    return TruthTable(
        column=column,
        keys=tuple(keys),
        cells=np.array(codes, dtype=np.uint8).reshape(len(keys), CODES),
        absent=Reason.NOT_IN_VOCABULARY,
    )


def _question(key: str, keys: set[str]) -> tuple[str, str]:
    """Return the organism and site by which to ask about a key: its own site, or one without a key of its own."""
    organism, site = split_key(key)
    if site is None:
        site = next(site for site in (Site.OTHER, *Site) if key_of(organism, site) not in keys)
    return organism, site.value


@cache
def _answer_code(category: bytes, reason: bytes) -> int:
    answer_reason = None if reason == NO_REASON.encode() else Reason(reason.decode())
    return ANSWER_CODES[Answer(Category(category.decode()), answer_reason)]
