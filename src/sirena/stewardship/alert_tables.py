"""Alerts as tables: the counts, which identify nobody, and the list of isolates, written only on request."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from sirena.domain.language import Language
from sirena.stewardship.alerts import AlertCount, AlertFinding, reasons_of
from sirena.stewardship.isolate_facts import IsolateFacts
from sirena.whonet.file import WhonetFile
from sirena.whonet.specimen_numbers import specimen_numbers

_SPANISH_PRIORITY: Final = {"critical": "crítica", "high": "alta", "medium": "media", "": ""}
LISTED: Final = ("row", "specimen_number", "organism", "alert", "priority", "text", "because")
"""Columns of the list of isolates."""


def priority_word(priority: str, language: Language) -> str:
    """Return the word, in a language, for a priority of the WHO Bacterial Priority Pathogens List.

    >>> priority_word("critical", Language.SPANISH)
    'crítica'
    """
    return _SPANISH_PRIORITY[priority] if language is Language.SPANISH else priority


def alert_records(counts: Sequence[AlertCount], language: Language) -> list[dict[str, Any]]:
    """Return one record for each alert: the number of isolates with it, of those tested for it and of those present.

    No record holds a row, a specimen or a patient.
    """
    return [
        {
            "alert": count.alert.code,
            "kind": count.alert.kind,
            "priority": count.alert.priority,
            "isolates": count.isolates,
            "tested": count.tested_isolates,
            "of_organism": count.members,
            "text": count.alert.text(language),
            "source": count.alert.source,
        }
        for count in counts
    ]


def list_alerts(
    file: WhonetFile, facts: IsolateFacts, findings: Sequence[AlertFinding], language: Language
) -> pl.DataFrame:
    """Return one row for each isolate and alert, with row and specimen number, for the laboratory.

    Isolates with too few tests to judge multidrug resistance are counted but not listed.
    """
    specimens = specimen_numbers(file)
    organisms = file.frame[file.require_organism()]
    parts = []
    for finding in findings:
        if finding.alert.code == "MDR-UNKNOWN" or not finding.count:
            continue
        positions = np.flatnonzero(finding.rows)
        parts.append(
            pl.DataFrame(
                {
                    "row": [str(number) for number in file.row_numbers(positions).tolist()],
                    "specimen_number": specimens.gather(positions),
                    "organism": organisms.gather(positions),
                    "alert": finding.alert.code,
                    "priority": priority_word(finding.alert.priority, language) or None,
                    "text": finding.alert.text(language),
                    "because": reasons_of(facts, finding, positions.tolist()),
                },
                schema=dict.fromkeys(LISTED, pl.String),
            )
        )
    return pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(LISTED, pl.String))
