"""Weighted cells say what their rows say."""

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from sirena.domain.mic import CODES
from sirena.domain.site import Site
from sirena.domain.truth_table import TruthTable
from sirena.training.backend import tf
from sirena.training.cells import PARTS, Cells, part_of_isolate, with_keys
from sirena.training.evidence import Evidence
from sirena.training.lineage import Lineage
from sirena.training.network import CutPoints
from sirena.training.optimisation import Batch, log_likelihood
from tests.laboratories import counted, evidence_of, laboratory


def loss_and_gradient(batch: Batch, groups: int) -> tuple[float, list[NDArray[np.float32]]]:
    """Compute both at one fixed, uneven place."""
    network = CutPoints.of(groups)
    for number, variable in enumerate(network.variables):
        variable.assign(np.random.default_rng(number).normal(size=variable.shape))
    with tf.GradientTape() as tape:
        effect = tf.gather(network.lineage(tf.constant(batch.member)), batch.key)
        above = network.ordinal([effect, tf.constant(batch.kind), tf.constant(batch.dilution)])
        loss = -tf.reduce_sum(batch.weight * log_likelihood(above, batch.level, tf.constant(0.02)))
    return float(loss), [
        tf.convert_to_tensor(gradient).numpy()
        for gradient in tape.gradient(loss, [variable.value for variable in network.variables])
    ]


@pytest.mark.parametrize("balance", [0.0, 0.5])
def test_cells_have_the_loss_and_the_gradient_of_their_rows(balance: float) -> None:
    """Counting equal rows changes neither what is minimised nor the direction of descent."""
    rows = laboratory(isolates=300).rows
    cells = counted(rows)
    each = rows.sort("organism").with_row_index("number")
    member = Lineage.of(cells.keys)
    uncounted = Cells(
        column="AMK_NM",
        keys=cells.keys,
        names=cells.names,
        key=np.array([cells.keys.index(code) for code in each["organism"]], dtype=np.int32),
        mic_code=each["mic_code"].to_numpy(),
        level=np.array(["SIR".index(label) for label in each["label"]], dtype=np.int8),
        weight=np.ones(len(each)),
        held_out=np.zeros(len(each)),
        folds=np.zeros((len(each), 5)),
    )

    def described(some: Cells) -> Batch:
        return Batch.of(some, member.member, 2.0, 3.0, some.weight, some.held_out, balance)

    counted_loss, counted_gradient = loss_and_gradient(described(cells), len(member.groups))
    loss, gradient = loss_and_gradient(described(uncounted), len(member.groups))

    assert len(cells.weight) < len(uncounted.weight) / 2
    assert loss == pytest.approx(counted_loss, rel=1e-5)
    for expected, actual in zip(gradient, counted_gradient, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-3)


def test_an_isolate_is_held_out_with_all_its_results() -> None:
    """The part depends on the isolate alone, and parts are about equal."""
    parts = pl.DataFrame({"isolate": pl.Series(range(20_000), dtype=pl.UInt32)}).select(
        part_of_isolate(pl.col("isolate"), 3)
    )["isolate"]

    counts = np.bincount(parts.to_numpy())
    assert len(counts) == PARTS
    assert counts.min() > 0.8 * 20_000 / PARTS
    assert counts.max() < 1.2 * 20_000 / PARTS


def test_another_seed_holds_out_other_isolates() -> None:
    """The seed deals anew."""
    isolates = pl.DataFrame({"isolate": pl.Series(range(1000), dtype=pl.UInt32)})
    first, second = (isolates.select(part_of_isolate(pl.col("isolate"), seed)).to_numpy() for seed in (0, 1))

    assert np.mean(first == second) < 0.1


def test_held_out_results_are_part_of_all() -> None:
    """Every cell's held-out weight is at most its weight, and about a twentieth of all."""
    cells = counted(laboratory(isolates=2000).rows)

    assert (cells.held_out <= cells.weight).all()
    assert 0.02 < cells.held_out.sum() / cells.weight.sum() < 0.1
    assert cells.results == 2000
    np.testing.assert_array_equal(cells.folds.sum(axis=1), cells.weight)
    assert (cells.folds[:, 0] >= cells.held_out).all()


def test_levels_are_named_as_most_labels_name_them() -> None:
    """SDD and NS survive for the organisms whose labels say so; an unlabelled level takes the drug's usual name."""
    evidence = evidence_of(
        ("ecl", "=", 3, "SDD", 3), ("ecl", "=", 3, "I", 1), ("eco", "=", 3, "I", 9), ("spn", "=", 0, "NS", 2)
    )
    cells = counted(evidence.rows)

    names = dict(zip(cells.keys, cells.names.tolist(), strict=True))
    assert names == {"ecl": ["S", "SDD", "NS"], "eco": ["S", "I", "NS"], "spn": ["S", "I", "NS"]}


def test_the_digest_tells_evidence_apart() -> None:
    """One result more, or another name of a level, is another digest; the same evidence has the same."""
    digests = {
        counted(evidence_of(("eco", "=", 3, label, number)).rows).digest()
        for label, number in (("I", 3), ("I", 4), ("SDD", 3), ("I", 3))
    }

    assert len(digests) == 3


def keys(evidence: Evidence, reference: TruthTable | None) -> list[str]:
    """Return the keys under which evidence is counted."""
    return sorted(with_keys(evidence.weighted_cells(0), reference)["key"].unique())


def at(site: Site, *organisms: str) -> Evidence:
    """Return one S at 1 mg/L of each organism from a site."""
    return evidence_of(*((organism, "=", 0, "S", 1) for organism in organisms), site=site)


def table_of_keys(*names: str) -> TruthTable:
    """Return a reference with these keys."""
    return TruthTable("AMK_NM", names, np.zeros((len(names), CODES), dtype=np.uint8))


def test_a_site_counts_only_where_the_reference_tells_it_from_others() -> None:
    """Cerebrospinal fluid for pneumococci; urine is counted with all else."""
    reference = table_of_keys("spn", "spn@csf", "eco")

    assert keys(at(Site.CEREBROSPINAL_FLUID, "spn", "eco"), reference) == ["eco", "spn@csf"]
    assert keys(at(Site.URINE, "spn", "eco"), reference) == ["eco", "spn"]


def test_without_a_reference_all_sites_are_counted_together() -> None:
    """Nothing says that a laboratory's labels differ by site, and each site alone would have too few."""
    assert keys(at(Site.CEREBROSPINAL_FLUID, "spn"), None) == ["spn"]
    assert keys(at(Site.CEREBROSPINAL_FLUID, "cfr"), table_of_keys("spn", "spn@csf")) == ["cfr"]


def test_a_site_for_which_the_guideline_has_no_row_stays_apart() -> None:
    """Labels of blood say nothing of urine, where alone the guideline speaks."""
    assert keys(at(Site.BLOOD, "eco"), table_of_keys("eco@urine", "eco@unknown")) == ["eco@blood"]


def test_counting_by_key_loses_no_result() -> None:
    """Whatever the sites."""
    evidence = at(Site.URINE, "spn", "eco", "cfr")
    for reference in (None, table_of_keys("spn", "spn@urine", "eco@csf")):
        assert with_keys(evidence.weighted_cells(0), reference)["weight"].sum() == 3
