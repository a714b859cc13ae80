"""MLflow and the gate as stage control needs them: the access package itself knows neither."""

from functools import cached_property
from typing import TYPE_CHECKING

from sirena.access.stage_rules import VersionState

if TYPE_CHECKING:
    from sirena.operations.settings import Settings
    from sirena.registry.connection import Registry


class RegistryUpstream:
    """The MLflow of the settings, held to the gate of `sirena promote` and `sirena release activate`."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self.base_url = settings.effective_tracking_uri.rstrip("/")

    def state(self, model: str, version: str) -> VersionState | None:
        """Return what the registry holds of a version, None if there is none."""
        from sirena.domain.errors import UsageError
        from sirena.registry.versions import Stage, find_version

        try:
            found = find_version(self._registry, f"{model}/{version}")
        except UsageError:
            return None
        held = {stage.value for stage in (Stage.STAGING, Stage.PRODUCTION) if stage.alias in found.aliases}
        if found.stage_field in (Stage.STAGING.value, Stage.PRODUCTION.value):
            held.add(found.stage_field)
        return VersionState(str(found.version), frozenset(held), dict(found.tags))

    def judge(self, model: str, version: str, stage: str, approver: str) -> None:
        """Hold a version, or every member of a release, against the criteria of a stage.

        A release that was active once is judged no more: rolling back must not wait for a gate.

        Raises:
            GateError: the gate refuses.
            UsageError: the version does not exist or holds no certificate.
        """
        from sirena.cli.gatekeeping import judge_for
        from sirena.registry.activation import served_periods
        from sirena.registry.releases import RELEASE_MODEL, find_release, release_members
        from sirena.registry.versions import Stage, find_version

        judge = judge_for(self._registry, None, approver=approver)
        if model != RELEASE_MODEL:
            judge.judge(find_version(self._registry, f"{model}/{version}"), Stage.named(stage)).require()
            return
        if Stage.named(stage) is not Stage.PRODUCTION:
            return
        release = find_release(self._registry, version)
        if any(period.release == release.version for period in served_periods(self._registry)):
            return
        for member in release_members(self._registry, release):
            judge.judge_member(member).require()

    @cached_property
    def _registry(self) -> "Registry":
        from sirena.registry.connection import connect

        return connect(self._settings)
