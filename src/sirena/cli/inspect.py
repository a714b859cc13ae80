"""``sirena inspect``: reporting what a file holds, and which of its cells cannot be read."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sirena.cli.file_options import MappingFile, Sheet
from sirena.cli.json_document import AsJson, print_json
from sirena.cli.label_audit import audit_section
from sirena.cli.sections import Section, print_sections
from sirena.cli.voice import in_words
from sirena.domain.language import Language
from sirena.domain.test_column import GUIDELINES

if TYPE_CHECKING:
    from sirena.whonet.inspection import Inspection


def register(app: typer.Typer) -> None:
    """Add ``sirena inspect`` to the command line."""
    app.command("inspect")(inspect)


def inspect(
    file: Annotated[Path, typer.Argument(help="WHONET file of any format; - reads standard input.")],
    sheet: Sheet = None,
    as_json: AsJson = False,
    rows: Annotated[int, typer.Option("--rows", min=0, help="How many row numbers to show for each problem.")] = 5,
    guideline: Annotated[
        list[str] | None,
        typer.Option(
            help="Edition to compare the laboratory's labels with; by default the newest in force of each guideline."
        ),
    ] = None,
    audit: Annotated[
        Path | None,
        typer.Option(
            help="File to write: every combination of organism and MIC whose labels contradict each other or the "
            "edition."
        ),
    ] = None,
    audit_isolates: Annotated[
        Path | None, typer.Option(help="File to write: the isolates with such labels, by row and specimen number.")
    ] = None,
    language: Annotated[
        Language, typer.Option(help="Language of the texts in the file of --audit-isolates.")
    ] = Language.ENGLISH,
    mapping: MappingFile = None,
    write_mapping: Annotated[
        Path | None,
        typer.Option(
            "--write-mapping",
            help="File to write: how Sirena understood each column (TOML); correct it and give it as --mapping.",
        ),
    ] = None,
) -> None:
    """Show what a file contains, and what cannot be read.

    The report lists format, organisms, tests, unreadable values, and labels that contradict each other. Problems are
    listed by row, column and kind. The contents of a cell are never shown, because a misplaced cell may hold a
    patient's name. Of each header that another system wrote, the list says how Sirena understood it and why.
    --write-mapping writes this to a file, which you can correct and give to every command as --mapping.

    Example: sirena inspect w2024hos.sir --rows 20
    """
    from sirena.acts.label_auditing import audit_file
    from sirena.acts.s3_files import refuse_same_file
    from sirena.guidelines.choice import choose_editions
    from sirena.guidelines.editions import Editions
    from sirena.settings.catalogue import load_settings
    from sirena.whonet.inspection import inspect_file
    from sirena.whonet.mapping import load_mapping
    from sirena.whonet.mapping_writing import save_mapping
    from sirena.whonet.reading import read_file
    from sirena.whonet.writing import write_file

    editions = choose_editions(Editions(load_settings().editions_folder), guideline or ())
    table = read_file(file, sheet=sheet, mapping=load_mapping(mapping) if mapping else None)
    if write_mapping is not None:
        refuse_same_file(file, write_mapping)
        save_mapping(write_mapping, table.header_readings, table.mapping)
    inspection = inspect_file(table, examples=rows)
    labels = audit_file(table, editions)
    if audit is not None and labels is not None:
        write_file(labels.cells, audit)
    if audit_isolates is not None and labels is not None:
        refuse_same_file(file, audit_isolates)
        write_file(labels.isolates(language), audit_isolates)
    if as_json:
        audit_document = None if labels is None else {"edition": labels.edition, "cells": labels.cells.to_dicts()}
        print_json({**inspection.to_json(), "label_audit": audit_document})
    else:
        print_sections(describe(inspection))
        if labels is not None:
            print_sections([audit_section(labels.cells, labels.edition, audit)])
    table.require_organism()


def describe(inspection: "Inspection") -> Iterator[Section]:
    """Yield the sections of the report on a file."""
    if inspection.holds_no_mic:
        yield _no_mics(inspection)
    yield _file(inspection)
    yield _organisms(inspection)
    yield _unknown_organisms(inspection)
    yield _specimens(inspection)
    yield _unknown_specimens(inspection)
    yield _headers(inspection)
    yield _tests(inspection)
    yield _disks(inspection)
    yield _problems(inspection)


def _file(inspection: "Inspection") -> Section:
    facts = [
        ("format", inspection.format + (f" ({inspection.detail})" if inspection.detail else "")),
        ("encoding", inspection.encoding or in_words("fixed by the format")),
        ("isolates", str(inspection.rows)),
        ("columns", str(inspection.columns)),
        ("organism", inspection.organism_column or in_words("none: name a column ORGANISM or LOCAL_ORG")),
        ("specimen type", inspection.specimen_column or in_words("none")),
        ("specimen date", inspection.date_column or in_words("none")),
        (
            "mechanisms",
            ", ".join(f"{name} {count}" for name, count in inspection.phenotypes.items()) or in_words("none"),
        ),
        ("of patients", ", ".join(inspection.patient_columns) or in_words("none")),
    ]
    note = "Columns of patients are dropped before training."
    return Section(f"{in_words('File')} {inspection.path}", facts, note=note, words=(0,))


def _no_mics(inspection: "Inspection") -> Section:
    return Section(
        f"This file holds {inspection.holds_no_mic} and no MICs",
        [],
        note="Sirena answers from MICs only: of this file every answer is NI (not interpretable). "
        "Export the MICs (in WHONET: test method MIC), or name their columns in a mapping.",
    )


def _headers(inspection: "Inspection") -> Section:
    rows = [
        (reading.header, reading.content, reading.drug, GUIDELINES.get(reading.guideline, ""), reading.why)
        for reading in inspection.headers
    ]
    note = (
        "To correct this list: write it with --write-mapping, edit that file, and give it as --mapping." if rows else ""
    )
    return Section(
        "Headers of other systems", rows, ("header", "read as", "drug", "guideline", "why"), note, words=(1, 4)
    )


def _organisms(inspection: "Inspection") -> Section:
    rows = [(organism.code, organism.name, str(organism.count)) for organism in inspection.organisms[:20]]
    unknown = sum(organism.count for organism in inspection.unknown_organisms)
    rest = len(inspection.organisms) - len(rows)
    return Section(
        "Organisms",
        rows,
        ("code", "name", "#isolates"),
        f"{f'{rest} more organisms; ' if rest else ''}{unknown} isolates of unknown organism,"
        f" {inspection.missing_organisms} without organism.",
    )


def _unknown_organisms(inspection: "Inspection") -> Section:
    rows = [
        (
            organism.text or in_words("(text that does not look like an organism)"),
            str(organism.count),
            _rows(organism.rows, organism.count),
        )
        for organism in inspection.unknown_organisms[:20]
    ]
    return Section("Unknown organisms", rows, ("text", "#isolates", "rows"))


def _specimens(inspection: "Inspection") -> Section:
    rows = [(site, str(count)) for site, count in inspection.specimens.sites.items()]
    note = "" if rows else "No specimen type, so the site of every isolate is unknown (--site gives one)."
    return Section("Sites of infection", rows, ("site", "#isolates"), note)


def _unknown_specimens(inspection: "Inspection") -> Section:
    unknown = inspection.specimens.unknown
    rows = [
        (
            specimen.text or in_words("(text that does not look like a specimen)"),
            str(specimen.count),
            _rows(specimen.rows, specimen.count),
        )
        for specimen in unknown[:20]
    ]
    rest = f" {len(unknown) - len(rows)} more texts are not shown." if len(unknown) > len(rows) else ""
    note = (
        f"{sum(specimen.count for specimen in unknown)} isolates have an unknown site of infection.{rest}"
        if rows
        else ""
    )
    return Section("Unknown specimens", rows, ("text", "#isolates", "rows"), note)


def _tests(inspection: "Inspection") -> Section:
    rows = [
        (
            test.header,
            test.guideline,
            str(test.results),
            str(test.organisms),
            f"{test.lowest} … {test.highest}" if test.lowest else "",
            f"{test.censored:.0%}" if test.lowest else "",
            str(test.unreadable) if test.unreadable else "",
            " ".join(f"{label} {count}" for label, count in (test.labels or {}).items()),
        )
        for test in inspection.tests
        if test.is_mic
    ]
    headings = ("column", "guideline", "#results", "#organisms", "range mg/L", "#censored", "#unreadable", "categories")
    return Section(
        "MIC columns", rows, headings, "" if rows else "No MIC column: they are named like AMK_NM or AMK_EE."
    )


def _disks(inspection: "Inspection") -> Section:
    rows = [(test.header, str(test.results)) for test in inspection.tests if not test.is_mic]
    note = "Zone diameters (mm) are not MICs and are not interpreted." if rows else ""
    return Section("Disk columns", rows, ("column", "#results"), note)


def _problems(inspection: "Inspection") -> Section:
    problems = [*inspection.problems, *(problem for test in inspection.tests for problem in test.problems)]
    rows = [
        (
            problem.column or in_words("(file)"),
            str(problem.count),
            problem.problem_class.sentence,
            _rows(problem.rows, problem.count),
        )
        for problem in problems
    ]
    return Section("Not readable, or doubtful", rows, ("column", "#count", "what the cells hold", "rows"), words=(2,))


def _rows(rows: tuple[int, ...], count: int) -> str:
    return ", ".join(map(str, rows)) + (" …" if count > len(rows) > 0 else "")
