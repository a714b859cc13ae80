"""Answers of the running service, recorded in a backup; a restore drill must get the same answers from its copy.

The isolates asked about are invented and always the same: twelve organisms × every MIC there is (28 dilutions, three
comparators), for every antimicrobial under both guidelines. So every model of a release is asked, about no patient.
"""

import json
import urllib.error
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.mic import CODES, Mic
from sirena.server.backup.errors import DamagedBackupError
from sirena.server.backup.manifest import ANSWERS
from sirena.server.parts.connections import PartConnection

ORGANISMS: Final = ("eco", "kpn", "pae", "aba", "sau", "epi", "efa", "efm", "spn", "hin", "sal", "cal")
"""WHONET codes of the most common organism of each group that the 41 models answer for, a yeast among them."""
COLUMNS: Final = tuple(f"{drug}_{letter}M" for letter in "NE" for drug in ANTIMICROBIALS)
_SECONDS: Final = 30.0


@dataclass(frozen=True)
class RecordedAnswers:
    """The answers of one release to all fixed isolates."""

    release: str
    """Registered name and version of the release, ``panel_SIR/3``."""
    columns: Mapping[str, Sequence[str]]
    """Answers by test column, one for each isolate in the order of `fixed_isolates`: ``S``, ``NI censored``."""

    def write(self, folder: Path) -> None:
        """Write the answers to their file in the folder whose content becomes the backup."""
        (folder / ANSWERS).write_text(json.dumps(asdict(self), separators=(",", ":")), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read the answers from a backup's folder; None if the service did not answer while the backup was made.

        Raises:
            DamagedBackupError: the file cannot be read.
        """
        try:
            return cls(**json.loads((folder / ANSWERS).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise DamagedBackupError("the backup's recorded answers cannot be read") from error


@cache
def fixed_isolates() -> tuple[tuple[str, str], ...]:
    """Return organism and MIC of every fixed isolate."""
    return tuple((organism, str(Mic.from_code(code))) for organism in ORGANISMS for code in range(CODES))


def ask_service(service: PartConnection) -> RecordedAnswers | None:
    """Send a service requests about all fixed isolates, and return its answers.

    Args:
        service: connection to the service.

    Returns:
        None if the service does not answer, has no release, or changed its release during each of three attempts.
    """
    for _ in range(3):
        try:
            pages = [_ask_organism(service, organism) for organism in ORGANISMS]
        except (urllib.error.URLError, OSError, ValueError, KeyError, TypeError):
            return None
        releases = {release for release, _ in pages}
        if len(releases) == 1:
            records = [record for _, page in pages for record in page]
            return RecordedAnswers(
                releases.pop(),
                {column: [_spelt_answer(answer_record, column) for answer_record in records] for column in COLUMNS},
            )
    return None


def _ask_organism(service: PartConnection, organism: str) -> tuple[str, list[dict[str, Any]]]:
    isolates = [isolate for isolate in fixed_isolates() if isolate[0] == organism]
    body = {"dataframe_records": [{"ORGANISM": code, **dict.fromkeys(COLUMNS, mic)} for code, mic in isolates]}
    headers = {"Content-Type": "application/json"}
    with service.open("/invocations", json.dumps(body).encode(), seconds=_SECONDS, headers=headers) as answer:
        document = json.load(answer)
    return str(document["provenance"]["release"]), list(document["predictions"])


def _spelt_answer(record: Mapping[str, Any], column: str) -> str:
    name = f"Eti_{column}"
    return spelt(str(record[name]), str(record.get(f"{name}_reason", "")))


def spelt(category: str, reason: str) -> str:
    """Return the text by which an answer is recorded in a backup."""
    return f"{category} {reason}".strip()
