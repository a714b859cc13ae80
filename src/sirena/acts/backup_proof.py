"""What a restore drill proves about a restored backup: its release answers as recorded, and its ledger is intact."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from sirena.domain.errors import SirenaError
from sirena.domain.truth_table import ANSWERS
from sirena.ledger.head import Head
from sirena.ledger.store import open_ledger
from sirena.ledger.verification import verify
from sirena.panel.compiled import Panel
from sirena.registry.connection import connect
from sirena.registry.panel_cache import load_release
from sirena.registry.releases import find_release, list_releases
from sirena.registry.versions import find_version, load_table
from sirena.server.backup.answers import COLUMNS, RecordedAnswers, fixed_isolates, spelt
from sirena.server.backup.drilling import RestoredCopy
from sirena.server.backup.errors import DrillError
from sirena.settings.catalogue import Settings

_NAMED = 5


def prove(copy: RestoredCopy) -> Sequence[str]:
    """Check answers and ledger of a restored copy; return one sentence for each check that it passed.

    Raises:
        DrillError: the copy's answers differ from those recorded, a model cannot be loaded, or the ledger is not
            intact.
    """
    return [*_prove_release(copy), _prove_ledger(copy)]


def _prove_release(copy: RestoredCopy) -> list[str]:
    release = _load(copy)
    if release is None and copy.answers is None:
        return ["no release was active yet, so there are no answers to compare"]
    if release is None:
        raise DrillError("the service answered as the backup was made, and the backup has no active release")
    if copy.answers is None:
        raise DrillError(
            f"{release.active} was restored and can be loaded, but there are no answers to compare with: the service "
            "did not answer when the backup was made",
            hint="start the service (`sirena status`), back up anew, then drill",
        )
    return [
        f"production release {release.active} loads, {release.models} models with it",
        _compare(release.panel, copy.answers),
    ]


@dataclass(frozen=True)
class _LoadedRelease:
    active: str
    """Name of the restored production release."""
    models: int
    panel: Panel
    """Panel of the release whose answers were recorded."""


def _load(copy: RestoredCopy) -> _LoadedRelease | None:

    settings = Settings(home=copy.home, profile="embedded", tracking_uri=_psycopg2(copy.mlflow_url))
    try:
        registry = connect(settings)
        if not any(release.active for release in list_releases(registry)):
            return None
        active = find_release(registry, "active")
        for reference in active.members.values():
            load_table(registry, find_version(registry, reference))
        restored = load_release("active", registry=registry, settings=settings)
        # if another was activated while the backup was made, the one that answered is in it all the same
        answering_name = copy.answers.release if copy.answers else restored.name
        if answering_name != restored.name:
            return _LoadedRelease(
                restored.name, len(active.members), load_release(answering_name, registry=registry).panel
            )
        return _LoadedRelease(restored.name, len(active.members), restored.panel)
    except SirenaError as error:
        raise DrillError(
            f"the restored production release cannot be loaded: {error.text}", hint="take an older backup with --at"
        ) from error


def _compare(panel: Panel, recorded_answers: RecordedAnswers) -> str:
    isolates = fixed_isolates()
    organisms = [organism for organism, _ in isolates]
    mics = [mic for _, mic in isolates]
    different = []
    categories = 0
    for column in COLUMNS:
        texts = []
        for code in panel.answer_column(column, organisms, mics):
            answer = ANSWERS[code]
            assert answer is not None
            texts.append(spelt(answer.category.value, answer.reason.value if answer.reason else ""))
        if texts != list(recorded_answers.columns.get(column, ())):
            different.append(column)
        categories += sum(not text.startswith("NI") for text in texts)
    if different:
        more = f" and {len(different) - _NAMED} more" if len(different) > _NAMED else ""
        raise DrillError(
            f"{recorded_answers.release} restored answers otherwise than it did: {', '.join(different[:_NAMED])}{more}",
            hint="do not restore this backup; take an older one with --at, and compare",
        )
    if not categories and panel.tables:
        raise DrillError("the fixed isolates got no category from any model, so nothing was compared")
    return (
        f"{len(isolates) * len(COLUMNS):,} answers as recorded of {recorded_answers.release}, "
        f"{categories:,} of them categories"
    )


def _prove_ledger(copy: RestoredCopy) -> str:
    end = copy.manifest.ledger_end
    ledger = open_ledger(Settings(home=copy.home / "ledger_proof", database_url=SecretStr(copy.sirena_url)))
    try:
        verification = verify(ledger, expected_head=Head(end.entries, end.hash) if end else None)
    finally:
        ledger.close()
    if verification.finding is not None:
        raise DrillError(
            f"the restored audit ledger is not what was written: {verification.finding.text}",
            hint="compare with `sirena audit verify` here, and with an older backup (--at)",
        )
    return f"the audit ledger's {verification.entries:,} entries are intact"


def _psycopg2(url: str) -> str:
    """Return a database URL with psycopg2, the driver that MLflow needs; SQLAlchemy's own choice is psycopg 3."""
    return url.replace("postgresql://", "postgresql+psycopg2://", 1)
