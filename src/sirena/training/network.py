"""The ordinal network: two ordered cut points on log2 MIC for each organism and site; always monotone in the MIC.

Organism and site select a key (`truth_table.key_of`): the organism's key for the body site, else its key for all other
body sites. The effects of a key's groups (all organisms … family, genus, the organism itself) add up to a lower cut
point and a gap. With x the dilution, centred and scaled::

    lower = effect · kind                 kind = (1, at most?, at least?): each comparator has its own offsets
    upper = lower + softplus(gap · kind)  so lower < upper
    P(level ≥ 1) = sigmoid(slope * (x - lower)),  P(level = 2) = sigmoid(slope * (x - upper)),  slope = softplus(w) > 0

The level is the number of cut points below x, so a higher MIC can never get a lower level.

`CutPoints` is trained (numbers in). `answering_network` wraps it for use: texts in, categories out, with its
own vocabulary. Both consist of Keras's own layers and operations only: the saved file loads with nothing but Keras.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.category import LABELS, Category, Reason
from sirena.domain.mic import CODES, DILUTIONS, MINIMUM_EXPONENT
from sirena.domain.site import Site
from sirena.domain.truth_table import key_of, split_key
from sirena.training.backend import keras
from sirena.training.cells import LEVELS, REFUSALS
from sirena.training.spellings import readable_spellings
from sirena.training.starting_point import KINDS

ORGANISM: Final = "organism"
MIC: Final = "mic"
SITE: Final = "site"
CATEGORY: Final = "category"
PROBABILITIES: Final = "probabilities"
REASON: Final = "reason"
_CATEGORIES: Final = (Category.NI.value, *(label.value for label in LABELS))
NO_REASON: Final = "none"
_REASONS: Final = (
    NO_REASON,
    *(reason.value for reason in REFUSALS.values() if reason is not Reason.OTHER_SITE),
    Reason.CENSORED.value,
    Reason.UNREADABLE_MIC.value,
    Reason.OTHER_SITE.value,
    Reason.NOT_IN_VOCABULARY.value,
)
"""Reasons of the network for refusing; if several apply, the last of them is given."""

layers, ops = keras.layers, keras.ops


@dataclass(frozen=True)
class CutPoints:
    """The trainable network in two parts, so that effects are summed once per organism and not once per cell."""

    lineage: keras.Model
    """Maps group numbers (n, levels) to summed effects (n, 2 * KINDS)."""
    ordinal: keras.Model
    """Maps effects (n, 2 * KINDS), kind (n, KINDS), scaled dilution (n, 1) to logits of being above each cut point."""

    @classmethod
    def of(cls, groups: int) -> "CutPoints":
        """Create an untrained network.

        Args:
            groups: number of groups of organisms, each with an effect on the cut points that begins at zero.
        """
        member = keras.Input((None,), dtype="int32", name="groups")
        effects = layers.Embedding(groups, 2 * KINDS, embeddings_initializer="zeros", name="lineage_effects")(member)
        lineage = keras.Model(member, ops.sum(effects, axis=1), name="lineage")
        effect = keras.Input((2 * KINDS,), name="effect")
        kind = keras.Input((KINDS,), name="kind")
        dilution = keras.Input((1,), name="dilution")
        lower = ops.sum(effect[:, :KINDS] * kind, axis=-1, keepdims=True)
        gap = ops.softplus(ops.sum(effect[:, KINDS:] * kind, axis=-1, keepdims=True))
        slope = layers.Dense(1, use_bias=False, activation="softplus", kernel_initializer="ones", name="slope")(
            kind[:, :1]
        )
        above = ops.concatenate([dilution - lower, dilution - lower - gap], axis=-1) * slope
        return cls(lineage, keras.Model([effect, kind, dilution], above, name="ordinal"))

    @property
    def variables(self) -> list[Any]:
        """The trainable variables: effects (groups, 2 * KINDS), and the weight (1, 1) whose softplus is the slope."""
        return [*self.lineage.trainable_variables, *self.ordinal.trainable_variables]


KIND_FEATURES: Final = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1]], dtype=np.float32)
"""Each `domain.mic.Interval` as input of the network: (1, is at most, is at least)."""


def scaled_dilution(position: NDArray[np.integer[Any]], centre: float, scale: float) -> NDArray[np.float32]:
    """Return dilutions, given by their position on the MIC scale (0 … DILUTIONS-1), centred and scaled.

    >>> scaled_dilution(np.array([0, DILUTIONS - 1]), 0.0, 1.0).tolist()
    [-14.0, 13.0]
    """
    return ((position + MINIMUM_EXPONENT - centre) / scale).astype(np.float32)


def answering_network(
    name: str,
    cut_points: CutPoints,
    keys: tuple[str, ...],
    member: NDArray[np.int32],
    names: NDArray[np.str_],
    centre: float,
    scale: float,
) -> keras.Model:
    """Return a model with texts as inputs and outputs, made of trained cut points.

    A censored MIC has a category only if its open end (the lowest dilution for "at most", the highest for "at least")
    has the same category; otherwise, and for an unknown organism or text, the answer is NI.

    Args:
        name: the model's name, ``modelo_AMK_NM``.
        cut_points: cut points with exactly the groups that `member` names.
        keys: vocabulary: WHONET codes, with a body site if that matters.
        member: group numbers, shape (keys, levels).
        names: category or refusal of each level, shape (keys, LEVELS).
        centre: exponent of 2 mg/L subtracted from log2 MIC.
        scale: dilutions by which log2 MIC is divided.

    Returns:
        Model with inputs ``organism``, ``mic`` and ``site`` (strings, shape (n,)) and outputs ``category`` and
        ``reason`` (strings, (n,); the reason is ``none`` unless the category is NI) and ``probabilities`` of the three
        levels (n, 3) for the number of the MIC, whatever its comparator.

    An untrained network has its cut points at 1 and 1.6 mg/L:

    >>> from sirena.training.backend import tf
    >>> groups, names = np.array([[0, 1]], dtype=np.int32), np.array([["S", "I", "R"]])
    >>> network = answering_network("modelo_AMK_NM", CutPoints.of(2), ("eco",), groups, names, centre=0.0, scale=1.0)
    >>> columns = {ORGANISM: ["eco", "eco"], MIC: ["1", "2"], SITE: ["blood", "blood"]}
    >>> network({name: tf.constant(texts) for name, texts in columns.items()})[CATEGORY].numpy().tolist()
    [b'S', b'R']
    """
    organism = keras.Input((), dtype="string", name=ORGANISM)
    mic = keras.Input((), dtype="string", name=MIC)
    site = keras.Input((), dtype="string", name=SITE)
    texts, codes = readable_spellings()
    organisms = tuple(dict.fromkeys(split_key(key)[0] for key in keys))
    organism_number = layers.StringLookup(vocabulary=list(organisms), name="organism_vocabulary")(organism)
    place = layers.StringLookup(vocabulary=[site.value for site in Site], name="site_vocabulary")(site)
    keys_at = _frozen(_keys_at(keys, organisms), "key_of_organism_and_site")(organism_number)
    number = ops.cast(ops.sum(keys_at * ops.one_hot(place, 1 + len(Site)), axis=-1), "int32")
    spelling = layers.StringLookup(vocabulary=list(texts), name="mic_spellings")(mic)
    # Row 0 of a frozen table is the unknown organism, key or text; its values are masked below.
    groups = ops.cast(_frozen(member, "organism_groups")(number), "int32")
    code = ops.cast(_frozen(codes[:, None], "mic_codes")(spelling)[:, 0], "int32")
    reading = _mic_table(centre, scale)(code)
    kind, dilution = reading[:, :KINDS], reading[:, KINDS:]
    lowest, highest = scaled_dilution(np.array([0, DILUTIONS - 1]), centre, scale).tolist()
    open_end = dilution + kind[:, 1:2] * (lowest - dilution) + kind[:, 2:3] * (highest - dilution)
    exact = kind * np.array([[1.0, 0.0, 0.0]], dtype=np.float32)
    effect = cut_points.lineage(groups)
    above = cut_points.ordinal([effect, kind, dilution])
    level = ops.sum(ops.cast(above > 0, "int32"), axis=-1)
    level_at_end = ops.sum(ops.cast(cut_points.ordinal([effect, exact, open_end]) > 0, "int32"), axis=-1)
    level_codes = ops.cast(_frozen(np.vectorize(_name_code)(names), "level_names")(number), "int32")
    name_code = ops.sum(level_codes * ops.one_hot(level, LEVELS, dtype="int32"), axis=-1)
    # The strongest reason wins: their order in _REASONS.
    reason = ops.max(
        ops.stack(
            [
                ops.maximum(-name_code, 0),
                ops.cast(ops.not_equal(level, level_at_end), "int32") * _REASONS.index(Reason.CENSORED),
                ops.cast(ops.equal(spelling, 0), "int32") * _REASONS.index(Reason.UNREADABLE_MIC),
                ops.cast(ops.equal(number, 0), "int32") * _REASONS.index(Reason.OTHER_SITE),
                ops.cast(ops.equal(organism_number, 0), "int32") * _REASONS.index(Reason.NOT_IN_VOCABULARY),
            ],
            axis=-1,
        ),
        axis=-1,
    )
    category = _words(_CATEGORIES, CATEGORY)(ops.maximum(name_code, 0) * ops.cast(ops.equal(reason, 0), "int32"))
    exceeds = ops.sigmoid(above)
    probabilities = ops.concatenate([1 - exceeds[:, :1], exceeds[:, :1] - exceeds[:, 1:], exceeds[:, 1:]], axis=-1)
    return keras.Model(
        {ORGANISM: organism, MIC: mic, SITE: site},
        {CATEGORY: category, REASON: _words(_REASONS, REASON)(reason), PROBABILITIES: probabilities},
        name=name,
    )


def _keys_at(keys: tuple[str, ...], organisms: tuple[str, ...]) -> NDArray[np.int32]:
    """Return the number, from 1, of the key that answers for each organism at each site; 0 if none does.

    Returns:
        Shape (organisms, 1 + sites); column 0 is for an unknown site's text.
    """
    number = {key: position for position, key in enumerate(keys, start=1)}
    rows = [
        [0, *(number.get(key_of(organism, site), number.get(organism, 0)) for site in Site)] for organism in organisms
    ]
    return np.array(rows, dtype=np.int32)


def _name_code(name: str) -> int:
    """Return the number of a level's name: positive for a category, negative for the reason of a refusal."""
    return -_REASONS.index(REFUSALS[name].value) if name in REFUSALS else _CATEGORIES.index(name)


def _words(vocabulary: tuple[str, ...], name: str) -> keras.layers.Layer:
    """Return the layer that turns numbers into words."""
    return layers.StringLookup(vocabulary=list(vocabulary), num_oov_indices=0, invert=True, name=name)


def _mic_table(centre: float, scale: float) -> keras.layers.Layer:
    """Return the layer that turns an MIC code into kind and scaled dilution."""
    code = np.arange(CODES)
    reading = np.hstack([KIND_FEATURES[code // DILUTIONS], scaled_dilution(code % DILUTIONS, centre, scale)[:, None]])
    return layers.Embedding(*reading.shape, trainable=False, weights=[reading], name="mic_reading")


def _frozen(rows: NDArray[Any], name: str) -> keras.layers.Layer:
    """Return a layer of constants, with an empty row 0 for what is not in the vocabulary."""
    table = np.vstack([np.zeros((1, rows.shape[1])), rows]).astype(np.float32)
    return layers.Embedding(*table.shape, trainable=False, weights=[table], name=name)
