"""The interface by which the access service uses MLflow and the gate; `acts.entry_upstream` implements it."""

import ssl
from collections.abc import Iterable
from typing import Final, Protocol

import httpx

from sirena.access.events import ActOrigin, StageEvent
from sirena.access.ruling import Ruling
from sirena.access.tag_rules import VersionState
from sirena.domain.errors import SirenaError

KEPT_CONNECTIONS: Final = httpx.Limits(max_keepalive_connections=20, keepalive_expiry=3.0)
"""Idle connections to MLflow are kept for three seconds: MLflow ends them after five, and a request sent at that moment
would fail.
"""


class UpstreamError(SirenaError):
    """MLflow does not answer, or did not do what was requested."""

    code = "upstream"
    status = 502


class Upstream(Protocol):
    """MLflow and the gate, as far as stage control needs them. The methods may block."""

    base_url: str
    """Address of MLflow, on loopback."""
    verify: ssl.SSLContext | bool
    """How MLflow's TLS certificate is verified, with the client certificate for MLflow if there is one."""
    release_model: str
    """Registered model whose versions are releases."""

    def state(self, model: str, version: str) -> VersionState | None:
        """Return what the registry holds of a version; None if there is no such version."""

    def in_production(self, model: str) -> VersionState | None:
        """Return the version of a model that is in production, by alias or stage; None if there is none."""

    def event_of(self, model: str, version: str, stage: str, by: ActOrigin) -> StageEvent:
        """Return the ledger event for giving a version a stage, before anything is judged."""

    def judge(self, model: str, version: str, stage: str, by: ActOrigin, override: str) -> Ruling:
        """Check the files of a version, judge it by the criteria of a stage, and return the ruling.

        Args:
            model: registered model.
            version: number of the version.
            stage: the stage that the version is to get.
            by: who decides.
            override: reason for overriding the gate; empty for none.

        Raises:
            GateError: the gate refuses and is not overridden, or the version is not what its records say.
        """

    def leave(self, model: str, version: str, stage: str, by: ActOrigin) -> Ruling | None:
        """Return the ruling by which a version loses its stage, without asking the gate; None if recorded already.

        Args:
            model: registered model.
            version: number of the version; empty for the version with the alias of ``stage``, which is deleted.
            stage: ``None`` or ``Archived``; or the stage whose alias is deleted.
            by: who decides.
        """

    def shadow(self, version: str | None, by: ActOrigin) -> Ruling:
        """Return the ruling that makes a release the shadow, whose answers nobody sees; for None, that ends the shadow.

        Raises:
            SirenaError: there is no such release, it is the active release, or its file was changed since the release
                was made.
        """

    def makers(self, source: str, run: str) -> tuple[str, ...]:
        """Return the accounts that MLflow names as makers of the version that is about to be registered."""

    def files(self, model: str, version: str) -> tuple[str, ...]:
        """Return every file of a version, each as the text ``SHA-256 path``; empty if the files cannot be read now."""

    def registered(self, identifiers: Iterable[str]) -> bool:
        """Tell whether a registered version comes from one of these runs or logged models."""

    def holds_registered(self, experiment: str) -> bool:
        """Tell whether a registered version comes from a run of an experiment."""

    def forget_registered(self) -> None:
        """Forget which versions are registered; the next query reads that anew."""

    def holds_artifact(self, path: str) -> bool:
        """Tell whether a file lies at a path of MLflow's artifacts."""

    def make_release(self, note: str, by: ActOrigin) -> int:
        """Make a release of the versions in production, record that in the ledger, and return the release's number.

        Args:
            note: one line for people to read.
            by: who makes the release.

        Raises:
            SirenaError: no version is in production, a table was changed since it was logged, or MLflow does not
                answer.
        """
