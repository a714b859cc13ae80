"""A registry behind stage control, with networks that were really trained, and five people before it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np

from sirena.access.accounts import Accounts
from sirena.access.actions import Role
from sirena.access.store import open_store
from sirena.acts.entry_records import record_events
from sirena.acts.entry_upstream import RegistryUpstream
from sirena.certification.certificate import Subject, certify
from sirena.certification.certificate_file import to_json
from sirena.domain.category import Category
from sirena.domain.truth_table import TruthTable, answer_code
from sirena.guidelines.editions import Edition, load_edition
from sirena.guidelines.interpreter import compile_tables
from sirena.registry.connection import Registry
from sirena.registry.models import log_model_version
from sirena.registry.versions import ModelVersion, Stage, find_version
from sirena.settings.catalogue import Settings
from sirena.training.asking_apart import NetworkAsker
from sirena.training.evidence import ROW_TYPES, Evidence, LabelSource
from sirena.training.fitting import TrainedModel, train_models
from tests.access_client import Entry, running_entry
from tests.integration.registry.registry_models import ORGANISMS

API = "/api/2.0/mlflow"
AJAX = "/ajax-api/2.0/mlflow"
MODEL = "modelo_CAZ_NM"
PEOPLE = {
    "ana": {Role.SCIENTIST, Role.APPROVER},
    "berta": {Role.APPROVER},
    "carl": {Role.SCIENTIST},
    "dora": {Role.CLINICIAN},
    "otto": {Role.ADMIN},
}


@cache
def reference(edition: str = "CLSI 2025", drug: str = "CAZ") -> TruthTable:
    """Return what an edition says of an antimicrobial, ceftazidime unless told, and three organisms."""
    return compile_tables(load_edition(edition), [drug], organisms=ORGANISMS)[drug]


@cache
def wrong_reference() -> TruthTable:
    """Return the same, with every R called S."""
    cells = reference().cells.copy()
    cells[cells == answer_code(Category.R)] = answer_code(Category.S)
    return replace(reference(), cells=np.ascontiguousarray(cells))


@cache
def trained_on(right: bool, drug: str = "CAZ") -> TrainedModel:
    """Return a network trained, by Sirena's own training, to say what the table says."""
    table = reference(drug=drug) if right else wrong_reference()
    evidence = Evidence(ROW_TYPES.to_frame(), LabelSource.REFERENCE, reference={table.column: table})
    (model,) = train_models(evidence, drugs=[drug], seed=7)
    assert isinstance(model, TrainedModel)
    return model


def log_trained(
    registry: Registry,
    model: TrainedModel,
    *,
    author: str = "ana",
    edition: Edition | None = None,
    forge: Callable[[dict[str, Any]], dict[str, Any]] = lambda document: document,
    **changes: Any,
) -> ModelVersion:
    """Log and register a model, by way of loopback.

    Args:
        registry: where.
        model: what.
        author: who says so.
        edition: what it is certified against.
        forge: changes the certificate.
        changes: of the trained model, such as another table or report.
    """
    in_force = edition or load_edition("CLSI 2025")
    drug, changed = model.column.partition("_")[0], replace(model, **changes)
    certificate = certify(
        changed.table,
        compile_tables(in_force, [drug])[drug],
        edition=in_force.name,
        edition_digest=in_force.digest,
        subject=Subject(f"modelo_{drug}_NM", ""),
    )
    made = log_model_version(
        registry, changed, certificate=forge(to_json(certificate)), certificate_html=f"<h1>{drug}</h1>", author=author
    )
    return find_version(registry, str(made))


@dataclass
class House:
    """The entry, and the registry by way of loopback."""

    entry: Entry
    registry: Registry

    def send(self, who: str, method: str, route: str, body: Any, **options: Any) -> httpx.Response:
        """Send a request of MLflow's API as somebody."""
        headers = {"Authorization": self.entry.token(who)}
        return self.entry.client.request(method, route, json=body, headers=headers, **options)

    def alias(self, who: str, version: ModelVersion, alias: str = "production", **more: Any) -> httpx.Response:
        """Set an alias as somebody."""
        body = {"name": version.name, "alias": alias, "version": str(version.version), **more}
        return self.send(who, "POST", f"{API}/registered-models/alias", body)

    def transition(self, who: str, version: ModelVersion, stage: str, **more: Any) -> httpx.Response:
        """Set MLflow's stage field as somebody."""
        body = {"name": version.name, "version": str(version.version), "stage": stage, **more}
        body["archive_existing_versions"] = False
        return self.send(who, "POST", f"{AJAX}/model-versions/transition-stage", body)

    def tag(self, who: str, version: ModelVersion, key: str, value: str) -> int:
        """Set a tag as somebody; return the status."""
        body = {"name": version.name, "version": str(version.version), "key": key, "value": value}
        return self.send(who, "POST", f"{API}/model-versions/set-tag", body).status_code

    def create(self, who: str, source: str, name: str = MODEL, **more: Any) -> httpx.Response:
        """Register a version as somebody."""
        return self.send(who, "POST", f"{API}/model-versions/create", {"name": name, "source": source, **more})

    def stage(self, version: ModelVersion) -> Stage:
        """Return the stage that counts, now."""
        return find_version(self.registry, str(version)).stage


@contextmanager
def standing(
    registry: Registry,
    asker: NetworkAsker,
    home: Path,
    *,
    path: Path | None = None,
    to_upstream: Callable[[Settings, NetworkAsker], RegistryUpstream] = RegistryUpstream,
    **settings: Any,
) -> Iterator[House]:
    """Stand the access service before a real MLflow, with the accounts of `PEOPLE`; versions made are removed."""
    home.mkdir(parents=True, exist_ok=True)
    engine = open_store(f"sqlite:///{home / 'sirena.db'}")
    accounts = Accounts(engine)
    for name, roles in PEOPLE.items():
        accounts.add(name, frozenset(roles), None)
    own = Settings(home=home, tracking_uri=registry.uri, profile="production", **settings)
    upstream = to_upstream(own, asker)
    try:
        with running_entry(engine, upstream, path=path) as entry:
            entry.ledger = record_events(own)
            yield House(entry, registry)
    finally:
        upstream.close()
        for model in registry.models.search_registered_models():
            registry.models.delete_registered_model(model.name)
        engine.dispose()
