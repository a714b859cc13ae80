"""The network: monotone, text in and category out, loadable by Keras alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirena.domain.mic import DILUTIONS
from sirena.training.backend import keras, tf
from sirena.training.fitting import TrainedModel, train_models
from sirena.training.lineage import Lineage
from sirena.training.network import KIND_FEATURES, CutPoints, answering_network, scaled_dilution
from tests.laboratories import counted, laboratory


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    """A network trained on the small laboratory."""
    (model,) = train_models(laboratory())
    assert isinstance(model, TrainedModel)
    return model


def ask(network: keras.Model, *questions: tuple[str, str], site: str = "unknown") -> list[tuple[str, str]]:
    """Ask in text; return categories and reasons."""
    organisms, mics = zip(*questions, strict=True)
    inputs = {"organism": tf.constant(organisms), "mic": tf.constant(mics), "site": tf.constant([site] * len(mics))}
    answered = network(inputs)
    return [
        (category.decode(), reason.decode())
        for category, reason in zip(answered["category"].numpy(), answered["reason"].numpy(), strict=True)
    ]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-3, 3), st.sampled_from([0, 1, 2]))
def test_a_higher_mic_never_gets_a_lower_level(seed: int, slope: float, kind: int) -> None:
    """Whatever the parameters, both logits grow with the dilution and the upper is the smaller."""
    network = CutPoints.of(4)
    effects, weight = network.variables
    effects.assign(np.random.default_rng(seed).normal(scale=4, size=effects.shape))
    weight.assign([[slope]])
    position = np.arange(DILUTIONS)
    effect = tf.repeat(network.lineage(tf.constant([[0, 1, 3]])), DILUTIONS, axis=0)
    described = tf.repeat(tf.constant(KIND_FEATURES[kind][None]), DILUTIONS, axis=0)

    above = network.ordinal([effect, described, tf.constant(scaled_dilution(position, 0.0, 4.0)[:, None])]).numpy()

    assert (np.diff(above, axis=0) > 0).all()
    assert (above[:, 0] >= above[:, 1]).all()


def test_texts_go_in_and_categories_come_out(trained: TrainedModel) -> None:
    """The usual spellings are read by the network itself."""
    assert ask(trained.network, ("eco", "4"), ("eco", "16"), ("eco", "32"), ("kpn", "<=0,25"), ("kpn", "≥ 256")) == [
        ("S", "none"),
        ("I", "none"),
        ("R", "none"),
        ("S", "none"),
        ("R", "none"),
    ]


def test_a_censored_mic_on_both_sides_of_a_cut_point_is_not_guessed(trained: TrainedModel) -> None:
    """``>=4`` may be S or R, ``<=64`` too; ``<=4`` and ``>=64`` are decided."""
    assert ask(trained.network, ("eco", ">=4"), ("eco", "<=64"), ("eco", "<=4"), ("eco", ">=64")) == [
        ("NI", "censored"),
        ("NI", "censored"),
        ("S", "none"),
        ("R", "none"),
    ]


def test_what_is_not_known_is_refused(trained: TrainedModel) -> None:
    """An organism or a text outside the vocabulary gives NI and the reason."""
    assert ask(trained.network, ("sau", "4"), ("eco", "abc"), ("", "")) == [
        ("NI", "not_in_vocabulary"),
        ("NI", "unreadable_mic"),
        ("NI", "not_in_vocabulary"),
    ]


def test_probabilities_are_of_three_levels(trained: TrainedModel) -> None:
    """They add up to one, and the level of the answer is not a rare one."""
    answered = trained.network(
        {
            "organism": tf.constant(["eco"] * 3),
            "mic": tf.constant(["1", "16", "128"]),
            "site": tf.constant(["unknown"] * 3),
        }
    )

    probabilities = answered["probabilities"].numpy()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)
    assert probabilities.argmax(axis=1).tolist() == [0, 1, 2]


def test_levels_carry_the_organism_s_own_names() -> None:
    """A middle level may be SDD and the top one NS."""
    cells = counted(laboratory().rows)
    names = np.array([["S", "SDD", "R"], ["S", "I", "NS"], ["NI:bracketed", "I", "R"]])
    lineage = Lineage.of(cells.keys)
    trained = CutPoints.of(len(lineage.groups))
    network = answering_network("modelo_AMK_NM", trained, cells.keys, lineage.member, names, 4.0, 2.0)

    # All effects zero: cut points at the centre and 2 * log(2) = 1.39 dilutions above it.
    assert ask(network, ("eco", "16"), ("eco", "32"), ("eco", "64"), ("kpn", "64"), ("pae", "16")) == [
        ("S", "none"),
        ("SDD", "none"),
        ("R", "none"),
        ("NS", "none"),
        ("NI", "bracketed"),
    ]
