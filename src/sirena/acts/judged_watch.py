"""Comparing, again and again, what MLflow holds of the active release with what the ledger records as judged.

Rules, each with a test of like name:

- the ledger decides which release answers; MLflow's alias only tells whether an unfinished activation or rollback took
effect; - every comparison covers MLflow's alias, database row and artifact with the judgement in the ledger; a
difference is a discrepancy; - the first comparison of a release also covers all its files and those of its members; see
`JudgedFiles`; - a discrepancy is recorded in the ledger once, as an alarm, and again if it comes back.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from sirena.acts.judged_files import JudgedFiles
from sirena.acts.recording import actor
from sirena.domain.errors import SirenaError
from sirena.ledger.catalogue import Alarm
from sirena.ledger.errors import LedgerError, LedgerTamperedError
from sirena.ledger.store import Ledger
from sirena.ledger.trusted_reading import TrustedReading
from sirena.registry.connection import Registry, connect
from sirena.registry.judged_releases import Discrepancy, ReleaseJudgement, Store, look_at, look_for_unjudged
from sirena.settings.catalogue import Settings

_STOP_SECONDS: Final = 1.0


@dataclass
class Findings:
    """The result of one comparison of MLflow with the ledger."""

    judgement: ReleaseJudgement | None = None
    """The release that may answer; None if the ledger records no release, or cannot be read and none is known."""
    is_read: bool = False
    """True when the ledger could be read."""
    shadow: ReleaseJudgement | None = None
    """The shadow, which answers unseen; None if the ledger records no shadow, or cannot be read."""
    content: bytes | None = None
    """Content of the release's file; None unless the artifact store holds it as it was judged."""
    discrepancies: list[Discrepancy] = field(default_factory=list)
    failures: list[SirenaError] = field(default_factory=list)
    """Errors because of which ledger or MLflow could not be read."""


class JudgedWatch:
    """Repeated comparison of MLflow with the ledger; the ledger gets an entry for each difference."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        """Create the watch; nothing is compared yet."""
        self._settings = settings
        self._ledger = ledger
        self._reading = TrustedReading(ledger)
        self._files = JudgedFiles(ledger)
        self._registry: Registry | None = None
        self._on_record: frozenset[Discrepancy] = frozenset()
        self._ledger_is_read = False
        self._stop_event = threading.Event()

    def look(self, last_judgement: ReleaseJudgement | None = None) -> Findings:
        """Compare the release that MLflow names with the ledger, once.

        Args:
            last_judgement: the release judged last, returned while the ledger is damaged or does not answer.
        """
        findings = self._look(last_judgement)
        # a switch may have been announced, and made, between the reading of the ledger and the look at MLflow
        return self._look(last_judgement) if findings.discrepancies else findings

    def has_news(self) -> bool:
        """Tell whether a decision was added to the ledger since the last comparison; False while it cannot be read."""
        if not self._ledger_is_read:
            return False
        with suppress(Exception):  # whatever a database's client raises, the next look tells it
            return self._reading.has_more()
        return False

    def record(self, findings: Findings) -> None:
        """Record as alarms the discrepancies that are not recorded yet."""
        new = [discrepancy for discrepancy in findings.discrepancies if discrepancy not in self._on_record]
        self._on_record = self._on_record.intersection(findings.discrepancies)
        facts = actor(self._settings) | {"who": "", "release": findings.judgement.release if findings.judgement else ""}
        with suppress(LedgerError):  # away, damaged, or only to be read: the alarm stands, and this is tried again
            self._ledger.append(
                *(Alarm(**facts, store=discrepancy.store.value, finding=discrepancy.text) for discrepancy in new)
            )
            self._on_record = self._on_record.union(new)

    def run(self) -> None:
        """Compare and record every `SIRENA_POLL_SECONDS`, until `stop` is called; to be run in a separate thread."""
        while not self._stop_event.wait(self._settings.poll_seconds):
            # whatever a client raises, the next look is another
            with suppress(Exception):
                self.record(self.look())

    def stop(self) -> None:
        """Make `run` return."""
        self._stop_event.set()

    def _look(self, last_judgement: ReleaseJudgement | None) -> Findings:
        findings = Findings()
        findings.judgement, others = self._judgements(last_judgement, findings)
        self._ledger_is_read = findings.is_read
        try:
            registry = self._connection()
            if findings.judgement is not None:
                look = look_at(registry, findings.judgement, others)
                findings.judgement, findings.content = look.judgement, look.content
                findings.discrepancies += look.discrepancies
                if findings.is_read and look.judgement is not None and look.content is not None:
                    findings.discrepancies += self._files.look(registry, look.judgement, look.content)
            elif findings.is_read:
                findings.discrepancies += look_for_unjudged(registry)
        except SirenaError as error:
            self._registry = None
            findings.failures.append(error)
        return findings

    def _judgements(
        self, last_judgement: ReleaseJudgement | None, findings: Findings
    ) -> tuple[ReleaseJudgement | None, Sequence[ReleaseJudgement]]:
        try:
            judgements = self._reading.read()
        except LedgerTamperedError as error:
            findings.discrepancies.append(Discrepancy(Store.LEDGER, error.text))
        except LedgerError as error:
            findings.failures.append(error)
        else:
            findings.is_read, findings.shadow = True, judgements.shadow
            return judgements.active, judgements.under_way
        return last_judgement, ()

    def _connection(self) -> Registry:
        if self._registry is None:
            self._registry = connect(self._settings)
        return self._registry


class WatchThread:
    """Background thread that runs a `JudgedWatch` during a ``with`` block."""

    def __init__(self, watch: JudgedWatch) -> None:
        """Create the thread; it starts with the block."""
        self._watch = watch
        self._thread = threading.Thread(target=watch.run, name="sirena-judged", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._watch.stop()
        self._thread.join(_STOP_SECONDS)
