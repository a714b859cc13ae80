"""What the access service asks of MLflow and the gate, which it does not know itself."""

import ssl
from collections.abc import Iterable
from typing import Final, Protocol

import httpx

from sirena.access.events import ActOrigin, StageEvent
from sirena.access.ruling import Ruling
from sirena.access.tag_rules import VersionState
from sirena.domain.errors import SirenaError

KEPT_CONNECTIONS: Final = httpx.Limits(max_keepalive_connections=20, keepalive_expiry=3.0)
"""Idle connections to MLflow are kept for three seconds; it ends them after five, and a request that meets it would
fail."""


class UpstreamError(SirenaError):
    """MLflow does not answer."""

    code = "upstream"
    status = 502


class Upstream(Protocol):
    """MLflow and the gate, as far as stage control needs them. The methods may block."""

    base_url: str
    """Where MLflow listens, on loopback."""
    verify: ssl.SSLContext | bool
    """By what MLflow is known, and what is shown to it."""
    release_model: str
    """Registered model whose versions are releases."""

    def state(self, model: str, version: str) -> VersionState | None:
        """Return what the registry holds of a version, None if there is none."""

    def in_production(self, model: str) -> VersionState | None:
        """Return the version of a model that is in production, by alias or stage; None if there is none."""

    def event_of(self, model: str, version: str, stage: str, by: ActOrigin) -> StageEvent:
        """Return the event of giving a stage, before anything is judged."""

    def judge(self, model: str, version: str, stage: str, by: ActOrigin, override: str) -> Ruling:
        """Prove a version and hold it against the criteria of a stage.

        Args:
            model: registered model.
            version: its number.
            stage: the stage it shall have.
            by: who decides.
            override: reason to give it although the gate refuses; empty for none.

        Raises:
            GateError: the gate refuses and is not overridden, or the version is not what is said of it.
        """

    def leave(self, model: str, version: str, stage: str, by: ActOrigin) -> Ruling | None:
        """Say how to record that a version is given a stage that asks no gate; None when it is on record already.

        Args:
            model: registered model.
            version: its number; empty for whichever has the alias of ``stage``, which is taken away.
            stage: ``None`` or ``Archived``; or the stage whose alias is taken away.
            by: who decides.
        """

    def shadow(self, version: str | None, by: ActOrigin) -> Ruling:
        """Say how to record that a release shall answer unseen; None for none.

        Raises:
            SirenaError: there is no such release, it is the active one, or its file is not what it was made of.
        """

    def makers(self, source: str, run: str) -> tuple[str, ...]:
        """Return the accounts that MLflow names as makers of what is about to be registered."""

    def files(self, model: str, version: str) -> tuple[str, ...]:
        """Return every file of a version with its digest; empty when they cannot be read now."""

    def registered(self, identifiers: Iterable[str]) -> bool:
        """Tell whether a registered version lies in one of these runs or logged models."""

    def holds_registered(self, experiment: str) -> bool:
        """Tell whether a registered version comes from a run of an experiment."""

    def forget_registered(self) -> None:
        """Forget what is known of registered versions; the next question reads it anew."""

    def holds_artifact(self, path: str) -> bool:
        """Tell whether a file lies at a path of MLflow's artifacts."""

    def make_release(self, note: str, by: ActOrigin) -> int:
        """Make a release of what is in production, on record; return its number.

        Args:
            note: one line for people.
            by: who makes it.

        Raises:
            SirenaError: nothing is in production, a table is not what was logged, or MLflow does not answer.
        """
