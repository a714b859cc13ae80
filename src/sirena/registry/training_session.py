"""A training session: from evidence to registered, certified versions, below one parent run.

Training keeps one core busy and registering waits for MLflow, so versions are certified and logged in the
background while the next network is trained. If it is killed at any point and repeated, it finds the versions logged
before by content digest and completes the rest.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from sirena.certification.certificate import Certificate, Subject, certify
from sirena.certification.certificate_file import to_json
from sirena.certification.page import render_page
from sirena.domain.test_column import parse_test_column
from sirena.guidelines.choice import ChosenEditions
from sirena.registry.connection import Registry
from sirena.registry.evidence import held_out_agreement
from sirena.registry.models import ModelVersionRef, log_model_version
from sirena.registry.plots import confusion_plot
from sirena.registry.reference import nothing_stated
from sirena.registry.runs import finish_run, start_parent_run
from sirena.training.evidence import Countable
from sirena.training.fitting import TrainedModel, Untrainable, train_models

_LOGGERS: Final = 2

Progress = Callable[[str, str, int], None]
"""Called with ``"trained"`` or ``"registered"``, the column and the number of columns in all."""


@dataclass(frozen=True)
class TrainingOutcome:
    """The result of the session for one antimicrobial."""

    column: str
    """Test column of the model, ``AMK_NM``."""
    version: ModelVersionRef | None
    """The registered version; None if there was no evidence to learn from."""
    certificate: Certificate | None
    label_source: str
    """Source of the labels that it learnt: ``file``, ``reference`` or ``both``."""
    note: str
    """Why the source of labels is not the requested one, or why there is no model; else empty."""


@dataclass(frozen=True)
class Plan:
    """What a session trains, and from what."""

    evidence: Countable
    editions: ChosenEditions
    """Editions by which the models are certified, each column by its own."""
    author: str
    drugs: tuple[str, ...] | None = None
    """Antimicrobial codes; None for all."""
    seed: int = 0
    search: int = 0
    """Number of Optuna trials per drug."""


def run_session(registry: Registry, plan: Plan, progress: Progress = lambda *_: None) -> list[TrainingOutcome]:
    """Train, certify, log and register models; return one outcome per antimicrobial, in order.

    Args:
        registry: registry for the versions.
        plan: what to train, and from what.
        progress: called after each step.

    Raises:
        RegistryUnavailableError: MLflow no longer answers; versions registered before are kept.
    """
    parent = start_parent_run(
        registry,
        f"train-{plan.evidence.label_source.value}",
        author=plan.author,
        tags={"sirena.edition": plan.editions.names_for(plan.evidence.reference)},
    )
    failed = True
    try:
        outcomes = _run(registry, plan, parent, progress)
        failed = False
    finally:
        # when MLflow itself has gone, its silence must not hide the error that says so
        _finish(registry, parent, failed)
    return outcomes


def _run(registry: Registry, plan: Plan, parent: str, progress: Progress) -> list[TrainingOutcome]:
    outcomes: list[TrainingOutcome | Future[TrainingOutcome]] = []
    total = 0

    def report_training(_done_count: int, drugs: int, column: str) -> None:
        nonlocal total
        total = drugs
        progress("trained", column, drugs)

    with ThreadPoolExecutor(_LOGGERS, thread_name_prefix="register") as pool:
        try:
            for model in train_models(
                plan.evidence, drugs=plan.drugs, seed=plan.seed, search=plan.search, progress=report_training
            ):
                if isinstance(model, Untrainable):
                    outcomes.append(TrainingOutcome(model.column, None, None, "", model.reason))
                    progress("registered", model.column, total)
                    continue
                future = pool.submit(_register, registry, plan, parent, model)
                column = model.column
                future.add_done_callback(lambda _future, column=column: progress("registered", column, total))  # type: ignore[misc]
                outcomes.append(future)
                _raise_first_failure(outcomes)
            return [entry.result() if isinstance(entry, Future) else entry for entry in outcomes]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _raise_first_failure(outcomes: Iterable[TrainingOutcome | Future[TrainingOutcome]]) -> None:
    for entry in outcomes:
        if isinstance(entry, Future) and entry.done():
            entry.result()


def _register(registry: Registry, plan: Plan, parent: str, model: TrainedModel) -> TrainingOutcome:
    test_column = parse_test_column(model.column)
    if test_column is None:
        raise ValueError(f"{model.column} is no test column")
    edition = plan.editions.of(model.column)
    certificate = certify(
        model.table,
        plan.evidence.reference.get(model.column) or nothing_stated(model.column),
        edition=edition.name if edition else "",
        edition_digest=edition.digest if edition else "",
        subject=Subject(test_column.model_name, "", str(model.report.get("data_sha256", ""))),
    )
    agreement, by_organism = held_out_agreement(model.report)
    version = log_model_version(
        registry,
        model,
        certificate=to_json(certificate),
        certificate_html=render_page(certificate, held_out=agreement, held_out_by_organism=by_organism),
        author=plan.author,
        parent_run_id=parent,
        plots=_plots(test_column.model_name, model.report),
        tags={"sirena.edition_digest": certificate.edition_digest},
    )
    return TrainingOutcome(
        model.column, version, certificate, str(model.report["label_source"]), str(model.report.get("note", ""))
    )


def _plots(name: str, report: Mapping[str, Any]) -> dict[str, bytes]:
    held_out = report.get("held_out")
    if not held_out:
        return {}
    return {"confusion.png": confusion_plot(f"{name}, held-out isolates", held_out["pooled"]["confusion"])}


def _finish(registry: Registry, parent: str, failed: bool) -> None:
    try:
        finish_run(registry, parent, failed=failed)
    except Exception:
        if not failed:
            raise
