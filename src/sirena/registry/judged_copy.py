"""The copy of the judged release on this machine, and a note on which one it is, for use without MLflow or the ledger.

Files are named by their SHA-256. A copy that does not match its name, or a note that is not as written, was changed by
somebody: it is not used for answers, it is written again, and it is reported.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sirena.host.kept_panels import PANELS, kept_panel_file, read_kept_panel
from sirena.registry.digests import sha256
from sirena.registry.judged_releases import Discrepancy, ReleaseJudgement, Store, is_judged
from sirena.registry.panel_cache import write_whole

_NOTE: Final = "judged.json"


@dataclass(frozen=True)
class KeptJudgement:
    """A judgement, as noted next to the copy."""

    release: str
    digest: str
    content: str
    """SHA-256 of the copy's content."""

    files: tuple[str, ...] = ()
    """Always empty: the files are not noted."""


@dataclass(frozen=True)
class JudgedCopy:
    """The copy and its note below a `SIRENA_HOME`."""

    home: Path

    def note(self) -> KeptJudgement | None:
        """Return the last noted judgement; None if there is no readable note."""
        try:
            facts = json.loads(self._note.read_text("utf-8"))
            return KeptJudgement(str(facts["release"]), str(facts["digest"]), str(facts["content"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def read(
        self, judgement: ReleaseJudgement, written_note: KeptJudgement | None
    ) -> tuple[bytes | None, tuple[Discrepancy, ...]]:
        """Return the copy of a judged release, None if it was changed, and a discrepancy for each change.

        Args:
            judgement: the release's judgement, from the ledger.
            written_note: the note that this process wrote; None if it has written no note yet.
        """
        discrepancies: list[Discrepancy] = []
        note = self.note()
        written_note = written_note if written_note is not None and written_note.release == judgement.release else None
        if written_note is not None and note != written_note:
            discrepancies.append(Discrepancy(Store.CACHE, "the note of the kept copy was changed or removed"))
        file = self._file(judgement.content)
        try:
            content: bytes | None = file.read_bytes()
        except OSError:
            content = None
            if written_note is not None and written_note.content == judgement.content:
                discrepancies.append(Discrepancy(Store.CACHE, f"the kept copy of {judgement.release} was removed"))
        if content is not None and not is_judged(judgement, content):
            content = None
            discrepancies.append(Discrepancy(Store.CACHE, f"the kept copy of {judgement.release} was changed"))
        return content, tuple(discrepancies)

    def keep(self, judgement: ReleaseJudgement, content: bytes) -> KeptJudgement | None:
        """Store a release's file and its note, unless they are there already. Returns None if they cannot be stored."""
        note = KeptJudgement(judgement.release, judgement.digest, sha256(content))
        file = self._file(note.content)
        is_kept = read_kept_panel(self.home, note.content) is not None or write_whole(file, content)
        if self.note() != note:
            facts = {"release": note.release, "digest": note.digest, "content": note.content}
            is_kept = write_whole(self._note, json.dumps(facts).encode()) and is_kept
        return note if is_kept else None

    @property
    def _note(self) -> Path:
        return self.home / PANELS / _NOTE

    def _file(self, digest: str) -> Path:
        return kept_panel_file(self.home, digest)
