"""A network trained from a guideline is the guideline at every site; a site is one of its questions."""

import numpy as np
import pytest

from sirena.domain.mic import CODES, Mic, encode_mics
from sirena.domain.site import Site
from sirena.domain.truth_table import ANSWERS, TruthTable
from sirena.guidelines.editions import load_edition
from sirena.guidelines.interpreter import compile_tables
from sirena.training.backend import keras, tf
from sirena.training.compiling import compile_network
from sirena.training.evidence import ROW_TYPES, Evidence, LabelSource
from sirena.training.fitting import TrainedModel, train_models

MICS = [str(Mic.from_code(code)) for code in range(CODES)]


def ask(network: keras.Model, organisms: tuple[str, ...], site: str) -> list[tuple[str, str]]:
    """Ask a network every MIC of some organisms at a site, in text."""
    answered = network(
        {
            "organism": tf.repeat(tf.constant(organisms), CODES),
            "mic": tf.tile(tf.constant(MICS), [len(organisms)]),
            "site": tf.fill([len(organisms) * CODES], site),
        }
    )
    pairs = zip(answered["category"].numpy(), answered["reason"].numpy(), strict=True)
    return [(category.decode(), reason.decode()) for category, reason in pairs]


def answers(table: TruthTable, organisms: tuple[str, ...], site: Site) -> list[tuple[str, str]]:
    """Ask a table the same."""
    codes = table.look_up(organisms, encode_mics(MICS), site).ravel()
    stated = [answer for answer in (ANSWERS[code] for code in codes) if answer is not None]
    return [(answer.category.value, answer.reason.value if answer.reason else "none") for answer in stated]


@pytest.fixture(scope="module", params=["CLSI 2026 PEN", "CLSI 2026 NIT", "EUCAST 2026 GEN", "EUCAST 2026 MEM"])
def pair(request: pytest.FixtureRequest) -> tuple[TruthTable, TrainedModel]:
    """A reference with rows for single sites, and the network trained from it."""
    edition, _, drug = request.param.rpartition(" ")
    organisms = ["spn", "nme", "sau", "eco", "kpn", "pae", "hin", "efa"]
    reference = compile_tables(load_edition(edition), [drug], organisms=organisms)[drug]
    assert any("@" in key for key in reference.keys)
    evidence = Evidence(ROW_TYPES.to_frame(), LabelSource.REFERENCE, {reference.column: reference})
    (model,) = train_models(evidence)
    assert isinstance(model, TrainedModel)
    return reference, model


@pytest.mark.parametrize("site", Site)
def test_a_network_equals_the_reference_for_every_organism_and_mic_at_every_site(
    pair: tuple[TruthTable, TrainedModel], site: Site
) -> None:
    """Asked in text, category and reason, exact and censored, at the seven sites."""
    reference, model = pair
    organisms = reference.organisms

    assert ask(model.network, organisms, site.value) == answers(reference, organisms, site)
    assert answers(model.table, organisms, site) == answers(reference, organisms, site)


def test_a_network_carries_the_grounds_of_the_guideline(pair: tuple[TruthTable, TrainedModel]) -> None:
    """At every site what the model's row rests on is what the reference's row rests on."""
    reference, model = pair
    for organism in reference.organisms:
        for site in Site:
            assert model.table.ground(organism, site) == reference.ground(organism, site)


def test_a_compiled_network_has_the_keys_it_was_compiled_for(pair: tuple[TruthTable, TrainedModel]) -> None:
    """Each key is asked at a site that is its own; the rest of the sites at one that has no key."""
    _, model = pair
    compiled = compile_network(model.network, model.column, model.table.keys)

    assert compiled.keys == model.table.keys
    np.testing.assert_array_equal(compiled.cells, model.table.cells)


def test_a_site_the_network_does_not_know_is_refused(pair: tuple[TruthTable, TrainedModel]) -> None:
    """A word that is no site is never read as some site."""
    _, model = pair
    organism = model.table.organisms[0]

    assert set(ask(model.network, (organism,), "knee")) == {("NI", "other_site")}
    assert set(ask(model.network, ("zzz",), "knee")) == {("NI", "not_in_vocabulary")}
