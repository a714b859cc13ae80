"""Loading the release that answers a file of isolates.

The ledger holds the digest of the active release's file. If the ledger on this machine is intact and holds neither an
unfinished activation or rollback nor an alarm since, a copy on this machine with that digest is the release, and
MLflow, whose client takes seconds to import, is not asked. In every other case MLflow is asked.
"""

import json
from contextlib import closing
from dataclasses import dataclass

from sirena.domain.errors import SirenaError
from sirena.host.kept_panels import read_kept_panel
from sirena.ledger.store import open_ledger
from sirena.ledger.trusted_reading import TrustedReading
from sirena.panel.compiled import ACTIVE, Panel
from sirena.settings.catalogue import Settings, load_settings


@dataclass(frozen=True)
class AnsweringRelease:
    """A release, compiled for answering a file of isolates."""

    panel: Panel
    from_cache_only: bool
    """True when MLflow did not answer and the copy on this machine is used."""
    alarms: tuple[str, ...] = ()
    """Differences found between what is stored and what was judged."""

    @property
    def name(self) -> str:
        """Registered name and version, ``panel_SIR/3``."""
        return self.panel.release


def load_for_answers(release: str) -> AnsweringRelease:
    """Load a release for answering a file: the active one as it was judged, another as MLflow holds it.

    Raises:
        SirenaError: there is no such release, or no stored copy of the active one is as it was judged.
    """
    settings = load_settings()
    # another MLflow that somebody names may stand behind an entry, whose ledger is not here
    is_ours = release.strip().lower() == ACTIVE and not settings.tracking_uri
    kept_release = _kept_release(settings) if is_ours else None
    if kept_release is not None:
        return kept_release
    from sirena.acts.judged_panel import look_for_release

    return look_for_release(settings, release)


def _kept_release(settings: Settings) -> AnsweringRelease | None:
    """Return the active release from the copy on this machine; None if MLflow must be asked."""
    try:
        with closing(open_ledger(settings)) as ledger:
            judgements = TrustedReading(ledger).read()
            active = judgements.active
            if active is None or judgements.under_way:
                return None
            since = judgements.periods[-1].judgement.entry  # since it first answered: activating it again ends no alarm
            if any(entry.seq > since for entry in ledger.read(events=("alarm",))):
                return None
    except SirenaError:
        return None
    content = read_kept_panel(settings.home, active.content)
    if content is None:
        return None
    return AnsweringRelease(Panel.of_release(json.loads(content), active.release), from_cache_only=False)
