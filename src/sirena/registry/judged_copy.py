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
from sirena.registry.judged_releases import Discrepancy, Judged, Store, is_judged
from sirena.registry.panel_cache import write_whole

_NOTE: Final = "judged.json"


@dataclass(frozen=True)
class KeptJudgement:
    """A judgement, as noted beside the copy."""

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
        """Return the last noted judgement; None if there is none that can be read."""
        try:
            noted = json.loads(self._note.read_text("utf-8"))
            return KeptJudgement(str(noted["release"]), str(noted["digest"]), str(noted["content"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def read(self, judged: Judged, written: KeptJudgement | None) -> tuple[bytes | None, tuple[Discrepancy, ...]]:
        """Return the copy of a judged release, if it is unchanged, and everything that somebody changed.

        Args:
            judged: the release's judgement, from the ledger.
            written: the note that this process wrote; None if it wrote none yet.
        """
        found: list[Discrepancy] = []
        noted = self.note()
        written = written if written is not None and written.release == judged.release else None
        if written is not None and noted != written:
            found.append(Discrepancy(Store.CACHE, "the note of the kept copy was changed or removed"))
        file = self._file(judged.content)
        try:
            content: bytes | None = file.read_bytes()
        except OSError:
            content = None
            if written is not None and written.content == judged.content:
                found.append(Discrepancy(Store.CACHE, f"the kept copy of {judged.release} was removed"))
        if content is not None and not is_judged(judged, content):
            content = None
            found.append(Discrepancy(Store.CACHE, f"the kept copy of {judged.release} was changed"))
        return content, tuple(found)

    def keep(self, judged: Judged, content: bytes) -> KeptJudgement | None:
        """Store a release's file and its note, unless they are there already. Returns None if they cannot be stored."""
        kept = KeptJudgement(judged.release, judged.digest, sha256(content))
        file = self._file(kept.content)
        is_kept = read_kept_panel(self.home, kept.content) is not None or write_whole(file, content)
        if self.note() != kept:
            facts = {"release": kept.release, "digest": kept.digest, "content": kept.content}
            is_kept = write_whole(self._note, json.dumps(facts).encode()) and is_kept
        return kept if is_kept else None

    @property
    def _note(self) -> Path:
        return self.home / PANELS / _NOTE

    def _file(self, digest: str) -> Path:
        return kept_panel_file(self.home, digest)
