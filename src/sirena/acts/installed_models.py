"""Models and releases of an installation for Sirena's pages: reading them, and deciding on one's own machine."""

from functools import cached_property

from sirena.acts.gatekeeping import judge_for
from sirena.acts.judged import AnsweringPeriod, read_answering
from sirena.acts.models_look import ModelGlance, ModelsLook, RulesNow
from sirena.acts.promoting import promote
from sirena.acts.release_approvals import ReleaseApprovals
from sirena.acts.releases_look import (
    RefusedMember,
    ReleaseGlance,
    ReleaseLook,
    judge_members,
    look_at_release,
    look_at_releases,
)
from sirena.acts.releasing import activate, create_release, roll_back
from sirena.acts.version_look import (
    VersionLook,
    ask_gate,
    compare_versions,
    decisions_of,
    former_of,
    read_certificate,
)
from sirena.certification.certificate import Certificate
from sirena.domain.errors import UsageError
from sirena.registry.connection import Registry, connect
from sirena.registry.releases import RELEASE_MODEL, find_release, members_at
from sirena.registry.versions import Stage, find_version, list_versions
from sirena.settings.catalogue import Settings


class InstalledModels:
    """Models and releases of the installation, and decisions on them; safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        """Create the view; MLflow is not connected yet.

        Args:
            settings: settings that name MLflow, ledger, gate and rules.
        """
        self._settings = settings
        self._look = ModelsLook()
        self._approvals = ReleaseApprovals(settings)

    @property
    def is_empty(self) -> bool:
        """True when this machine has no registry yet; reading must not create one."""
        database = self._settings.home / "mlflow.db"
        return self._settings.effective_tracking_uri == f"sqlite:///{database}" and not database.exists()

    def models(self) -> list[ModelGlance]:
        """Return all models, in the order of their names.

        Raises:
            SirenaError: MLflow does not answer.
        """
        return [] if self.is_empty else self._look.models(self._registry, self._rules())

    def version(self, name: str, number: int, stage: Stage, approver: str = "", against: int = 0) -> VersionLook:
        """Return a model version with all that a person needs who is to approve it for a stage.

        Args:
            name: name of the model.
            number: number of the version.
            stage: the stage by whose criteria the version is judged.
            approver: account that would decide; empty means the account of this process.
            against: number of the version to compare with; 0 means the version in production, else the one before.

        Raises:
            UsageError: there is no such version.
        """
        registry = self._registry_with_models()
        version = find_version(registry, f"{name}/{number}")
        siblings = list_versions(registry, name)[::-1]
        former = find_version(registry, f"{name}/{against}") if against else former_of(version, siblings)
        rules = self._rules()
        comparison = None
        if former is not None:
            comparison = compare_versions(registry, version, self._look.version(registry, former, rules))
        glance = self._look.version(registry, version, rules)
        judgement = ask_gate(lambda: judge_for(registry, None, approver=approver), version, stage)
        return VersionLook(glance, judgement, comparison, decisions_of(version), siblings)

    def certificate(self, name: str, number: int) -> Certificate | None:
        """Return the valid certificate of a model version; None if the version has no certificate.

        Raises:
            SirenaError: there is no such version, or its certificate cannot be read.
        """
        registry = self._registry_with_models()
        return read_certificate(registry, find_version(registry, f"{name}/{number}"))

    def releases(self) -> list[ReleaseGlance]:
        """Return all releases, newest first.

        Raises:
            SirenaError: MLflow does not answer, or the ledger is not as it was written.
        """
        return [] if self.is_empty else look_at_releases(self._registry)

    def release(self, number: int, against: str = "") -> ReleaseLook:
        """Return one release, compared with another (see `look_at_release`)."""
        return look_at_release(self._registry_with_models(), str(number), against)

    def approval(self, release: str) -> AnsweringPeriod | None:
        """Return who last activated this release, and when it began to answer; None if nobody activated it.

        Args:
            release: ``panel_SIR/3``.
        """
        return self._approvals.of(release)

    def refused_members(self, number: int, approver: str = "") -> list[RefusedMember]:
        """Return the members of a release that the gate would refuse now.

        Raises:
            SirenaError: there is no such release, or its file cannot be read.
        """
        registry = self._registry_with_models()
        return judge_members(judge_for(registry, None, approver=approver), find_release(registry, str(number)))

    def decide(self, name: str, number: int, stage: Stage, override: str = "") -> None:
        """Give a version a stage as the commands do, in the name of the user who runs this, and record it.

        For a release, Production means to activate it, or to roll back if the active release replaced it.

        Args:
            name: name of the model, or ``panel_SIR``.
            number: number of the version or release.
            stage: the stage it is to get; for a release only Production.
            override: reason for overriding the gate; empty for none.

        Raises:
            GateError: the gate refuses.
            UsageError: there is no such version, or a release is to get another stage than Production.
        """
        registry = self._registry_with_models()
        if name != RELEASE_MODEL:
            promote(judge_for(registry, None), find_version(registry, f"{name}/{number}"), stage, override)
            return
        release = find_release(registry, str(number))
        if stage is not Stage.PRODUCTION:
            raise UsageError(f"{release.name} is a release, which is activated or rolled back to")
        if read_answering(registry).rollback == release.name:
            roll_back(registry)
        else:
            activate(registry, release, judge_for(registry, None), override)

    def make_release(self, note: str = "") -> int:
        """Make a release of the versions in production, record that in the ledger, and return the release's number.

        Raises:
            UsageError: no version is in production.
        """
        registry = self._registry_with_models()
        author = registry.settings.effective_user
        return create_release(registry, members_at(registry, "production"), author=author, note=note).version

    @cached_property
    def _registry(self) -> Registry:
        return connect(self._settings)

    def _registry_with_models(self) -> Registry:
        if self.is_empty:
            raise UsageError("there is no model on this machine yet", hint="train some first: `sirena train FILE`")
        return self._registry

    def _rules(self) -> RulesNow:
        return RulesNow(self._registry.settings)
