"""Training: what each drug learns from, and that it can be repeated."""

import json
from dataclasses import replace

import numpy as np
import pytest

from sirena.domain.ground import Ground, GroundKind
from sirena.domain.mic import parse_mic
from sirena.domain.site import Site
from sirena.domain.truth_table import ANSWERS
from sirena.training.cells import cells_of
from sirena.training.evidence import ROW_TYPES, Evidence, LabelSource, reference_grid
from sirena.training.fitting import MINIMUM_RESULTS, TrainedModel, Untrainable, train_models
from sirena.training.optimisation import TrainingSettings
from sirena.training.schedule import Course
from tests.laboratories import evidence_of, laboratory, reference_table

NOTHING = ROW_TYPES.to_frame()


def train(evidence: Evidence, **options: object) -> TrainedModel:
    """Train the one drug of the evidence."""
    (model,) = train_models(evidence, **options)  # type: ignore[arg-type]
    assert isinstance(model, TrainedModel)
    return model


def answer(model: TrainedModel, organism: str, mic: str) -> str:
    """Look up in the compiled table."""
    found = ANSWERS[model.table.cells[model.table.row_of[organism], parse_mic(mic).code]]
    return found.category.value if found else ""


def test_cut_points_are_learnt_from_labels() -> None:
    """The laboratory's cut points are found to within half a dilution, in spite of its wrong labels."""
    model = train(laboratory())

    assert {"eco", "kpn", "pae"} == set(model.table.organisms)
    np.testing.assert_allclose(model.report["cut_points"]["eco"], [3.5, 4.5], atol=0.5)
    np.testing.assert_allclose(model.report["cut_points"]["pae"], [4.5, 5.5], atol=0.5)


def test_the_same_evidence_and_seed_give_the_same_weights() -> None:
    """Bit by bit, after another drug has been trained in between."""
    first = train(laboratory())
    train(laboratory(seed=5))
    second = train(laboratory())

    for expected, actual in zip(first.network.get_weights(), second.network.get_weights(), strict=True):
        assert expected.tobytes() == actual.tobytes()
    assert first.report == second.report


def test_the_report_is_json() -> None:
    """It holds what a registry logs: seed, settings, counts, digest, history and cut points."""
    report = json.loads(json.dumps(train(laboratory(), seed=3).report, allow_nan=False))

    assert report["seed"] == 3
    assert report["label_source"] == "file"
    assert report["evidence"]["results"] == 400
    assert len(report["data_sha256"]) == 64
    assert report["history"][0]["held_out_loss"] > 0
    assert report["metrics"]["agreement_with_labels"] > 0.97


def test_the_report_keeps_what_the_file_held_even_where_the_edition_alone_is_learnt() -> None:
    """By organism, site and MIC; with no labelled result, or for a training from the edition alone, nothing."""
    rows = evidence_of(("eco", "=", 0, "S", 15), ("eco", "=", 6, "R", 10)).rows
    reference = {"AMK_NM": reference_table()}
    both = train(Evidence(rows, LabelSource.BOTH, reference))
    assert both.report["label_source"] == "reference"
    assert both.report["tested"] == {"eco": {"unknown": {"1": 15, "64": 10}}}
    assert train(Evidence(NOTHING, LabelSource.REFERENCE, reference)).report["tested"] == {}


def test_the_report_counts_what_was_learnt_for_each_key() -> None:
    """Labels by level name with the range of their MICs; the row's ground says that they are the laboratory's."""
    model = train(evidence_of(("eco", "=", 0, "S", 15), ("eco", "=", 6, "R", 10)))

    assert model.report["labels"] == {"eco": {"S": 15, "R": 10, "lowest": "1", "highest": "64"}}
    assert model.report["evidence"]["keys"] == 1
    assert model.table.grounds == (Ground(GroundKind.LABORATORY),)


def test_a_row_rests_on_the_guideline_where_it_has_a_statement() -> None:
    """Labels of the laboratory, grounds of the edition: the reader sees what the guideline says there."""
    rows = Ground(GroundKind.BREAKPOINT, "CLSI 2026", "breakpoint", "order", "Enterobacterales", source="Table 2A-1")
    table = replace(reference_table(), grounds=(rows,) * len(reference_table().keys))
    model = train(replace(evidence_of(("eco", "=", 0, "S", 15), ("cfr", "=", 6, "R", 10)), reference={"AMK_NM": table}))

    assert model.table.ground("eco", Site.BLOOD) == rows
    assert model.table.ground("cfr", Site.BLOOD) == Ground(GroundKind.LABORATORY)


def test_a_drug_with_too_few_results_is_trained_from_the_reference() -> None:
    """And says so; its vocabulary is the reference's."""
    few = evidence_of(("eco", "=", 0, "R", MINIMUM_RESULTS - 1))
    model = train(replace(few, reference={"AMK_NM": reference_table()}))

    assert model.report["label_source"] == "reference"
    assert model.report["note"] == "only 19 labelled results in the file"
    assert answer(model, "eco", "1") == "S"
    assert answer(model, "efm", "1") == "R"


def test_a_drug_with_neither_is_reported() -> None:
    """Not skipped in silence: the drugs asked for are the drugs answered for."""
    results = list(train_models(laboratory(), drugs=["AMK", "AMP"]))

    assert [result.column for result in results] == ["AMK_NM", "AMP_NM"]
    assert isinstance(results[1], Untrainable)
    assert "0 labelled results" in results[1].reason


def test_a_reference_without_breakpoints_trains_nothing() -> None:
    """An empty table is no evidence."""
    table = reference_table()
    empty = replace(table, keys=(), cells=table.cells[:0])
    (result,) = train_models(Evidence(NOTHING, LabelSource.REFERENCE, {"AMK_NM": empty}))

    assert isinstance(result, Untrainable)


def test_a_network_trained_from_the_reference_equals_it() -> None:
    """S-I-R, SDD, NS, always R, R only, no category: every answer is that of the reference, with its reason."""
    table = reference_table()
    model = train(Evidence(NOTHING, LabelSource.REFERENCE, {"AMK_NM": table}))

    assert model.report["disagreements_with_reference"] == 0
    assert set(model.table.keys) == set(table.keys)
    for key in model.table.keys:
        np.testing.assert_array_equal(model.table.cells[model.table.row_of[key]], table.cells[table.row_of[key]], key)


def test_descent_mends_what_the_start_got_wrong() -> None:
    """From cut points moved by a dilution, the descent alone comes back to every label of the reference."""
    cells = cells_of("AMK_NM", reference_grid(reference_table()))
    course = Course(cells, replace(TrainingSettings(), learning_rate=0.01))
    batch = course.start()
    effects, _slope = course.descent.parameters()
    effects[0, 0] += 1.0 / course.scale
    course.descent.start(effects, slope=4.0 * course.scale, learning_rate=0.01)

    def wrong() -> int:
        cuts = course.fit(()).cut_points()[cells.key, 0]
        level = ((cells.mic_code - 14.0)[:, None] > cuts).sum(axis=1)
        return int((level != cells.level).sum())

    before = wrong()
    course.advance(batch, 300)
    assert before > 0
    assert wrong() == 0


def beyond_the_edition(results: int) -> Evidence:
    """Labels of *Citrobacter*, of which the reference says nothing, and of *E. coli*, of which it does."""
    half = results // 2
    own = evidence_of(("cfr", "=", 1, "S", half), ("cfr", "=", 5, "R", half), ("eco", "=", 3, "S", 400))
    return replace(own, label_source=LabelSource.BOTH, reference={"AMK_NM": reference_table()})


def test_with_both_an_organism_of_the_edition_is_learnt_from_the_edition_alone() -> None:
    """Four hundred S at 8 mg/L, where the edition says I, change nothing; an organism it is silent on is learnt."""
    model = train(beyond_the_edition(400))

    assert model.report["label_source"] == "both"
    assert model.report["disagreements_with_reference"] == 0
    assert answer(model, "eco", "8") == "I"
    assert (answer(model, "cfr", "2"), answer(model, "cfr", "32")) == ("S", "R")
    assert model.table.ground("cfr", Site.UNKNOWN) == Ground(GroundKind.LABORATORY)


def test_with_both_too_few_results_beyond_the_edition_are_left_out() -> None:
    """Nothing could show how well they are learnt: the model is the edition's alone, and its report says so."""
    model = train(beyond_the_edition(200))

    assert model.report["label_source"] == "reference"
    assert "cfr" not in model.table.vocabulary
    assert "200 results" in model.report["note"]


def test_rare_resistance_is_found() -> None:
    """Three R among a thousand S, far above them, are enough to place a cut point."""
    model = train(evidence_of(("eco", "=", 0, "S", 600), ("eco", "<=", -1, "S", 400), ("eco", "=", 7, "R", 3)))

    assert answer(model, "eco", "128") == "R"
    assert answer(model, "eco", "1") == "S"


def test_progress_is_told_after_each_drug() -> None:
    """So a long training can be watched."""
    told: list[tuple[int, int, str]] = []
    list(train_models(laboratory(), drugs=["AMK", "AMP"], progress=lambda *state: told.append(state)))

    assert told == [(1, 2, "AMK_NM"), (2, 2, "AMP_NM")]


@pytest.mark.parametrize("trials", [3])
def test_search_finds_settings_and_repeats(trials: int) -> None:
    """The search varies the settings, reports the best and finds the same again."""
    evidence = laboratory(isolates=800)
    first, second = (train(evidence, search=trials).report for _ in range(2))

    assert first["settings"] == second["settings"]
    assert first["data_sha256"] == second["data_sha256"]


def test_a_search_without_held_out_results_keeps_the_settings() -> None:
    """With too few isolates to judge by, nothing is tuned."""
    assert train(laboratory(isolates=60), search=2).report["settings"]["lapse"] == TrainingSettings().lapse
