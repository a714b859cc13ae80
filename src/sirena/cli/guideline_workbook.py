"""Importing EUCAST's workbook for ``sirena guideline import``, and printing what was taken and what was not."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sirena.cli.guideline_rows import DIFFERENCE_WORDS
from sirena.cli.sections import Section, print_sections

if TYPE_CHECKING:
    from sirena.guidelines.eucast.findings import Undecided
    from sirena.guidelines.eucast.importing import ImportedWorkbook


def import_workbook(path: Path) -> None:
    """Import EUCAST's workbook, and print what was taken and what a person must decide.

    Raises:
        sirena.guidelines.eucast.findings.WorkbookError: the file is not EUCAST's workbook; nothing was imported.
    """
    from sirena.guidelines.eucast.importing import import_eucast
    from sirena.settings.catalogue import load_settings

    workbook = import_eucast(path, load_settings().editions_folder)
    facts = [(kind, str(number)) for kind, number in sorted(workbook.kinds.items())]
    print_sections(
        [
            Section(workbook.name, facts, ("statements", "#"), _outcome(workbook)),
            _cells("Left to a person: these cells were not imported", workbook.undecided_cells),
            _cells("Imported as printed; a person should read the notes", workbook.to_check),
            _cells("Not read", workbook.left_out),
            *_differences(workbook),
        ]
    )


def _outcome(workbook: "ImportedWorkbook") -> str:
    if workbook.differences is not None:
        return f"{workbook.name} comes with Sirena and stays as it is; nothing was stored."
    return (
        f"Stored. Expected resistance was taken over from {workbook.expected_from}. Antifungals have tables of their"
        " own, which the workbook does not hold."
    )


def _cells(title: str, cells: "Iterable[Undecided]") -> Section:
    return Section(
        title, [(item.sheet, item.cell, item.reason) for item in cells], ("sheet", "cell", "why"), words=(2,)
    )


def _differences(workbook: "ImportedWorkbook") -> list[Section]:
    if workbook.differences is None:
        return []
    rows = [
        (item.gravity.words, item.drug, item.rank, item.group, item.site, item.before or "-", item.after or "-")
        for item in workbook.differences
    ]
    headings = ("what", "drug", "rank", "group", "site", "shipped", "workbook")
    return [
        Section(
            f"Where the workbook differs from {workbook.name}",
            rows,
            headings,
            f"{len(rows)} differences, the gravest first.",
            DIFFERENCE_WORDS,
        )
    ]
