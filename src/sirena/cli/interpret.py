"""``sirena interpret``: answering every MIC of a file by the models of a release."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena.cli.engine_option import EngineName, EngineOption, engine_named
from sirena.cli.file_options import MappingFile, Sheet
from sirena.panel.basis import Language
from sirena.panel.placement import Existing

if TYPE_CHECKING:
    from sirena.domain.test_column import TestColumn
    from sirena.panel.compiled import Panel

_EXAMPLE: Final = "Example: sirena interpret isolates.sir -o interpreted.xlsx --basis"


def register(app: typer.Typer) -> None:
    """Add ``sirena interpret`` to the command line."""
    app.command("interpret", epilog=_EXAMPLE)(interpret)


def interpret(
    file: Annotated[
        Path,
        typer.Argument(help="WHONET file of any format, here or in S3 (s3://bucket/key); - reads standard input."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write, format by suffix; - is CSV on standard output.")
    ],
    release: Annotated[str, typer.Option(help="Release to ask: active, latest, or a name.")] = "active",
    engine: EngineOption = EngineName.LOCAL,
    site: Annotated[
        str, typer.Option(help="specimen (of each row), or one for all: unknown, csf, urine, blood, respiratory …")
    ] = "specimen",
    basis: Annotated[bool, typer.Option("--basis", help="Write Eti_X_basis and Eti_X_reason too.")] = False,
    language: Annotated[Language, typer.Option(help="Language of the basis.")] = Language.ENGLISH,
    expert_rules: Annotated[
        bool, typer.Option("--expert-rules", help="Write Eti_X_reported and Eti_X_rule too: R where a rule says so.")
    ] = False,
    rules: Annotated[
        Path | None, typer.Option("--rules", help="A hospital's own expert rules on top of Sirena's (CSV).")
    ] = None,
    existing: Annotated[
        Existing, typer.Option(help="Category columns already there: refuse, keep (write Eti_X_new) or replace them.")
    ] = Existing.REFUSE,
    sheet: Sheet = None,
    mapping: MappingFile = None,
    csv_style: Annotated[
        str, typer.Option(help="How a .csv is written: keep (as the input), excel-es (for Spanish Excel) or plain.")
    ] = "keep",
) -> None:
    """Interpret every test column of a file with the models of a release.

    Every input column is kept, unchanged and in order; each Eti_ column stands directly after its test column.
    A column no model of the release answers (another guideline's, or zone diameters) is NI in every row. The specimen
    of each row (SPEC_TYPE) tells the site of infection. A category that holds for urine alone, or unless it is
    meningitis, is marked in Eti_X_mark where the site is unknown. The last column, SIRENA, names release and editions.
    With --expert-rules the category stays as it is, and what is reported stands beside it with the rule: a beta-lactam
    of an MRSA, clindamycin with inducible resistance. No rule speaks of a drug that was not tested.
    """
    from sirena.acts.answering_release import load_for_answers
    from sirena.cli.answering import (
        FileQuestion,
        Output,
        answer,
        opened,
        own_rules,
        read_rules,
        read_site,
        stamp_with_rules,
        tell,
        tell_about_problems,
    )
    from sirena.whonet.errors import as_given

    everywhere = read_site(site)
    target = Output(output, existing, language if basis else None, csv_style)
    target.check(file)
    own = own_rules(expert_rules, rules)
    expert = read_rules(expert_rules, own)
    with engine_named(engine) as works, opened(file, target, sheet, mapping, engine=works) as isolates:
        loaded = load_for_answers(release)
        for alarm in loaded.alarms:
            tell(f"ALARM: {alarm}")
        columns = [column.model_column for column in isolates.file.mic_columns.values()]
        question = FileQuestion(
            lambda column: loaded.panel.tables.get(column.model_column),
            stamp=stamp_with_rules(stamp_of(loaded.panel, columns), expert, own),
            site=everywhere,
            source=lambda column: _model(loaded.panel, column),
            zones=True,
            rules=expert,
        )
        summary, problems = answer(isolates, target, question)
    kept = " (kept copy; MLflow did not answer)" if loaded.from_cache_only else ""
    tell(f"{loaded.name}{kept} asked; written to {'standard output' if str(output) == '-' else as_given(output)}")
    summary.tell()
    tell_about_problems(isolates.file, problems)


def stamp_of(panel: "Panel", columns: Iterable[str]) -> str:
    """Return the name of the release and editions that answer a file: ``release 3 · CLSI 2026, EUCAST 2026``.

    Args:
        panel: panel of the release.
        columns: model columns of the file; only the editions of their models are named.
    """
    facts = (panel.provenance.get(column, {}) for column in columns)
    editions = sorted({edition for fact in facts if (edition := fact.get("edition"))})
    name = f"release {panel.release.rpartition('/')[2]}"
    return f"{name} · {', '.join(editions)}" if editions else name


def _model(panel: "Panel", column: "TestColumn") -> str:
    facts = panel.provenance_of(column.name)
    return f"{facts.get('model', '?')}/{facts.get('version', '?')}, labels: {facts.get('basis', '?')}"
