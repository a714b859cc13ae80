"""Training one network per antimicrobial.

Rules, each with a test of like name:

- with labels from both sources, an organism that the edition covers is learnt from the edition alone; the others are
  learnt from the laboratory, if it has enough results to judge them by, and their grounds name the laboratory;
- a drug with fewer than `MINIMUM_RESULTS` labelled results is trained from the reference, and its report says so;
- if the reference has no breakpoint for the drug either, the result is `Untrainable`, with the reason;
- 5 % of the isolates are held out to choose the number of steps; then all isolates are trained on for that many;
- for the report, every labelled result is judged once by cut points learnt without its isolate;
- a network trained from the reference is trained until no answer differs from the reference;
- the same evidence and seed give the same weights, bit by bit.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
import polars as pl

from sirena.domain.ground import Ground, GroundKind
from sirena.domain.mic import DILUTIONS, MINIMUM_EXPONENT, spell_dilution
from sirena.domain.site import Site
from sirena.domain.truth_table import TruthTable, split_key
from sirena.training.backend import keras, use_one_thread
from sirena.training.cells import FOLDS, LEVELS, Cells, cells_of, with_keys
from sirena.training.compiling import compile_network
from sirena.training.cross_validation import cross_validate
from sirena.training.evaluation import AgreementCounts
from sirena.training.evidence import Countable, LabelSource, reference_grid
from sirena.training.lineage import Ancestry, groups_above
from sirena.training.network import CutPoints, answering_network
from sirena.training.optimisation import TrainingSettings
from sirena.training.schedule import STRIDE, Course, Epoch, Fit
from sirena.training.search import search_settings
from sirena.training.tested import TestedResults, count_tested

MINIMUM_RESULTS: Final = 20
"""Labelled results below which a drug is trained from the reference instead, if there is one."""
MINIMUM_OWN_RESULTS: Final = 300
MINIMUM_OWN_S: Final = 72
MINIMUM_OWN_R: Final = 48
"""Results (all, S, R) for organisms the edition does not cover, below which the laboratory's labels are not used."""
_MOST_ROUNDS: Final = 20
"""Most rounds of `STRIDE` steps in which a network trained from the reference must come to agree with it."""

Progress = Callable[[int, int, str], None]
"""Called after each drug with the number done, the total and the test column."""


@dataclass(frozen=True)
class TrainedModel:
    """One antimicrobial's trained network and the facts about it."""

    column: str
    """Test column that the network answers, ``AMK_NM``."""
    network: keras.Model
    """The network; its inputs are texts and its outputs categories (`network.answering_network`)."""
    table: TruthTable
    """The network's answers, as a compiled truth table."""
    report: dict[str, Any]
    """Report as plain JSON values: seed, settings, label source, evidence, digest, history, cut points, metrics."""


@dataclass(frozen=True)
class Untrainable:
    """A test column without any evidence to learn from."""

    column: str
    reason: str
    """The reason, as one sentence for a person."""


@dataclass(frozen=True)
class _ColumnEvidence:
    """The evidence that one test column is trained from."""

    column: str
    tally_rows: pl.DataFrame
    source: LabelSource
    note: str
    file_results: int
    """Number of labelled results that the files hold for this column, whether used or not."""
    reference: TruthTable | None = None
    """The table that the network must equal wherever it has a row; None if labels come from the laboratory alone."""
    grounds: TruthTable | None = None
    """The guideline's table for the column, from which answers take their grounds; None if there is none."""
    tested_results: TestedResults = field(default_factory=dict)
    """Labelled results that the files hold for this column, whether used or not."""


def train_models(
    evidence: Countable,
    *,
    drugs: Iterable[str] | None = None,
    seed: int = 0,
    search: int = 0,
    settings: TrainingSettings | None = None,
    progress: Progress | None = None,
    ancestry: Ancestry = groups_above,
) -> Iterator[TrainedModel | Untrainable]:
    """Train the drugs one after another; yield each result when it is ready.

    Args:
        evidence: evidence from `collect_evidence`, or `counts.CountedEvidence` of several files.
        drugs: antimicrobial codes; None for all antimicrobials of the evidence or the reference.
        seed: seed of the division into parts and of the search.
        search: number of Optuna trials per drug; 0 to use the given settings.
        settings: settings of the training; None for the defaults.
        progress: called after each drug.
        ancestry: returns the groups that an organism belongs to.

    >>> from sirena.guidelines.editions import load_edition
    >>> from sirena.guidelines.interpreter import compile_tables
    >>> table = compile_tables(load_edition("CLSI 2026"), ["SPT"])["SPT"]
    >>> from sirena.training.evidence import ROW_TYPES, Evidence
    >>> evidence = Evidence(ROW_TYPES.to_frame(), LabelSource.REFERENCE, {"SPT_NM": table})
    >>> [model] = train_models(evidence, drugs=["SPT"])
    >>> model.column, model.table.keys, bool((model.table.cells == table.cells).all())
    ('SPT_NM', ('ngo', 'nko'), True)
    """
    use_one_thread()
    rows_of_column = {
        column: part for (column,), part in evidence.weighted_cells(seed).partition_by("column", as_dict=True).items()
    }
    columns = _columns(evidence, rows_of_column, drugs)
    for number, column in enumerate(columns, start=1):
        column_evidence = _choose(evidence, column, rows_of_column.get(column))
        if isinstance(column_evidence, Untrainable):
            outcome: TrainedModel | Untrainable = column_evidence
        else:
            column_evidence = replace(column_evidence, tested_results=count_tested(rows_of_column.get(column)))
            outcome = _train(column_evidence, seed, search, settings or TrainingSettings(), ancestry)
        if progress is not None:
            progress(number, len(columns), column)
        yield outcome


def _columns(evidence: Countable, rows_of_column: dict[str, pl.DataFrame], drugs: Iterable[str] | None) -> list[str]:
    by_drug: dict[str, set[str]] = {}
    for column in (*rows_of_column, *evidence.reference):
        by_drug.setdefault(column.split("_")[0], set()).add(column)
    drug_codes = sorted(by_drug) if drugs is None else sorted(set(drugs))
    return [column for drug in drug_codes for column in sorted(by_drug.get(drug, {f"{drug}_NM"}))]


def _choose(evidence: Countable, column: str, tally_rows: pl.DataFrame | None) -> _ColumnEvidence | Untrainable:
    """Return the evidence that a test column is trained from, or why there is none."""
    table = evidence.reference.get(column)
    table = table if table is not None and table.keys else None
    grid = None if table is None else reference_grid(table)
    tally_rows = None if tally_rows is None else with_keys(tally_rows, table)
    results = 0 if tally_rows is None else int(tally_rows["weight"].sum())
    if evidence.label_source is LabelSource.REFERENCE or tally_rows is None or results < MINIMUM_RESULTS:
        if grid is not None:
            note = (
                "" if evidence.label_source is LabelSource.REFERENCE else f"only {results} labelled results in the file"
            )
            return _ColumnEvidence(column, grid, LabelSource.REFERENCE, note, results, table, table)
        return Untrainable(
            column,
            f"{results} labelled results in the file ({MINIMUM_RESULTS} needed) and no breakpoint in a reference",
        )
    if evidence.label_source is LabelSource.BOTH and table is not None and grid is not None:
        own = tally_rows.filter(
            ~pl.col("key").is_in([key for key in tally_rows["key"].unique() if split_key(key)[0] in table.vocabulary])
        )
        if not _enough(own):
            silent = int(own["weight"].sum())
            note = f"{silent} results of organisms beyond the edition are too few to be judged by" if silent else ""
            return _ColumnEvidence(column, grid, LabelSource.REFERENCE, note, results, table, table)
        joint_rows = pl.concat([grid, own.select(grid.columns)])
        return _ColumnEvidence(column, joint_rows, LabelSource.BOTH, "", results, table, table)
    return _ColumnEvidence(column, tally_rows, evidence.label_source, "", results, grounds=table)


def _enough(own: pl.DataFrame) -> bool:
    """Tell whether a laboratory's results suffice to judge what is learnt from them; the gate demands as many."""
    by_level = dict(own.group_by("level").agg(pl.col("weight").sum()).iter_rows())
    total = sum(by_level.values())
    return total >= MINIMUM_OWN_RESULTS and by_level.get(0, 0) >= MINIMUM_OWN_S and by_level.get(2, 0) >= MINIMUM_OWN_R


def _train(
    column_evidence: _ColumnEvidence, seed: int, search: int, settings: TrainingSettings, ancestry: Ancestry
) -> TrainedModel:
    cells = cells_of(column_evidence.column, column_evidence.tally_rows)
    if search and column_evidence.reference is None:
        settings = search_settings(cells, trials=search, seed=seed, start=settings, ancestry=ancestry)
    course = Course(cells, settings, ancestry)
    held_out: dict[str, Any] | None = None
    if column_evidence.reference is None:
        watched_course = course.choose_steps()
        steps = watched_course.steps
        course.advance(course.start(), steps)
        fit = course.fit(watched_course.history)
        network = _network_of(cells, fit)
        table, disagreements = compile_network(network, column_evidence.column, cells.keys), None
        held_out = _held_out(*cross_validate(cells, settings, steps, ancestry))
    else:
        fit, network, table, disagreements = _train_until_equal(course, column_evidence.reference)
        steps = sum(epoch.steps for epoch in fit.history)
        if cells.folds.any():
            held_out = _held_out(*cross_validate(cells, settings, steps, ancestry))
    table = replace(table, grounds=tuple(_ground(key, column_evidence.grounds) for key in table.keys))
    report: dict[str, Any] = {
        "column": column_evidence.column,
        "seed": seed,
        "label_source": column_evidence.source.value,
        "note": column_evidence.note,
        "settings": asdict(settings),
        "data_sha256": cells.digest(),
        "evidence": {
            "results": int(cells.folds.sum()),
            "grid_points": cells.results - int(cells.folds.sum()),
            "file_results": column_evidence.file_results,
            "cells": len(cells.weight),
            "organisms": len(table.organisms),
            "keys": len(cells.keys),
            "by_level": dict(zip(("S", "I or SDD", "R or NS"), cells.level_counts(), strict=True)),
            "held_out_results": int(cells.held_out.sum()),
        },
        "centre": fit.centre,
        "scale": fit.scale,
        "steps": steps,
        "history": [asdict(epoch) for epoch in fit.history],
        "metrics": _metrics(cells, fit),
        "held_out": held_out,
        "disagreements_with_reference": disagreements,
        "cut_points": {
            key: [round(float(value), 3) for value in pair]
            for key, pair in zip(cells.keys, fit.cut_points()[:, 0], strict=True)
        },
        "labels": _labels(cells),
        "tested": column_evidence.tested_results,
    }
    return TrainedModel(column_evidence.column, network, table, report)


def _train_until_equal(course: Course, reference: TruthTable) -> tuple[Fit, keras.Model, TruthTable, int]:
    """Train until no answer differs from the reference where it has a row, or until the rounds are used up."""
    batch = course.start()
    history: list[Epoch] = []
    shared_rows = [row for row, key in enumerate(course.cells.keys) if key in reference.row_of]
    reference_cells = reference.cells[[reference.row_of[course.cells.keys[row]] for row in shared_rows]]
    while True:
        history.append(course.advance(batch, STRIDE))
        fit = course.fit(tuple(history))
        network = _network_of(course.cells, fit)
        table = compile_network(network, course.cells.column, course.cells.keys)
        disagreements = int((table.cells[shared_rows] != reference_cells).sum())
        if disagreements == 0 or len(history) == _MOST_ROUNDS:
            return fit, network, table, disagreements


def _network_of(cells: Cells, fit: Fit) -> keras.Model:
    """Return an answering network with the learnt parameters."""
    cut_points = CutPoints.of(len(fit.lineage.groups))
    for variable, parameter in zip(cut_points.variables, (fit.effects, fit.slope), strict=True):
        variable.assign(parameter)
    return answering_network(
        f"modelo_{cells.column}", cut_points, cells.keys, fit.lineage.member, cells.names, fit.centre, fit.scale
    )


def _held_out(pooled_counts: AgreementCounts, by_organism: dict[str, AgreementCounts]) -> dict[str, Any]:
    return {
        "method": f"{FOLDS}-fold cross-validation by isolate",
        "pooled": pooled_counts.to_json(),
        "by_organism": {organism: counts.to_json() for organism, counts in by_organism.items()},
    }


def _metrics(cells: Cells, fit: Fit) -> dict[str, float | int]:
    """Return the share and number of training labels that the cut points explain or contradict."""
    interval, position = np.divmod(cells.mic_code, DILUTIONS)
    exponent = position + float(MINIMUM_EXPONENT)
    level = (exponent[:, None] > fit.cut_points()[cells.key, interval]).sum(axis=1)
    right = level == cells.level
    return {
        "agreement_with_labels": float(cells.weight[right].sum() / cells.weight.sum()),
        "susceptible_called_resistant": int(cells.weight[(cells.level == 0) & (level == LEVELS - 1)].sum()),
        "resistant_called_susceptible": int(cells.weight[(cells.level == LEVELS - 1) & (level == 0)].sum()),
    }


def _ground(key: str, reference: TruthTable | None) -> Ground:
    """Return the ground of a key's answers: the guideline's statement, or the laboratory's labels if there is none."""
    organism, site = split_key(key)
    ground = reference.ground(organism, site or Site.OTHER) if reference is not None else None
    return ground if ground is not None and ground.kind is not GroundKind.NONE else Ground(GroundKind.LABORATORY)


def _labels(cells: Cells) -> dict[str, dict[str, str | int]]:
    """Return for each key and level name the number of results learnt from, with their lowest and highest MIC, mg/L."""
    counts = np.zeros((len(cells.keys), LEVELS), dtype=np.int64)
    np.add.at(counts, (cells.key, cells.level), cells.weight.astype(np.int64))
    position = cells.mic_code % DILUTIONS + MINIMUM_EXPONENT
    lowest = np.full(len(cells.keys), np.iinfo(np.int64).max)
    highest = np.full(len(cells.keys), np.iinfo(np.int64).min)
    np.minimum.at(lowest, cells.key, position)
    np.maximum.at(highest, cells.key, position)
    return {
        key: {
            **{str(name): int(count) for name, count in zip(cells.names[row], counts[row], strict=True) if count},
            "lowest": spell_dilution(int(lowest[row])),
            "highest": spell_dilution(int(highest[row])),
        }
        for row, key in enumerate(cells.keys)
    }
