"""The release that answers a file.

The active one is what the ledger holds as judged, by the digest of its file. So where the ledger of this machine is
whole and knows of no switch under way and of no alarm since, a copy with that digest is the release, and MLflow need
not be asked: its client alone takes seconds to import. In every other case MLflow is looked at.
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
    """A release compiled for a file's answers."""

    panel: Panel
    from_cache_only: bool
    """True when MLflow did not answer."""
    alarms: tuple[str, ...] = ()
    """What was found that is not what was judged."""

    @property
    def name(self) -> str:
        """``panel_SIR/3``."""
        return self.panel.release


def load_for_answers(release: str) -> AnsweringRelease:
    """Return a release for a file's answers: the active one as it was judged, or another that is named.

    Raises:
        SirenaError: it is not there, or nowhere as it was judged.
    """
    settings = load_settings()
    # another MLflow that somebody names may stand behind an entry, whose ledger is not here
    is_ours = release.strip().lower() == ACTIVE and not settings.tracking_uri
    kept = _kept_release(settings) if is_ours else None
    if kept is not None:
        return kept
    from sirena.acts.judged_panel import look_for_release

    return look_for_release(settings, release)


def _kept_release(settings: Settings) -> AnsweringRelease | None:
    """Return the judged release from the copy on this machine; None where somebody has to look."""
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
