"""MLflow and the gate for stage control: implements `access.upstream.Upstream`."""

import ssl
from collections.abc import Iterable
from functools import cached_property

import httpx

from sirena.access.events import ActOrigin, StageEvent
from sirena.access.ruling import Ruling
from sirena.access.tag_rules import VersionState
from sirena.access.upstream import KEPT_CONNECTIONS, UpstreamError
from sirena.acts.gatekeeping import judge_for
from sirena.acts.noted_files import NotedFiles
from sirena.acts.promoting import judge_version, leave
from sirena.acts.releasing import create_release, is_rollback, judge_release
from sirena.acts.shadowing import judge_shadow
from sirena.domain.errors import SirenaError, UsageError
from sirena.ledger.catalogue import Activated, Promoted, RolledBack
from sirena.ledger.judgements import Judgements
from sirena.ledger.store import Ledger, open_ledger
from sirena.ledger.trusted_reading import TrustedReading
from sirena.registry.connection import Registry, connect
from sirena.registry.makers import makers_of
from sirena.registry.model_files import files_of
from sirena.registry.proof import Prover
from sirena.registry.registered_artifacts import RegisteredArtifacts, experiment_holds_registered
from sirena.registry.releases import RELEASE_MODEL, members_at
from sirena.registry.versions import Stage, find_version, number_in_production
from sirena.settings.catalogue import Settings
from sirena.training.asking_apart import NetworkAsker

_SECONDS = 20.0


class RegistryUpstream:
    """The MLflow of the settings, with the gate of `sirena promote` and `sirena release activate`."""

    release_model = RELEASE_MODEL

    def __init__(self, settings: Settings, asker: NetworkAsker) -> None:
        """Take the settings, which name MLflow, overlay and gate, and the asker of networks; the caller closes both."""
        self._settings = settings
        self._asker = asker
        self.base_url = settings.effective_tracking_uri.rstrip("/")
        self.verify = _verification(self.base_url)

    def state(self, model: str, version: str) -> VersionState | None:
        """Return what the registry holds of a version; None if there is no such version."""
        try:
            model_version = find_version(self._registry, f"{model}/{version}")
        except UsageError:
            return None
        stages = {stage.value for stage in (Stage.STAGING, Stage.PRODUCTION) if stage.alias in model_version.aliases}
        if model == RELEASE_MODEL:
            # the alias of a release may have been moved by whoever reached MLflow itself; then the gate is asked
            active = self._judgements().active
            is_active = active is not None and active.release == str(model_version)
            stages = (stages | {Stage.PRODUCTION.value}) if is_active else stages - {Stage.PRODUCTION.value}
        return VersionState(
            str(model_version.version), frozenset(stages), model_version.stage_field, dict(model_version.tags)
        )

    def in_production(self, model: str) -> VersionState | None:
        """Return the version of a model that is in production, by alias or by stage field; None if there is none."""
        number = number_in_production(self._registry, model)
        if number is None:
            return None
        return VersionState(str(number), frozenset({Stage.PRODUCTION.value}), Stage.PRODUCTION.value, {})

    def event_of(self, model: str, version: str, stage: str, by: ActOrigin) -> StageEvent:
        """Return the event of giving a version a stage: for a release in production an activation or a rollback."""
        if model != RELEASE_MODEL or Stage.named(stage) is not Stage.PRODUCTION:
            return Promoted(**by, model=model, version=int(version), stage=stage)
        kind = RolledBack if is_rollback(self._judgements(), version) else Activated
        return kind(**by, release=f"{RELEASE_MODEL}/{int(version)}")

    def judge(self, model: str, version: str, stage: str, by: ActOrigin, override: str) -> Ruling:
        """Check the files of a version (of a release: of every member), judge it for a stage, and return the ruling.

        For a rollback the gate is not asked: the release passed it when it was activated, and whoever rolls back is in
        a hurry.

        Raises:
            GateError: the gate refuses.
            ProofError: the registered files do not prove what their records say.
            UsageError: there is no such version, or it has no certificate.
        """
        registry = self._registry.reading_once()
        judge = judge_for(registry, None, approver=by["who"], prover=self._prover)
        noted_files = NotedFiles(registry, self._ledger)
        event = self.event_of(model, version, stage, by)
        if not isinstance(event, Promoted):
            return judge_release(judge, self._judgements(), noted_files, version, override, by)
        if model == RELEASE_MODEL:
            return Ruling(event)
        return judge_version(judge, noted_files, f"{model}/{version}", Stage.named(stage), override, by)

    def leave(self, model: str, version: str, stage: str, by: ActOrigin) -> Ruling | None:
        """Return the ruling that a version loses its stage; None if that is recorded already."""
        return leave(self._registry, model, version, stage, by)

    def shadow(self, version: str | None, by: ActOrigin) -> Ruling:
        """Return the ruling that names the shadow release, whose answers nobody sees."""
        return judge_shadow(self._registry, self._judgements(), NotedFiles(self._registry, self._ledger), version, by)

    def make_release(self, note: str, by: ActOrigin) -> int:
        """Make a release of the versions in production, record that in the ledger, and return the release's number."""
        members = members_at(self._registry, "production")
        release = create_release(self._registry, members, author=by["who"], note=note, by=by)
        self.forget_registered()
        return release.version

    def makers(self, source: str, run: str) -> tuple[str, ...]:
        """Return who made a model version's source: its run's user, its files' writers, the authors of what it copies.

        Raises:
            LedgerError: the ledger, which holds the writers, does not answer.
        """

        def writers(identifier: str) -> set[str]:
            return {entry.who for entry in self._ledger.read(events=("uploaded",), act=identifier)}

        return makers_of(self._registry, source, run, writers)

    def files(self, model: str, version: str) -> tuple[str, ...]:
        """Return every file of a version, as ``SHA-256 path``; empty when they cannot be read now."""
        try:
            return files_of(self._registry, find_version(self._registry, f"{model}/{version}"))
        except SirenaError:
            # registered it is; what cannot be read now is noted when it is judged
            return ()

    def registered(self, identifiers: Iterable[str]) -> bool:
        """Tell whether a registered version comes from one of these runs or logged models."""
        return self._registered.hold(identifiers)

    def holds_registered(self, experiment: str) -> bool:
        """Tell whether a registered version comes from a run of an experiment."""
        return experiment_holds_registered(self._registry, experiment)

    def forget_registered(self) -> None:
        """Forget which versions are registered; the next question reads that anew."""
        self._registered.forget()

    def holds_artifact(self, path: str) -> bool:
        """Tell whether a file lies at a path of MLflow's artifacts.

        Raises:
            UpstreamError: MLflow does not answer.
        """
        folder, _, name = path.rpartition("/")
        try:
            answer = self._client.get("/api/2.0/mlflow-artifacts/artifacts", params={"path": folder})
            files = answer.raise_for_status().json().get("files", [])
        except (httpx.HTTPError, ValueError) as error:
            raise UpstreamError("MLflow does not answer", hint="try again; `sirena status` tells its state") from error
        return any(str(file.get("path", "")).rpartition("/")[2] == name for file in files)

    def close(self) -> None:
        """Close the connections to MLflow."""
        self._client.close()

    @cached_property
    def _client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.base_url, timeout=_SECONDS, limits=KEPT_CONNECTIONS, trust_env=False, verify=self.verify
        )

    @cached_property
    def _registry(self) -> Registry:

        return connect(self._settings)

    def _judgements(self) -> Judgements:
        return self._reading.read()

    @cached_property
    def _reading(self) -> TrustedReading:

        return TrustedReading(self._ledger)

    @cached_property
    def _ledger(self) -> Ledger:

        return open_ledger(self._settings)

    @cached_property
    def _registered(self) -> RegisteredArtifacts:

        return RegisteredArtifacts(self._registry)

    @cached_property
    def _prover(self) -> Prover:

        return Prover(self._registry, self._asker.ask, self._settings.home / "proofs")


def _verification(url: str) -> ssl.SSLContext | bool:
    """Return how MLflow's TLS certificate is verified, with the client certificate to send, as MLflow's client does."""
    from mlflow.environment_variables import MLFLOW_TRACKING_CLIENT_CERT_PATH, MLFLOW_TRACKING_SERVER_CERT_PATH

    if not url.startswith("https"):
        return True
    context = ssl.create_default_context(cafile=MLFLOW_TRACKING_SERVER_CERT_PATH.get())
    if certificate := MLFLOW_TRACKING_CLIENT_CERT_PATH.get():
        context.load_cert_chain(certificate)
    return context
