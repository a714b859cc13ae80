"""``sirena interpret``: answering every MIC of a file by the models of a release."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena.cli.answer_options import (
    BasisOption,
    CsvStyleOption,
    ExistingOption,
    ExpertRulesOption,
    LanguageOption,
    RulesOption,
    SiteOption,
)
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
        typer.Argument(
            help="WHONET file of any format, on this machine or in S3 (s3://bucket/key); - reads standard input."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="File to write, in the format of its suffix; - writes CSV to standard output."
        ),
    ],
    release: Annotated[str, typer.Option(help="Release whose models are used: active, latest, or a name.")] = "active",
    engine: EngineOption = EngineName.LOCAL,
    site: SiteOption = "specimen",
    basis: BasisOption = False,
    language: LanguageOption = Language.ENGLISH,
    expert_rules: ExpertRulesOption = False,
    rules: RulesOption = None,
    existing: ExistingOption = Existing.REFUSE,
    sheet: Sheet = None,
    mapping: MappingFile = None,
    csv_style: CsvStyleOption = "keep",
) -> None:
    """Interpret the MICs of a file with a release's models.

    All input columns are kept, unchanged and in their order; each Eti_ column follows its test column. A column that no
    model of the release covers (another guideline's, or zone diameters) is NI in every row. The specimen of each row
    (SPEC_TYPE) gives the site of infection. If the site is unknown, Eti_X_mark marks a category that holds only for
    urine, or only if the infection is not meningitis. The last column, SIRENA, names the release and the editions. With
    --expert-rules the category stays, and further columns give the category to report and the rule that changed it: a
    beta-lactam of an MRSA, clindamycin with inducible resistance. No rule reports a drug that was not tested.
    """
    from sirena.acts.answering_release import load_for_answers
    from sirena.cli.answering import (
        FileQuestion,
        Output,
        answer,
        open_for_answers,
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
    with engine_named(engine) as works, open_for_answers(file, target, sheet, mapping, engine=works) as isolates:
        answering_release = load_for_answers(release)
        for alarm in answering_release.alarms:
            tell(f"ALARM: {alarm}")
        columns = [column.model_column for column in isolates.file.mic_columns.values()]
        question = FileQuestion(
            lambda column: answering_release.panel.tables.get(column.model_column),
            stamp=stamp_with_rules(stamp_of(answering_release.panel, columns), expert, own),
            site=everywhere,
            source=lambda column: _model(answering_release.panel, column),
            zones=True,
            rules=expert,
        )
        summary, problems = answer(isolates, target, question)
    copy_remark = " (local copy, MLflow did not answer)" if answering_release.from_cache_only else ""
    place = "standard output" if str(output) == "-" else as_given(output)
    tell(f"categories from {answering_release.name}{copy_remark}; written to {place}")
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
