"""Activations recorded in the ledger, as a command makes them, with a gate that passes every member."""

from typing import Self, cast

from sirena.acts import releasing
from sirena.certification.gate import Verdict
from sirena.registry.activation import Activation
from sirena.registry.connection import Registry
from sirena.registry.judging import RegisteredJudge
from sirena.registry.releases import find_release
from sirena.registry.versions import ModelVersion, Stage
from tests.integration.registry.registry_models import verdict


class _Lenient:
    approver = "eva"

    def reading(self, _registry: Registry) -> Self:
        """Return this gate, which reads nothing."""
        return self

    def judge(self, _version: ModelVersion, _stage: Stage) -> Verdict:
        """Return a verdict that lets the member pass."""
        return verdict(True)


def activate_on_record(registry: Registry, release: str) -> Activation:
    """Make a release the active one, in MLflow and in the ledger that the registry's settings name."""
    return releasing.activate(registry, find_release(registry, release), cast("RegisteredJudge", _Lenient()))
